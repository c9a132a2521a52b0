"""A measuring process: the average price of taking 100 levels, by our book or by numpy on the same levels."""

import sys
import time
from typing import Any

import numpy as np

from benchmarks.worker import serve
from market.book import IMPLEMENTATION, Book
from market.levels import pack_levels, unpack_levels
from protocol import Side

LEVELS = 100
BOOK_LEVELS = 1000
CALLS = 50_000
BEST_ASK_TICKS = 6_170_000


def asks(count: int = BOOK_LEVELS) -> bytes:
    """Returns packed levels, best first, with uneven sizes and gaps, as on BTC-USDT (tick 0.01, lot 0.00001)."""
    return pack_levels((BEST_ASK_TICKS + index * 3 + index % 2, 1 + (index * 7919) % 250_000) for index in range(count))


def lots_of_levels(packed: bytes, levels: int = LEVELS) -> int:
    """Returns a number of lots that ends within the last of `levels`."""
    sizes = [size_lots for _price_ticks, size_lots in unpack_levels(packed)[:levels]]
    return sum(sizes) - sizes[-1] // 2


def numpy_vwap(prices_ticks: "np.ndarray[Any, Any]", sizes_lots: "np.ndarray[Any, Any]", lots: int) -> float:
    """The yardstick: a cumulative sum, a search, a dot product."""
    filled = np.cumsum(sizes_lots)
    last = np.searchsorted(filled, lots)
    before = filled[last - 1] if last else 0
    return float((prices_ticks[:last] @ sizes_lots[:last] + prices_ticks[last] * (lots - before)) / lots)


def main(side: str) -> None:
    packed = asks()
    lots = lots_of_levels(packed)
    if side == "numpy":
        prices_ticks, sizes_lots = np.frombuffer(packed, dtype="<i8").reshape(-1, 2)[:LEVELS].T.copy()
        serve(lambda: measure(numpy_vwap, prices_ticks, sizes_lots, lots))
    else:
        book = Book()
        book.apply_snapshot(b"", packed)
        serve(lambda: measure(book.vwap, Side.BUY, lots), detail={"implementation": IMPLEMENTATION})


def measure(call: Any, *arguments: Any) -> dict[str, Any]:
    """Returns calls per second of processor time; other processes on the core do not count."""
    start_ns = time.process_time_ns()
    for _ in range(CALLS):
        call(*arguments)
    return {"calls_per_s": CALLS / (time.process_time_ns() - start_ns) * 1e9}


if __name__ == "__main__":
    main(sys.argv[1])
