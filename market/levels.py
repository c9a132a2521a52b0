"""Price levels as bytes: packed little-endian int64 pairs (price_ticks, size_lots), and their parsers."""

import re
import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

from market.implementation import FORCE_PLAIN

LEVEL_BYTES = 16
# Of ticks and of lots: exact as a float too, and sums of ticks * lots over 2**20 levels fit 128 bits.
MAX_INT = 2**53 - 1
UNITS_MAX = 2**63 - 1  # of a number in 10**-digits, before the division by its step
MAX_DIGITS = 18

_PAIR = struct.Struct("<qq")
_DECIMAL = rb"([0-9]+)(?:\.([0-9]+))?"
_ONE = re.compile(_DECIMAL + rb"\Z")
_OPEN = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*")
_LEVEL = re.compile(rb'\[~"%b"~,~"%b"~\]~'.replace(b"~", rb"[ \t\r\n]*") % (_DECIMAL, _DECIMAL))
_COMMA = re.compile(rb",[ \t\r\n]*")
_SPACE = re.compile(rb"[ \t\r\n]*")


def pack_levels(levels: Iterable[tuple[int, int]]) -> bytes:
    """Packs (price_ticks, size_lots) pairs, in their order."""
    return b"".join([_PAIR.pack(price_ticks, size_lots) for price_ticks, size_lots in levels])


def unpack_levels(packed: bytes) -> list[tuple[int, int]]:
    """The (price_ticks, size_lots) pairs of packed levels. Raises ValueError if the length is not of whole pairs."""
    if len(packed) % LEVEL_BYTES:
        raise ValueError(f"levels: {len(packed)} bytes are not a multiple of {LEVEL_BYTES}")
    return list(_PAIR.iter_unpack(packed))


def check_levels(packed: bytes) -> list[tuple[int, int]]:
    """Unpacks levels. Raises ValueError if a price is not in 1..MAX_INT or a size not in 0..MAX_INT."""
    if not isinstance(packed, bytes):
        raise TypeError(f"levels: expected bytes, got {type(packed).__name__}")
    levels = unpack_levels(packed)
    for index, (price_ticks, size_lots) in enumerate(levels):
        if not (1 <= price_ticks <= MAX_INT and 0 <= size_lots <= MAX_INT):
            raise ValueError(f"levels: invalid level, index {index}: price {price_ticks}, size {size_lots}")
    return levels


def state_hash(*parts: bytes) -> int:
    """64 bits over the parts and their lengths: equal for equal states, in every process and implementation."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return int.from_bytes(digest.digest(), "little")


def _check_scale(digits: int, step: int) -> None:
    if not (0 <= digits <= MAX_DIGITS and 1 <= step <= MAX_INT):
        raise ValueError(f"levels: invalid scale: {digits} digits (0..{MAX_DIGITS}), step {step} (1..{MAX_INT})")


def _steps(whole: bytes, fraction: bytes | None, digits: int, step: int, floor: bool = False) -> int:
    fraction = fraction or b""
    value = int(whole + fraction[:digits].ljust(digits, b"0"))
    if value > UNITS_MAX:
        raise ValueError(f"{_shown(whole, fraction)} is too large in units of 1e-{digits}")
    if not floor and (value % step or fraction[digits:].strip(b"0")):
        raise ValueError(f"{_shown(whole, fraction)} is not a multiple of {step}e-{digits}")
    value //= step
    if value > MAX_INT:
        raise ValueError(f"{_shown(whole, fraction)} is too large in units of {step}e-{digits}")
    return value


def _shown(whole: bytes, fraction: bytes) -> str:
    return repr(b".".join((whole, fraction))[:40].decode())


def plain_parse_decimal(text: bytes | str, digits: int, step: int = 1) -> int:
    """The plain decimal `text` ("61737.63000000") in units of step * 10**-digits.

    Exact, without Decimal. Raises ValueError if it is not an unsigned decimal, off the step, or above MAX_INT.
    """
    _check_scale(digits, step)
    data = text.encode() if isinstance(text, str) else bytes(text)
    match = _ONE.match(data)
    if match is None:
        raise ValueError(f"not a decimal number: {data[:40]!r}")
    return _steps(match[1], match[2], digits, step)


def plain_scan_levels(
    raw: bytes | memoryview,
    start: int,
    price_digits: int,
    price_step: int,
    size_digits: int,
    size_step: int,
    floor_lots: bool = False,
) -> tuple[bytes, int]:
    """Parse the JSON array of [price, size] string pairs that begins at `start`: (packed levels, end).

    As `parse_levels`, for an array inside a longer text; `end` is the index past it.
    """
    _check_scale(price_digits, price_step)
    _check_scale(size_digits, size_step)
    data = bytes(raw)
    if not 0 <= start <= len(data):
        raise ValueError(f"levels: start {start} is outside the {len(data)} bytes")
    at = _end(_OPEN, data, start)
    levels: list[tuple[int, int]] = []
    while data[at : at + 1] != b"]" or levels:
        match = _LEVEL.match(data, at)
        if match is None:
            raise ValueError(f"levels: not the text of [price, size] string pairs at byte {at}")
        try:
            price_ticks = _steps(match[1], match[2], price_digits, price_step)
            size_lots = _steps(match[3], match[4], size_digits, size_step, floor_lots)
        except ValueError as error:
            raise ValueError(f"levels: at byte {at}: {error}") from None
        if price_ticks == 0:
            raise ValueError(f"levels: price 0 at byte {at}")
        levels.append((price_ticks, size_lots))
        at = match.end()
        if data[at : at + 1] == b"]":
            break
        at = _end(_COMMA, data, at)
    return pack_levels(levels), at + 1


def plain_parse_levels(
    raw: bytes | memoryview,
    price_digits: int,
    price_step: int,
    size_digits: int,
    size_step: int,
    floor_lots: bool = False,
) -> bytes:
    """Packed levels of the JSON text `[["61737.63000000","0.00000000"],...]`, in its order.

    The tick is price_step * 10**-price_digits, the lot size_step * 10**-size_digits. Exact; raises ValueError
    on anything that is not that text (JSON white space is allowed), on values off tick or lot, above MAX_INT,
    and on a price of 0. With floor_lots sizes are rounded down to a lot instead: an exchange that has made
    its lot larger still shows old orders with a remainder that cannot be traded.
    """
    packed, end = plain_scan_levels(raw, 0, price_digits, price_step, size_digits, size_step, floor_lots)
    data = bytes(raw)
    if _end(_SPACE, data, end) != len(data):
        raise ValueError(f"levels: text goes on after the array, at byte {end}")
    return packed


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    if match is None:
        raise ValueError(f"levels: not the text of [price, size] string pairs at byte {at}")
    return match.end()


try:
    from market._levels import (
        fast_parse_decimal,
        fast_parse_levels,
        fast_scan_levels,
    )
except ImportError:
    fast_parse_decimal = fast_parse_levels = fast_scan_levels = None  # type: ignore[assignment]

if TYPE_CHECKING or fast_parse_levels is None or FORCE_PLAIN:
    IMPLEMENTATION = "plain"
    parse_decimal, parse_levels, scan_levels = plain_parse_decimal, plain_parse_levels, plain_scan_levels
else:
    IMPLEMENTATION = "cython"
    parse_decimal, parse_levels, scan_levels = fast_parse_decimal, fast_parse_levels, fast_scan_levels
