"""MarketScales: the scale of each market of one connector. Each part counts in it; it only becomes finer."""

from collections.abc import Callable, Mapping

from actors.effects import Log
from market.scale import Scale

Refined = Callable[[str, Scale], None]
"""Receives (symbol, scale): converts what is counted in the scale before."""


class MarketScales:
    """The one owner of the scales; `load` gives it those of the journal.

    `refined` is called for each change, after `get` returns the new scale and before anything is counted in it. A
    market has at most 2 * MAX_DIGITS changes, since each one adds a digit.
    """

    def __init__(self, log: Log, refined: Refined) -> None:
        self._log = log
        self._scales: dict[str, Scale] = {}
        self._refined = refined

    def load(self, known: Mapping[str, Scale]) -> None:
        """Begin with the scales of a journal."""
        self._scales.update(known)

    def get(self, symbol: str) -> Scale | None:
        """Returns the scale of a market; None before its rules are known."""
        return self._scales.get(symbol)

    def refine(self, symbol: str, wanted: Scale, why: str) -> Scale:
        """Make the scale of a market as fine as `wanted`. Returns it."""
        before = self._scales.get(symbol)
        scale = wanted if before is None else before.join(wanted)
        if scale != before:
            self._scales[symbol] = scale
            if before is not None:
                self._log.info(
                    "finer scale", market=symbol, price_digits=scale.price_digits, size_digits=scale.size_digits,
                    reason=why,
                )  # fmt: skip
            self._refined(symbol, scale)
        return scale
