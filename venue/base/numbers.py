"""Money as whole atoms of 10**-8, and the decimal strings of the API: never a float."""

from decimal import Decimal
from functools import lru_cache

ATOMS = 100_000_000
"""Atoms in one unit of an asset; every asset has eight decimals."""

DECIMAL_RANGE = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
MOST_DIGITS = 20
"""On either side of the point."""


def fixed8(atoms: int) -> str:
    """Eight decimals, as Binance prints every price, quantity and amount: 1 -> "0.00000001"."""
    if atoms < 0:
        return f"-{-atoms // ATOMS}.{-atoms % ATOMS:08d}"
    whole, rest = divmod(atoms, ATOMS)
    return f"{whole}.{rest:08d}"


def parse_decimal(text: str) -> int | None:
    """Atoms of a decimal string; None where it is none. Raises OverflowError past eight decimals."""
    whole, point, fraction = text.partition(".")
    if not (text.isascii() and whole.isdigit() and (fraction.isdigit() or not point)):
        return None
    if len(whole) > MOST_DIGITS or len(fraction) > MOST_DIGITS:
        return None
    if len(fraction) > 8:
        fraction = fraction.rstrip("0")
        if len(fraction) > 8:
            raise OverflowError(text)
    return int(whole + fraction.ljust(8, "0"))


@lru_cache(maxsize=1000)
def atoms(value: Decimal) -> int:
    """Atoms of an exact Decimal. Raises ValueError for more than eight decimals.

    The filters of accounts ask it of the same few settings with every order, hence the cache.
    """
    scaled = value * ATOMS
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than eight decimals")
    return int(scaled)
