"""Prevented matches: self-trades that self-trade prevention stopped."""

from collections.abc import Iterator
from typing import Any

import msgspec

from venue.base.numbers import fixed8
from venue.orders.exchange_order import ExchangeOrder
from venue.symbols.symbol import Symbol

KEPT = 10_000
"""Maximum number of prevented matches kept per account."""


class PreventedMatch(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Two orders that were prevented from trading. Stored as an array: new fields are only appended."""

    symbol: str
    match_id: int
    taker_order_id: int
    maker_order_id: int
    taker_account: str
    maker_account: str
    trade_group_id: int  # -1: none
    stp: str  # the mode that was applied
    price_ticks: int
    taker_lots: int  # quantity that expired of the taker, and (next) of the maker
    maker_lots: int
    match_lots: int  # quantity that would have traded
    time_ns: int


class PreventedMatches:
    """The prevented matches of one account, oldest first."""

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, int], PreventedMatch] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[PreventedMatch]:
        return iter(self._by_id.values())

    def add(self, match: PreventedMatch) -> None:
        """Adds one; beyond KEPT the oldest is dropped."""
        self._by_id[match.symbol, match.match_id] = match
        if len(self._by_id) > KEPT:
            del self._by_id[next(iter(self._by_id))]

    def get(self, symbol: str, match_id: int) -> PreventedMatch | None:
        return self._by_id.get((symbol, match_id))

    def of_order(self, symbol: str, order_id: int, from_id: int = 0) -> list[PreventedMatch]:
        return [
            one
            for one in self
            if order_id in (one.taker_order_id, one.maker_order_id) and one.symbol == symbol and one.match_id >= from_id
        ]

    def of_taker(self, order: ExchangeOrder) -> list[PreventedMatch]:
        """The latest ones whose taker is `order`, oldest first."""
        found = []
        for one in reversed(self._by_id.values()):
            if one.taker_order_id != order.order_id:
                break
            found.append(one)
        return found[::-1]


def mode(taker: ExchangeOrder, maker: ExchangeOrder) -> str:
    """The mode that applies: the taker's; TRANSFER only between two accounts whose orders both have it."""
    if taker.stp == "TRANSFER" and (maker.stp != "TRANSFER" or maker.account == taker.account):
        return "DECREMENT"
    return taker.stp


def shown(symbol: Symbol, match: PreventedMatch) -> dict[str, Any]:
    """As in the answer to an order."""
    row: dict[str, Any] = {
        "preventedMatchId": match.match_id,
        "makerSymbol": match.symbol,
        "makerOrderId": match.maker_order_id,
        "price": symbol.price(match.price_ticks),
    }
    if match.taker_lots:
        row["takerPreventedQuantity"] = symbol.size(match.taker_lots)
    if match.maker_lots:
        row["makerPreventedQuantity"] = symbol.size(match.maker_lots)
    return row


def reported(symbol: Symbol, match: PreventedMatch, is_maker: bool) -> dict[str, Any]:
    """The additional fields of an execution report of type TRADE_PREVENTION."""
    return {
        "v": match.match_id,
        "B": symbol.size(match.maker_lots if is_maker else match.taker_lots),
        "u": match.trade_group_id,
        "U": match.taker_order_id if is_maker else match.maker_order_id,
        "Cs": match.symbol,
        "pl": symbol.size(match.match_lots),
        "pL": symbol.price(match.price_ticks),
        "pY": fixed8(match.price_ticks * match.match_lots * symbol.notional_atoms),
    }
