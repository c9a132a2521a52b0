"""The Instrument of the trading rules that a connector publishes, and rules in a finer scale."""

import msgspec

from market.instrument import Instrument
from market.levels import MAX_INT
from market.scale import Scale
from protocol import Rules

_SHARED = tuple(name for name in Instrument.__struct_fields__ if name in Rules.__struct_fields__)
_PRICES = ("min_price_ticks", "max_price_ticks")
_SIZES = ("min_size_lots", "max_size_lots", "market_max_size_lots")


def instrument_of(rules: Rules) -> Instrument:
    """The instrument of these rules. Raises ValueError if a tick or lot is not above 0, or has too many digits."""
    instrument = Instrument(**{name: getattr(rules, name) for name in _SHARED})
    if rules.price_digits < 0 or rules.size_digits < 0:  # the integers count steps
        return _multiplied(instrument, instrument.price_step, instrument.size_step)
    return instrument


def rules_in_scale(rules: Rules, scale: Scale) -> Rules:
    """The rules with integers in the join of their own scale and `scale`. Raises ValueError as `instrument_of`."""
    instrument = instrument_of(rules)
    finer = instrument.scale.join(scale)
    limits = _multiplied(instrument, *instrument.scale.factors_to(finer))
    return msgspec.structs.replace(
        rules,
        price_digits=finer.price_digits,
        size_digits=finer.size_digits,
        **{name: getattr(limits, name) for name in (*_PRICES, *_SIZES)},
    )


def instrument_in_scale(instrument: Instrument, scale: Scale) -> Instrument:
    """The same rules with integers in the finer `scale`. Raises ValueError if it is coarser."""
    limits = _multiplied(instrument, *instrument.scale.factors_to(scale))
    return msgspec.structs.replace(limits, price_digits=scale.price_digits, size_digits=scale.size_digits)


def _multiplied(instrument: Instrument, price_factor: int, size_factor: int) -> Instrument:
    """The instrument with multiplied limits; those above MAX_INT, which mean "no limit", become MAX_INT."""
    if price_factor == size_factor == 1:
        return instrument
    factors = dict.fromkeys(_PRICES, price_factor) | dict.fromkeys(_SIZES, size_factor)
    limits = {name: min(getattr(instrument, name) * factor, MAX_INT) for name, factor in factors.items()}
    return msgspec.structs.replace(instrument, **limits)
