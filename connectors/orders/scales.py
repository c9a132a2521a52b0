"""The scale in which a fact about our account is counted: as fine as it needs. No fact is rounded or dropped."""

from collections.abc import Iterable
from decimal import Decimal

from connectors.core.market_scales import MarketScales
from connectors.core.order_api import BadAnswer
from market.levels import MAX_DIGITS, UNITS_MAX
from market.scale import Scale, digits_of


def scale_for(
    scales: MarketScales, symbol: str, why: str, *, prices: Iterable[Decimal] = (), sizes: Iterable[Decimal] = ()
) -> Scale:
    """Returns the scale of a market after making it fine enough for these numbers.

    Raises BadAnswer for a number with more than MAX_DIGITS places, or above 2**63 ticks or lots.
    """
    prices, sizes = list(prices), list(sizes)
    wanted = Scale(_digits(prices), _digits(sizes))
    known = scales.get(symbol)
    scale = wanted if known is None else known.join(wanted)
    if max(scale.price_digits, scale.size_digits) > MAX_DIGITS:
        raise BadAnswer(f"{symbol}: a number with more than {MAX_DIGITS} places: {[*prices, *sizes]}")
    if max(map(scale.ticks, prices), default=0) > UNITS_MAX or max(map(scale.lots, sizes), default=0) > UNITS_MAX:
        raise BadAnswer(f"{symbol}: a number that is too large: {[*prices, *sizes]}")
    return scale if scale == known else scales.refine(symbol, scale, why)


def _digits(numbers: list[Decimal]) -> int:
    return max(map(digits_of, numbers), default=0)
