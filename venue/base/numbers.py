"""Amounts as whole atoms of 10**-8, and the decimal strings of the API; floats are never used."""

from decimal import Decimal
from functools import lru_cache

ATOMS = 100_000_000
"""Atoms in one unit of an asset; every asset has eight decimals."""

DECIMAL_RANGE = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
MAX_DIGITS = 20
"""Maximum number of digits on either side of the decimal point."""


def fixed8(atoms: int) -> str:
    """The amount with eight decimals, as Binance prints prices, quantities and amounts: 1 -> "0.00000001"."""
    if atoms < 0:
        return f"-{-atoms // ATOMS}.{-atoms % ATOMS:08d}"
    whole, rest = divmod(atoms, ATOMS)
    return f"{whole}.{rest:08d}"


def parse_decimal(text: str) -> int | None:
    """The atoms of a decimal string; None for other text. Raises OverflowError for more than eight decimals."""
    whole, point, fraction = text.partition(".")
    if not (text.isascii() and whole.isdigit() and (fraction.isdigit() or not point)):
        return None
    if len(whole) > MAX_DIGITS or len(fraction) > MAX_DIGITS:
        return None
    if len(fraction) > 8:
        fraction = fraction.rstrip("0")
        if len(fraction) > 8:
            raise OverflowError(text)
    return int(whole + fraction.ljust(8, "0"))


@lru_cache(maxsize=1000)
def atoms(value: Decimal) -> int:
    """The atoms of an exact Decimal. Raises ValueError for more than eight decimals.

    Cached: the account filters convert the same few settings for every order.
    """
    scaled = value * ATOMS
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than eight decimals")
    return int(scaled)
