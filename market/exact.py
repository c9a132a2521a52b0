"""Decimal arithmetic that is exact or raises: what balances, notionals and profits are computed with."""

from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Underflow,
)

DIGITS_MAX = 200
EXPONENT_MAX = 60

# `EXACT.multiply(a, b)`: numbers of an exchange never come near 200 digits, and if they did it would raise.
EXACT = Context(
    prec=DIGITS_MAX,
    rounding=ROUND_HALF_EVEN,
    traps=[Clamped, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded, Underflow],
)
# Quotients have no end in general: for averages that are shown, and shares that are then subtracted exactly.
QUOTIENT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])

ZERO = Decimal(0)


def decimal(value: Decimal | int | str) -> Decimal:
    """The Decimal of a value. TypeError for a float (never the number that was meant), ValueError for nonsense.

    Nonsense is what no exchange tells: not finite, above 10**60, or with more than 60 decimal places.
    """
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: give a Decimal or a string, such as Decimal('{value!r}')")
    try:
        number = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    places = number.as_tuple().exponent
    if number.adjusted() > EXPONENT_MAX or not isinstance(places, int) or places < -EXPONENT_MAX:
        raise ValueError(f"{value!r} is out of any range: 60 digits before and after the point are the most")
    return number


def scale_of(step: Decimal) -> tuple[int, int]:
    """(digits, units) of a positive step: step = units * 10**-digits with the fewest digits, 0 at least.

    >>> scale_of(Decimal("0.0500")), scale_of(Decimal(10))
    ((2, 5), (0, 10))
    """
    if step <= 0:
        raise ValueError(f"a step must be above 0, not {step}")
    digits = max(0, -int(step.normalize(EXACT_TRIM).as_tuple().exponent))
    return digits, int(step.scaleb(digits, EXACT))


EXACT_TRIM = Context(prec=DIGITS_MAX)
