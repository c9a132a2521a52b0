"""Pegged orders: limit orders whose price is set from a book level when they start (faqs/pegged_orders.md)."""

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
MAX_OFFSET = 100
"""The maximum `pegOffsetValue`."""


class Pegged(filters.Sized, Protocol):
    """An order or a new order. `peg_offset`: levels behind the best price; `price_ticks` is set here."""

    side: Side
    ord_type: str
    peg: str
    peg_offset: int
    price_ticks: int


def level(symbol: Symbol, order: Pegged) -> int:
    """The present price of the book level that an order is pegged to. Raises -2010 if there is no such level."""
    is_bid = (order.side is Side.BUY) == (order.peg == PRIMARY)
    bids, asks = symbol.matching.snapshot(order.peg_offset + 1)
    levels = unpack_levels(bids if is_bid else asks)
    if len(levels) <= order.peg_offset:
        raise api_errors.rejected("Order book liquidity is too low for this pegged order.")
    return levels[order.peg_offset][0]


def select(symbol: Symbol, order: Pegged, now_ns: int) -> None:
    """Sets an order's price from the book. Raises -2010 if the level is missing, -1013 if a filter is violated."""
    order.price_ticks = level(symbol, order)
    check(symbol, order, order.price_ticks, now_ns)


def reselect(symbol: Symbol, order: Pegged, now_ns: int) -> None:
    """Sets the price again after the book has changed, for an order that starts at once."""
    if order.ord_type not in WORKS_AS:
        select(symbol, order, now_ns)


def check(symbol: Symbol, order: Pegged, price_ticks: int, now_ns: int) -> None:
    """Raises -1013 if the order violates a filter at this price."""
    if price_ticks % symbol.tick_step:
        raise api_errors.filter_failure("PRICE_FILTER")
    filters.check_price(symbol, order.side, price_ticks, now_ns)
    if order.size_lots:  # the size of a pending order of an OPO is unknown until it starts
        filters.check_notional(symbol, price_ticks * order.size_lots * symbol.notional_atoms, is_market=False)
