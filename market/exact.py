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

# `EXACT.multiply(a, b)`: two numbers of an exchange never come near 200 digits, and if they did it would raise.
EXACT = Context(
    prec=DIGITS_MAX,
    rounding=ROUND_HALF_EVEN,
    traps=[Clamped, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded, Underflow],
)
# Quotients are not exact in general: for averages that are shown, and for shares that are then subtracted exactly.
QUOTIENT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])

ZERO = Decimal(0)


def decimal(value: Decimal | int | str) -> Decimal:
    """The finite Decimal of a value; TypeError for a float (it is not the number that was meant), else ValueError."""
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: give a Decimal, an int or a string, such as Decimal('{value!r}')")
    try:
        number = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
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
