"""The scale in which a fact about our account is counted: as fine as it needs. No fact is rounded or dropped."""

from collections.abc import Iterable
from decimal import Decimal

from connectors.core.market_scales import MarketScales
from connectors.core.order_api import BadAnswer
from connectors.orders.tracker import OrderTracker
from market.levels import MAX_DIGITS, UNITS_MAX
from market.scale import Scale, digits_of


def scale_for(
    scales: MarketScales,
    tracker: OrderTracker,
    symbol: str,
    why: str,
    *,
    prices: Iterable[Decimal] = (),
    sizes: Iterable[Decimal] = (),
) -> Scale:
    """Returns the scale of a market after making it fine enough for these numbers.

    Raises BadAnswer as `fine_scale`, and if a number that is counted in this market would be above 2**63.
    """
    prices, sizes, known = list(prices), list(sizes), scales.get(symbol)
    scale = fine_scale(known, symbol, prices, sizes)
    if known is not None and scale != known and not _fits(tracker, symbol, *known.factors_to(scale)):
        raise BadAnswer(f"{symbol}: orders or positions are too large to be counted as finely as {[*prices, *sizes]}")
    return scale if scale == known else scales.refine(symbol, scale, why)


def fine_scale(known: Scale | None, symbol: str, prices: list[Decimal], sizes: list[Decimal]) -> Scale:
    """Returns the coarsest scale that is as fine as `known` and as these numbers; the market's own stays as it is.

    Raises BadAnswer for a number with more than MAX_DIGITS places, or above 2**63 ticks or lots.
    """
    wanted = Scale(_digits(prices), _digits(sizes))
    scale = wanted if known is None else known.join(wanted)
    if max(scale.price_digits, scale.size_digits) > MAX_DIGITS:
        raise BadAnswer(f"{symbol}: a number with more than {MAX_DIGITS} places: {[*prices, *sizes]}")
    if max(map(scale.ticks, prices), default=0) > UNITS_MAX or max(map(scale.lots, sizes), default=0) > UNITS_MAX:
        raise BadAnswer(f"{symbol}: a number that is too large: {[*prices, *sizes]}")
    return scale


def _fits(tracker: OrderTracker, symbol: str, price_factor: int, size_factor: int) -> bool:
    """Whether all that is counted in a market can be counted in ticks and lots that are smaller by these factors."""
    terms = [order.terms for order in tracker.orders.values() if order.terms.symbol == symbol]
    prices, sizes = [one.price_ticks for one in terms], [one.size_lots for one in terms]
    for owner in tracker.owners.values():
        prices += [fill.last_ticks for fill in owner.fills if fill.symbol == symbol]
        if symbol in owner.positions:
            sizes += [owner.positions[symbol].bought_lots, owner.positions[symbol].sold_lots]
    return max(prices, default=0) * price_factor <= UNITS_MAX and max(sizes, default=0) * size_factor <= UNITS_MAX


def _digits(numbers: list[Decimal]) -> int:
    return max(map(digits_of, numbers), default=0)
