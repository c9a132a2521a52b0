"""Scales: what ticks and lots mean in one journal. They outlast what the exchange calls a tick today."""

from decimal import Decimal

from connectors.core.order_api import BadAnswer
from connectors.core.records import Scale
from market.exact import EXACT


def whole(value: Decimal, step: Decimal) -> int:
    """`value` in steps. Raises BadAnswer where it is no whole number of them."""
    steps, rest = EXACT.divmod(value, step)
    if rest:
        raise BadAnswer(f"{value} is no multiple of {step}")
    return int(steps)


def in_ticks(scale: Scale, price: Decimal) -> int:
    return whole(price, scale.tick_size)


def in_lots(scale: Scale, size: Decimal) -> int:
    return whole(size, scale.lot_size)
