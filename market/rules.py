"""Trading rules as they come over the bus, as the Instrument that knows how to use them."""

from market.instrument import Instrument
from protocol import Rules

_SHARED = tuple(name for name in Instrument.__struct_fields__ if name in Rules.__struct_fields__)


def instrument_of(rules: Rules) -> Instrument:
    """The instrument of these rules. ValueError where a tick or lot is not above 0, or needs too many digits."""
    return Instrument(**{name: getattr(rules, name) for name in _SHARED})
