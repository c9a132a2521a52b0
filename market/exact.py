"""Decimal arithmetic that is exact or raises, for balances, notionals and profits."""

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

# `EXACT.multiply(a, b)`: numbers of an exchange have far fewer than 200 digits; more digits would raise.
EXACT = Context(
    prec=DIGITS_MAX,
    rounding=ROUND_HALF_EVEN,
    traps=[Clamped, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded, Underflow],
)
# A quotient may have infinitely many digits: for averages that are displayed.
QUOTIENT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])

ZERO = Decimal(0)


def decimal(value: Decimal | int | str) -> Decimal:
    """The Decimal of a value. Raises TypeError for a float, which is rarely the number that was meant.

    Raises ValueError for a number that is not finite, above 10**60, or with more than 60 decimal places.
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
        raise ValueError(f"{value!r} is out of range: at most 60 digits before and after the point")
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
