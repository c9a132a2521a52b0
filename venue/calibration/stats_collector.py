"""StatsCollector: collects the data for MarketStats from the frames of a market."""

from bisect import bisect_left
from collections import defaultdict

from venue.base.units import SECOND_NS, TENTH_NS
from venue.base.venue_errors import BadVenue
from venue.calibration.recording import (
    Levels,
    RecordedDelta,
    RecordedFrame,
    RecordedSnapshot,
    RecordedTop,
    RecordedTrade,
)

ATOMS = 1e8
BANDS_BPS = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 80.0)
"""Edges of the bands of the book, in basis points from the best price; the best price itself is separate."""
MAX_LENGTH_S = 3600
"""Maximum length: of a longer recording the first hour is measured."""

MarketOrder = tuple[int, int, float, int]
"""A market order: the exchange's time in ms, sign, notional, trades."""


class StatsCollector:
    """Call `measure` or `add` with the frames in order, then `market_stats`. Sizes are notionals in the quote asset."""

    def __init__(self) -> None:
        self.start_ns = self.end_ns = self.offset_ns = 0
        self.tick = 0.0
        self.updates = self.trades = self.touch_shrunk = 0
        self.changes_s: dict[int, int] = defaultdict(int)  # level changes by tenth of a second
        self.orders: list[MarketOrder] = []
        self.mids: list[tuple[int, float]] = []
        self.narrow_mids: list[float] = []
        self.wide_ms: list[float] = []
        self.wide_since_ns = 0
        self.known_s = self.narrow_s = self.spread_s = self.touch_s = self.book_s = 0.0
        self.touch_grown: list[float] = []
        self.grown_sizes: list[float] = []
        bands = len(BANDS_BPS) - 1
        self.grown, self.shrunk = [0] * bands, [0] * bands
        self.depth = [(0, 0.0, 0.0)] * bands  # samples, levels, notional
        self.best: RecordedTop | None = None
        self.waiting: list[RecordedTop] = []
        self.books: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.known = (0, 0)  # the lowest and the highest price of the snapshot
        self.book_ns = self.sampled_ns = 0

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / SECOND_NS

    def measure(self, frames: object) -> "StatsCollector":
        """Adds all frames. Raises BadVenue if there is too little to measure."""
        for frame in frames:  # type: ignore[attr-defined]
            self.add(frame)
            if self.seconds > MAX_LENGTH_S:
                break
        if len(self.mids) < 2 or len(self.orders) < 2 or not self.book_s:
            raise BadVenue("recording: book, best prices or trades are missing: record depth, bookTicker and trade")
        return self

    def add(self, frame: RecordedFrame) -> None:
        """Adds one frame."""
        self.start_ns = self.start_ns or frame.ts_ns
        self.end_ns = frame.ts_ns
        if isinstance(frame, RecordedTop):
            self._best(frame)
        elif isinstance(frame, RecordedTrade):
            self._trade(frame)
        elif isinstance(frame, RecordedDelta):
            self._delta(frame)
        else:
            self._snapshot(frame)

    # Each kind of frame

    def _snapshot(self, frame: RecordedSnapshot) -> None:
        if not self.tick:
            self.tick = frame.tick_atoms / ATOMS
            for best in self.waiting:
                self._best(best)
            self.waiting.clear()
        self.books = (dict(frame.bids), dict(frame.asks))
        self.known = (frame.bids[-1][0], frame.asks[-1][0])
        self.book_ns = self.sampled_ns = frame.ts_ns

    def _trade(self, frame: RecordedTrade) -> None:
        self.trades += 1
        self.offset_ns = self.offset_ns or frame.time_ms * 1_000_000 - frame.ts_ns
        notional = frame.price / ATOMS * (frame.size / ATOMS)
        if self.orders and self.orders[-1][:2] == (frame.time_ms, frame.sign):
            _, _, sum_notional, number = self.orders.pop()
            self.orders.append((frame.time_ms, frame.sign, sum_notional + notional, number + 1))
        else:
            self.orders.append((frame.time_ms, frame.sign, notional, 1))

    def _best(self, frame: RecordedTop) -> None:
        if not self.tick:  # before the snapshot
            self.waiting.append(frame)
            return
        before, self.best = self.best, frame
        mid = (frame.bid + frame.ask) / 2 / ATOMS
        self.mids.append((frame.ts_ns, mid))
        is_narrow = self._is_narrow(frame)
        if is_narrow:
            self.narrow_mids.append(mid)
        if before is None:
            return
        lasted_s = (frame.ts_ns - before.ts_ns) / SECOND_NS
        self.known_s += lasted_s
        self.narrow_s += lasted_s if self._is_narrow(before) else 0.0
        self.spread_s += lasted_s * (before.ask - before.bid) / ATOMS
        self.touch_s += lasted_s * (before.bid_size + before.ask_size) / ATOMS * mid
        if self._is_narrow(before) and not is_narrow:
            self.wide_since_ns = frame.ts_ns
        elif is_narrow and self.wide_since_ns:
            self.wide_ms.append((frame.ts_ns - self.wide_since_ns) / 1e6)
            self.wide_since_ns = 0
        if (before.bid, before.ask) == (frame.bid, frame.ask):
            for grown in (frame.bid_size - before.bid_size, frame.ask_size - before.ask_size):
                if grown > 0:
                    self.touch_grown.append(grown / ATOMS * mid)
                self.touch_shrunk += grown < 0

    def _is_narrow(self, best: RecordedTop) -> bool:
        return (best.ask - best.bid) / ATOMS < 1.5 * self.tick

    def _delta(self, frame: RecordedDelta) -> None:
        self.updates += frame.last_id - frame.first_id + 1
        self.changes_s[(frame.ts_ns - self.start_ns) // TENTH_NS] += len(frame.bids) + len(frame.asks)
        if not self.book_ns:
            return
        for index, changed in enumerate((frame.bids, frame.asks)):
            if self.books[index]:
                self._apply(index, changed)
        self.book_s = (frame.ts_ns - self.book_ns) / SECOND_NS
        if frame.ts_ns - self.sampled_ns >= SECOND_NS:
            self.sampled_ns = frame.ts_ns
            self._sample(0)
            self._sample(1)

    # The book

    def _apply(self, index: int, changed: Levels) -> None:
        book, best = self.books[index], self._best_of(index)
        for price, size in changed:
            before = book.get(price, 0)
            band = self._band(index, price, best)
            if band is not None and size != before:
                (self.grown if size > before else self.shrunk)[band] += 1
                if size > before:
                    self.grown_sizes.append((size - before) / ATOMS * (price / ATOMS))
            if size:
                book[price] = size
            else:
                book.pop(price, None)

    def _best_of(self, index: int) -> int:
        return min(self.books[1]) if index else max(self.books[0])

    def _band(self, index: int, price: int, best: int) -> int | None:
        """The band of a price; None at the best price, before it and beyond the last band."""
        distance = (price - best if index else best - price) / best * 1e4
        if distance <= 0 or distance > BANDS_BPS[-1]:
            return None
        return bisect_left(BANDS_BPS, distance) - 1

    def _sample(self, index: int) -> None:
        """Counts the levels of each band that the snapshot covers."""
        book = self.books[index]
        if not book:
            return
        best = self._best_of(index)
        bands = len(BANDS_BPS) - 1
        levels, notional = [0] * bands, [0.0] * bands
        for price, size in book.items():
            band = self._band(index, price, best)
            if band is not None:
                levels[band] += 1
                notional[band] += size / ATOMS * (price / ATOMS)
        reach = abs(self.known[index] - best) / best * 1e4
        for band in range(bands):
            if BANDS_BPS[band + 1] <= reach and (self.known[index] - best) * (1 if index else -1) > 0:
                seen, sum_levels, sum_notional = self.depth[band]
                self.depth[band] = (seen + 1, sum_levels + levels[band], sum_notional + notional[band])
