"""Pegged orders: limit orders whose price is a level of the book, chosen as they start (faqs/pegged_orders.md)."""

from typing import Protocol

from market.levels import unpack_levels
from protocol.enums import Side
from venue.base import api_errors
from venue.orders.exchange_order import WORKS_AS
from venue.symbols import filters
from venue.symbols.symbol import Symbol

PRIMARY, MARKET = "PRIMARY_PEG", "MARKET_PEG"
PEG_TYPES = (PRIMARY, MARKET)
OFFSET_TYPES = ("PRICE_LEVEL",)
DEEPEST = 100
"""The greatest `pegOffsetValue`."""


class Pegged(filters.Sized, Protocol):
    """An order, or the intent to place one. `peg_offset`: so many levels deeper than the best; `price_ticks` is set."""

    side: Side
    ord_type: str
    peg: str
    peg_offset: int
    price_ticks: int


def level(symbol: Symbol, order: Pegged) -> int:
    """The price of the book that an order is pegged to, now. Raises -2010 where the book is not so deep."""
    is_bid = (order.side is Side.BUY) == (order.peg == PRIMARY)
    bids, asks = symbol.matching.snapshot(order.peg_offset + 1)
    levels = unpack_levels(bids if is_bid else asks)
    if len(levels) <= order.peg_offset:
        raise api_errors.rejected("Order book liquidity is too low for this pegged order.")
    return levels[order.peg_offset][0]


def select(symbol: Symbol, order: Pegged, now_ns: int) -> None:
    """Give an order its price of the book. Raises -2010 where there is none, -1013 where filters refuse it."""
    order.price_ticks = level(symbol, order)
    check(symbol, order, order.price_ticks, now_ns)


def reselect(symbol: Symbol, order: Pegged, now_ns: int) -> None:
    """The same for one whose book has changed since, if it starts at once."""
    if order.ord_type not in WORKS_AS:
        select(symbol, order, now_ns)


def check(symbol: Symbol, order: Pegged, price_ticks: int, now_ns: int) -> None:
    """Raises -1013 where filters refuse the order at this price."""
    if price_ticks % symbol.tick_step:
        raise api_errors.filter_failure("PRICE_FILTER")
    filters.check_price(symbol, order.side, price_ticks, now_ns)
    if order.size_lots:  # of a pending order of an OPO it is not known before it starts
        filters.check_notional(symbol, price_ticks * order.size_lots * symbol.notional_atoms, is_market=False)
