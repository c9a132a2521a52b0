"""A measuring process: recorded depth frames through the Binance parser and sequence check into our order book."""

import sys
import time
from decimal import Decimal
from typing import Any

from benchmarks.frames import recorded_frames
from benchmarks.worker import serve
from connectors.binance.parse import IMPLEMENTATION, new_parser
from connectors.market_data.book_sync import BookSync
from market.book import IMPLEMENTATION as BOOK_IMPLEMENTATION
from market.instrument import Instrument
from protocol import StreamState

NAME = "BTCUSDT"
# The recorded book has a size below a lot, so its lots have all eight digits.
RULES = Instrument("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), size_digits=8)


def measure(parser: Any, snapshot: bytes, frames: list[bytes]) -> dict[str, Any]:
    """Sets the book to the snapshot, then applies all deltas, from the raw frame to the updated book.

    Returns updates per second of processor time; other processes on the core do not count.
    """
    sync = BookSync(RULES.symbol)
    sync.on_snapshot(parser.parse_snapshot(NAME, snapshot, 0))
    parse, feed = parser.parse, sync.on_delta
    start_ns = time.process_time_ns()
    for frame in frames:
        for message in parse(frame, 0):
            feed(message)
    took_ns = time.process_time_ns() - start_ns
    assert sync.state is StreamState.LIVE, f"the recorded book is {sync.state.name}: {sync.reason}"
    book = sync.book
    top = (book.best_bid_ticks, book.best_bid_lots, book.best_ask_ticks, book.best_ask_lots)
    units = (RULES.scale.tick, RULES.scale.lot) * 2
    best = [float(number * unit) for number, unit in zip(top, units, strict=True)]
    detail = {"parser": IMPLEMENTATION, "book": BOOK_IMPLEMENTATION, "outcome": [sync.update_id, best]}
    return {"updates_per_s": len(frames) / took_ns * 1e9, "detail": detail}


def main(path: str) -> None:
    snapshot, frames = recorded_frames(path)
    parser = new_parser()
    parser.add_market(NAME, RULES)
    serve(lambda: measure(parser, snapshot, frames))


if __name__ == "__main__":
    main(sys.argv[1])
