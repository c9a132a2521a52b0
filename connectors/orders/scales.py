"""Conversion of quantities to the ticks and lots of one journal, which stay when the exchange changes its steps."""

from decimal import Decimal

from connectors.core.order_api import BadAnswer
from connectors.core.records import ScaleRecord
from market.exact import EXACT


def whole_steps(value: Decimal, step: Decimal) -> int:
    """Returns `value` in steps. Raises BadAnswer if it is not a multiple of `step`."""
    steps, rest = EXACT.divmod(value, step)
    if rest:
        raise BadAnswer(f"{value} is not a multiple of {step}")
    return int(steps)


def in_ticks(scale: ScaleRecord, price: Decimal) -> int:
    """Returns a price in ticks. Raises BadAnswer."""
    return whole_steps(price, scale.tick_size)


def in_lots(scale: ScaleRecord, size: Decimal) -> int:
    """Returns a size in lots. Raises BadAnswer."""
    return whole_steps(size, scale.lot_size)
