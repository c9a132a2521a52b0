"""Requoting: which orders to keep and cancel, and which quotes to place, for the wanted quotes. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from protocol import Side
from strategies.quotes import UNIT, Inventory, Quote

KEEP_SIZE_RATIO = 2  # an order is kept for a quote only if neither's size is more than this times the other's


class Resting(NamedTuple):
    """One order that may be live. `leaving`: its cancel was sent. `hanging`: it is not touched."""

    order_ref: int
    side: Side
    price_ticks: int
    leaves_lots: int
    leaving: bool = False
    hanging: bool = False


class Requote(NamedTuple):
    """`keep`: order_ref -> its quote. `cancel`: order_refs. `missing`: the quotes that have no order."""

    keep: dict[int, Quote]
    cancel: list[int]
    missing: list[Quote]


def reconcile(wanted: Iterable[Quote], resting: Iterable[Resting], tolerance: int) -> Requote:
    """Keeps for each quote the nearest order of its side within `tolerance` (UNITs of the order's price).

    Every other order that is not leaving or hanging goes to `cancel`.
    """
    left = {order.order_ref: order for order in resting if not order.leaving and not order.hanging}
    keep: dict[int, Quote] = {}
    missing: list[Quote] = []
    for quote in wanted:
        near = [order for order in left.values() if _matches(order, quote, tolerance)]
        if near:
            best = min(near, key=lambda order: (abs(order.price_ticks - quote.price_ticks), order.order_ref))
            keep[best.order_ref] = quote
            del left[best.order_ref]
        else:
            missing.append(quote)
    return Requote(keep, list(left), missing)


def placeable(missing: Iterable[Quote], resting: list[Resting], free: Inventory, max_open: int) -> list[Quote]:
    """The missing quotes that can be placed now; the others wait for confirmed cancels.

    Together they cost at most the free inventory, do not cross an own order that may still be live, and leave at
    most `max_open` orders open.
    """
    lowest_ask = min((order.price_ticks for order in resting if order.side is Side.SELL), default=None)
    highest_bid = max((order.price_ticks for order in resting if order.side is Side.BUY), default=0)
    room = max_open - len(resting)
    base_lots, quote_free = free
    chosen = []
    for quote in missing:
        if room <= 0:
            break
        if quote.side is Side.BUY:
            cost = quote.price_ticks * quote.size_lots
            if cost > quote_free or (lowest_ask is not None and quote.price_ticks >= lowest_ask):
                continue
            quote_free -= cost
        else:
            if quote.size_lots > base_lots or quote.price_ticks <= highest_bid:
                continue
            base_lots -= quote.size_lots
        chosen.append(quote)
        room -= 1
    return chosen


def _matches(order: Resting, quote: Quote, tolerance: int) -> bool:
    if order.side is not quote.side:
        return False
    if abs(order.price_ticks - quote.price_ticks) * UNIT > tolerance * order.price_ticks:
        return False
    small, large = sorted((order.leaves_lots, quote.size_lots))
    return large <= KEEP_SIZE_RATIO * small
