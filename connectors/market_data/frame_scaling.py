"""FrameScaling: parses bytes again whose numbers do not fit the market's scale, after making the scale finer."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from connectors.core.market_api import BadFrame, FinerFrame
from connectors.core.market_scales import MarketScales
from connectors.market_data.market_state import MarketState
from market.levels import MAX_DIGITS

T = TypeVar("T")


class FrameScaling:
    """Exchanges leave old orders at the prices and sizes of old rules: such levels are kept exactly.

    A book counts up to MAX_INT ticks and lots. Bytes that need a scale in which the market's book exceeds it are
    invalid: the book of this market is then stale, and states the reason.
    """

    def __init__(self, scales: MarketScales, markets: Mapping[str, MarketState]) -> None:
        self._scales = scales
        self._markets = markets

    def parse_again(self, error: BadFrame, parse: Callable[[], T]) -> T:
        """Returns what `parse` returns in the finer scale that `error` names. Raises BadFrame if it is invalid."""
        market = self._markets.get(error.symbol)
        for _ in range(2 * MAX_DIGITS):  # each time the scale gets a digit at least
            if market is None or not isinstance(error, FinerFrame):
                break
            scale = self._scales.get(error.symbol)
            if scale is not None and not market.sync.fits(*scale.factors_to(scale.join(error.scale))):
                raise BadFrame(f"the book is too large for a scale with more digits: {error}", error.symbol)
            self._scales.refine(error.symbol, error.scale, str(error))
            try:
                return parse()
            except BadFrame as again:
                error = again
        raise error
