"""Scale: the unit in which the prices and sizes of one market are counted, and conversion to a finer scale.

One tick is 10**-price_digits of quote, one lot is 10**-size_digits of base. The exchange's rules (`tick_size`,
`lot_size`) are multiples of them, and may change at any time: see docs/decisions/units.md.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from market.exact import EXACT, scale_of
from market.levels import MAX_DIGITS, MAX_INT, pack_levels, unpack_levels
from protocol import Message

PACKED = ("bids", "asks")

T = TypeVar("T", bound=Message)


class FinerValue(ValueError):
    """A number has more digits than the scale. `price_digits` or `size_digits`: the digits that it needs."""

    def __init__(self, text: str, price_digits: int = 0, size_digits: int = 0) -> None:
        super().__init__(text)
        self.price_digits = price_digits
        self.size_digits = size_digits


class Scale(msgspec.Struct, frozen=True, gc=False):
    """The digits of one market's ticks and lots. A scale is only ever replaced by a finer one (`join`)."""

    price_digits: int
    size_digits: int

    @classmethod
    def of_steps(cls, tick_size: Decimal, lot_size: Decimal) -> "Scale":
        """The coarsest scale of which both steps are multiples. Raises ValueError for more than MAX_DIGITS digits."""
        scale = cls(scale_of(tick_size)[0], scale_of(lot_size)[0])
        if max(scale.price_digits, scale.size_digits) > MAX_DIGITS:
            raise ValueError(f"tick {tick_size} or lot {lot_size} needs more than {MAX_DIGITS} digits")
        return scale

    @property
    def tick(self) -> Decimal:
        """One tick in quote."""
        return Decimal(1).scaleb(-self.price_digits, EXACT)

    @property
    def lot(self) -> Decimal:
        """One lot in base."""
        return Decimal(1).scaleb(-self.size_digits, EXACT)

    @property
    def tick_lot(self) -> Decimal:
        """One tick * lot in quote."""
        return Decimal(1).scaleb(-self.price_digits - self.size_digits, EXACT)

    def join(self, other: "Scale") -> "Scale":
        """The coarsest scale that is as fine as both."""
        return Scale(max(self.price_digits, other.price_digits), max(self.size_digits, other.size_digits))

    def factors_to(self, finer: "Scale") -> tuple[int, int]:
        """(ticks of `finer` in one tick, lots of `finer` in one lot). Raises ValueError if `finer` is coarser."""
        price_digits = finer.price_digits - self.price_digits
        size_digits = finer.size_digits - self.size_digits
        if price_digits < 0 or size_digits < 0:
            raise ValueError(f"{finer} is coarser than {self}")
        return 10**price_digits, 10**size_digits

    def ticks(self, price: Decimal) -> int:
        """A price in ticks. Raises FinerValue if it has more digits."""
        scaled = price.scaleb(self.price_digits, EXACT)
        ticks = int(scaled)
        if ticks != scaled:
            text = f"price {price} has more than {self.price_digits} digits"
            raise FinerValue(text, price_digits=digits_of(price))
        return ticks

    def lots(self, size: Decimal) -> int:
        """A size in lots. Raises FinerValue if it has more digits."""
        scaled = size.scaleb(self.size_digits, EXACT)
        lots = int(scaled)
        if lots != scaled:
            raise FinerValue(f"size {size} has more than {self.size_digits} digits", size_digits=digits_of(size))
        return lots


def digits_of(value: Decimal) -> int:
    """The number of decimal places that a value needs: 2 for 1.2500, 0 for 1E+3."""
    return scale_of(value)[0] if value > 0 else 0 if not value else scale_of(-value)[0]


def scale_of_message(message: Any) -> Scale | None:
    """The scale of a message's integers; None for a message of an earlier version, which does not contain it."""
    price_digits: int = message.price_digits
    return None if price_digits < 0 else Scale(price_digits, message.size_digits)


def rescale_levels(packed: bytes, price_factor: int, size_factor: int) -> bytes:
    """Packed levels with multiplied prices and sizes. Raises ValueError above MAX_INT."""
    levels = [(price * price_factor, size * size_factor) for price, size in unpack_levels(packed)]
    for price, size in levels:
        if max(price, size) > MAX_INT:
            raise ValueError(f"levels: price {price} or size {size} is too large in the finer scale")
    return pack_levels(levels)


def in_scale(message: T, scale: Scale) -> T:
    """The message with its integers in `scale`. Raises ValueError if that is coarser, or a level is above MAX_INT.

    A message without a scale is assumed to be in `scale` already.
    """
    own = scale_of_message(message)
    if own == scale:
        return message
    return multiplied(message, *(1, 1) if own is None else own.factors_to(scale), scale)


def exactly_in_scale(message: T, scale: Scale) -> T:
    """As `in_scale`, also for a coarser scale. Raises ValueError if a number is between two ticks or lots of it."""
    own = scale_of_message(message)
    if own is None or own == scale:
        return message
    finer = own.join(scale)
    message = in_scale(message, finer)
    price_factor, size_factor = scale.factors_to(finer)
    prices, sizes, _ = _names(type(message))
    changes: dict[str, Any] = {"price_digits": scale.price_digits, "size_digits": scale.size_digits}
    for names, factor in ((prices, price_factor), (sizes, size_factor)):
        for name in names:
            changes[name], rest = divmod(getattr(message, name), factor)
            if rest:
                raise ValueError(f"{name} is between two values of the scale with {scale} digits")
    return msgspec.structs.replace(message, **changes)


def multiplied(message: T, price_factor: int, size_factor: int, scale: Scale) -> T:
    """The message with multiplied prices and sizes, as one in `scale`."""
    prices, sizes, packed = _names(type(message))
    changes: dict[str, Any] = {"price_digits": scale.price_digits, "size_digits": scale.size_digits}
    for name in prices:
        changes[name] = getattr(message, name) * price_factor
    for name in sizes:
        changes[name] = getattr(message, name) * size_factor
    for name in packed:
        changes[name] = rescale_levels(getattr(message, name), price_factor, size_factor)
    return msgspec.structs.replace(message, **changes)


@lru_cache(maxsize=256)
def _names(kind: type[Message]) -> tuple[list[str], list[str], list[str]]:
    """The fields of a message type that are prices, sizes and packed levels."""
    fields = kind.__struct_fields__
    return (
        [name for name in fields if name.endswith("_ticks")],
        [name for name in fields if name.endswith("_lots")],
        [name for name in fields if name in PACKED],
    )
