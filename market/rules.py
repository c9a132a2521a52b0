"""The Instrument of the trading rules that a connector publishes."""

from market.instrument import Instrument
from protocol import Rules

_SHARED = tuple(name for name in Instrument.__struct_fields__ if name in Rules.__struct_fields__)


def instrument_of(rules: Rules) -> Instrument:
    """The instrument of these rules. Raises ValueError if a tick or lot is not above 0, or has too many digits."""
    return Instrument(**{name: getattr(rules, name) for name in _SHARED})
