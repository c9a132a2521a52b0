"""The trading domain: instruments, order books, matching and positions. Pure, and in integers."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
from market.book import Book
from market.instrument import Instrument, OffTick, Rounding
from market.levels import pack_levels, parse_levels, unpack_levels
from market.matching import Matching
from market.position import Position
from market.rules import instrument_of

__all__ = [
    "Book",
    "Instrument",
    "Matching",
    "OffTick",
    "Position",
    "Rounding",
    "instrument_of",
    "pack_levels",
    "parse_levels",
    "unpack_levels",
]
