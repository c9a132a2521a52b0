"""BookSync: one order book from snapshots and numbered deltas: right at its update id, or stale."""

from bisect import insort
from collections import deque

from connectors.market_data.coverage import Coverage
from market.book import Book
from market.levels import MAX_INT, unpack_levels
from market.scale import Scale, in_scale, rescale_levels
from protocol import BookDelta, BookSnapshot, BookStatus, StreamState, TopOfBook

MAX_BUFFERED = 1_000  # deltas kept while a snapshot is on its way: 100 s of them at ten a second
MAX_HELD = 20  # deltas of one connection kept while another may still bring those before them
JUMP_PART = 5  # a mid that moves by more than a fifth in one delta is not accepted without a snapshot
MAX_TOPS = 256  # best prices of another stream, kept until the book reaches their update ids
TAIL = 8  # deltas kept: a snapshot requested now may be this much older than the book
MAX_RECENT = 1_000  # deltas kept while a snapshot is on its way, to bring it up to date
NOTHING = -1  # the update id of a book that is not right
MAX_OLDER = 2  # snapshots in a row older than our book; after that the exchange has begun to count anew

Change = BookDelta | BookSnapshot | BookStatus


class BookSync:
    """Each `on_` method returns the change to publish, or None. `needs_snapshot`: a snapshot must be requested.

    Sizes in deltas are absolute. While the book is live, the next delta must begin exactly one id after the last; the
    first delta after a snapshot, and those of a second connection (`two_streams`), may begin earlier. A gap makes the
    book stale on the very delta that shows it; deltas are kept until they join again, to a late delta or to a
    snapshot. A snapshot with a limit describes that many levels only: when the price comes near the last one,
    `wants_refresh` requests another snapshot while the book is live.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.book = Book()
        self.state = StreamState.STALE
        self.reason = "no snapshot yet"
        self.update_id = NOTHING  # the id at which `book` is right, whatever the state
        self.ts_event_ns = 0  # of the snapshot
        self.needs_snapshot = True
        self.wants_refresh = False
        self.two_streams = False
        self.gaps = self.resyncs = self.ignored = self.dropped = self.refused = 0
        self._is_plain = False  # live, and no delta is pending
        self._bid_ticks = self._ask_ticks = self._mid_x2 = 0  # at the last validation
        self._low_x2 = self._high_x2 = 0  # lowest and highest mid of this connection that was found right
        self._pending: list[tuple[int, int, BookDelta]] = []  # by first id, then by arrival
        self._arrivals = 0
        self._older = 0
        self._tops: dict[int, TopOfBook] = {}
        self._recent: deque[BookDelta] = deque()
        self._coverage = Coverage()
        self._scale: Scale | None = None  # of every message; None before the market's rules are known

    # -- scale ------------------------------------------------------------------------------------------

    def fits(self, price_factor: int, size_factor: int) -> bool:
        """Whether the book may be counted in ticks and lots that are smaller by these factors."""
        levels = [level for packed in self.book.snapshot() for level in unpack_levels(packed)]
        price, size = (max((level[n] for level in levels), default=0) for n in (0, 1))
        return price * price_factor <= MAX_INT and size * size_factor <= MAX_INT

    def set_scale(self, scale: Scale) -> BookStatus | None:
        """Count in `scale` from now on, which is as fine as the scale before or finer.

        Returns a status if the book is too large for it.
        """
        before, self._scale = self._scale, scale
        if before is None or before == scale:
            return None
        factors = before.factors_to(scale)
        try:
            self._convert(scale, *factors)
        except ValueError as error:
            self.book.clear()
            self._recent.clear()
            self._pending.clear()
            self._tops.clear()
            return self.invalidate(f"the scale is too fine for this book: {error}")
        return None

    def _convert(self, scale: Scale, price_factor: int, size_factor: int) -> None:
        bids, asks = (rescale_levels(packed, price_factor, size_factor) for packed in self.book.snapshot())
        recent = [in_scale(delta, scale) for delta in self._recent]
        pending = [(first, arrival, in_scale(delta, scale)) for first, arrival, delta in self._pending]
        self.book.apply_snapshot(bids, asks)
        self._recent, self._pending = deque(recent), pending
        self._tops = {update_id: in_scale(top, scale) for update_id, top in self._tops.items()}
        self._bid_ticks *= price_factor
        self._ask_ticks *= price_factor
        self._mid_x2 *= price_factor
        self._low_x2 *= price_factor
        self._high_x2 *= price_factor
        self._coverage.rescale(price_factor)

    # -- deltas -----------------------------------------------------------------------------------------

    def on_delta(self, delta: BookDelta) -> Change | None:
        """Apply one delta. Returns it, a status (stale now), a whole book (live again), or None."""
        if delta.first_id != self.update_id + 1 or not self._is_plain:
            return self._on_irregular(delta)
        self.update_id = update_id = delta.update_id
        recent = self._recent
        recent.append(delta)
        while len(recent) > TAIL and (not self.wants_refresh or len(recent) > MAX_RECENT):
            recent.popleft()
        book = self.book
        if not book.apply_delta(delta.bids, delta.asks) and update_id not in self._tops:
            return delta
        # This runs for every frame, and the best prices mostly are the same as at the last validation.
        if book.best_bid_ticks != self._bid_ticks or book.best_ask_ticks != self._ask_ticks or update_id in self._tops:
            why = self._validate()
            if why:
                return self.invalidate(why)
        return delta

    def _on_irregular(self, delta: BookDelta) -> Change | None:
        if delta.update_id <= self.update_id:
            self.ignored += 1
            return None
        if self.state is StreamState.LIVE and delta.first_id <= self.update_id + 1:
            return self._overlap(delta)
        self._keep(delta)
        if self.state is StreamState.LIVE:
            if self.two_streams and len(self._pending) < MAX_HELD:
                self._is_plain = False
                return None  # the other connection may still bring the missing delta
            return self._gap()
        return self._catch_up() if self.state is StreamState.STALE else None

    def _overlap(self, delta: BookDelta) -> Change | None:
        """A delta that joins a live book and may overlap it: the first one after a snapshot, or one of two streams."""
        if delta.first_id <= self.update_id and not self.two_streams and self._recent:
            self.gaps += 1
            return self.invalidate(f"overlap: {self.update_id} then {delta.first_id}")
        why = self._apply(delta)
        if why:
            return self.invalidate(why)
        if not self._pending:
            return delta
        change = self._catch_up()
        if change is None and self.state is StreamState.LIVE:
            return delta if self.update_id == delta.update_id else self.whole()
        return change

    def _keep(self, delta: BookDelta) -> None:
        self._arrivals += 1
        insort(self._pending, (delta.first_id, self._arrivals, delta))
        if len(self._pending) > MAX_BUFFERED:
            del self._pending[0]
            self.dropped += 1

    def _catch_up(self) -> Change | None:
        """Apply pending deltas. Returns the whole book once all are applied; None while one is missing."""
        if self.update_id == NOTHING:
            return None
        for done, (first_id, _, delta) in enumerate(self._pending):
            if delta.update_id <= self.update_id:
                self.ignored += 1
            elif first_id > self.update_id + 1:
                del self._pending[:done]
                return None
            else:
                why = self._apply(delta)
                if why:
                    return self.invalidate(why)
        self._pending.clear()
        return self._live()

    def _apply(self, delta: BookDelta) -> str:
        """Apply a delta that joins the book. Returns why the result cannot be right, or ""."""
        self.update_id = delta.update_id
        self._recent.append(delta)
        if len(self._recent) > MAX_RECENT:
            self._recent.popleft()
        self.book.apply_delta(delta.bids, delta.asks)
        return self._validate()

    # -- snapshots ---------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: BookSnapshot, limit: int = 0) -> Change | None:
        """Load a whole book, or its best `limit` levels. Returns it with all later deltas applied.

        Returns None while it does not join them; `needs_snapshot` then stays set.
        """
        if self.state is StreamState.LIVE:
            return self._refresh(snapshot, limit) if self.wants_refresh else None
        if self._is_too_old(snapshot):
            return None
        self._load(snapshot, limit)
        why = self._validate()
        return self.invalidate(why) if why else self._catch_up()

    def on_poll(self, snapshot: BookSnapshot, limit: int = 0) -> Change | None:
        """Load a polled book while there is no stream: it is published as POLLING, and deltas do not continue it."""
        same = snapshot.update_id == self.update_id and self.state is not StreamState.STALE
        if same or snapshot.update_id < self.update_id:
            return None
        self._load(snapshot, limit)
        self.needs_snapshot = True
        why = self._validate()
        if why:
            return self.invalidate(why)
        self._is_plain = False
        self.state, self.reason = StreamState.POLLING, "the stream is down: polling"
        return self.whole()

    def _is_too_old(self, snapshot: BookSnapshot) -> bool:
        """Whether it is older than the book, or leaves a gap before the first kept delta."""
        oldest = self._pending[0][0] if self._pending else 0
        older = snapshot.update_id < self.update_id
        self._older = self._older + 1 if older else 0
        if self._older > MAX_OLDER:
            self.update_id, self._older = NOTHING, 0
            return True
        if older or oldest > snapshot.update_id + 1:
            self.refused += 1
            return True
        return False

    def _load(self, snapshot: BookSnapshot, limit: int) -> None:
        self.book.apply_snapshot(snapshot.bids, snapshot.asks)
        self.update_id = snapshot.update_id
        self.ts_event_ns = snapshot.ts_event_ns
        self._recent.clear()
        self._mid_x2 = 0
        self._coverage = Coverage(snapshot, limit)
        self.wants_refresh = False

    def _refresh(self, snapshot: BookSnapshot, limit: int) -> Change | None:
        """Load a later snapshot for a live book: with the deltas since, it must be the same book, with more levels."""
        later = [delta for delta in self._recent if delta.update_id > snapshot.update_id]
        begins = later[0].first_id if later else self.update_id + 1
        if not begins - 1 <= snapshot.update_id <= self.update_id:
            self.refused += 1
            return None
        book = Book()
        book.apply_snapshot(snapshot.bids, snapshot.asks)
        for delta in later:
            book.apply_delta(delta.bids, delta.asks)
        if _best(book) != _best(self.book):
            return self.invalidate(f"a snapshot brought up to update {self.update_id} differs")
        self.book = book
        self._coverage = Coverage(snapshot, limit)
        self.wants_refresh = False
        while len(self._recent) > TAIL:
            self._recent.popleft()
        return self.whole()

    # -- other evidence ----------------------------------------------------------------------

    def on_top(self, top: TopOfBook) -> BookStatus | None:
        """Compare with the best prices of another stream. Returns a status if the book at their update id differs."""
        if top.update_id > self.update_id:
            tops = self._tops
            tops[top.update_id] = top
            if len(tops) > MAX_TOPS:
                del tops[next(iter(tops))]
        elif top.update_id == self.update_id and self.state is StreamState.LIVE and not self._agrees(top):
            return self.invalidate(f"best prices differ at update {top.update_id}")
        return None

    def on_stream_lost(self, reason: str) -> BookStatus | None:
        """The stream is closed: the book is right at its id, and stale. Returns None if it was stale already."""
        self._pending.clear()
        self._tops.clear()
        self._low_x2 = self._high_x2 = 0
        self._recent.clear()  # the next delta may overlap the book
        self.needs_snapshot = True
        if self.state is StreamState.POLLING:
            self.update_id = NOTHING  # polled books are shallow: deltas may not continue one
        return None if self.state is StreamState.STALE else self._stale(reason)

    def on_one_stream(self) -> BookStatus | None:
        """The other connection is closed: deltas that it did not bring are missing now."""
        self.two_streams = False
        return self._gap() if self._pending and self.state is StreamState.LIVE else None

    def invalidate(self, reason: str) -> BookStatus | None:
        """The book is wrong: only a new snapshot repairs it. Returns None if it was stale already."""
        self.update_id = NOTHING
        self._tops.clear()
        self.reason = reason
        self.needs_snapshot = True
        return None if self.state is StreamState.STALE else self._stale(reason)

    def whole(self) -> BookSnapshot:
        """Returns the whole book, best levels first, with its state."""
        bids, asks = self.book.snapshot()
        event_ns = self._recent[-1].ts_event_ns if self._recent else self.ts_event_ns
        scale = self._scale
        price_digits, size_digits = (-1, -1) if scale is None else (scale.price_digits, scale.size_digits)
        return BookSnapshot(
            self.symbol, self.update_id, bids, asks, event_ns, 0, self.state, price_digits, size_digits
        )  # fmt: skip

    def _validate(self) -> str:
        """Returns why this book cannot be right, or ""."""
        if self._tops:
            top = self._tops.pop(self.update_id, None)
            if top is not None and not self._agrees(top):
                return f"best prices differ at update {self.update_id}"
        coverage, before = self._coverage, self._mid_x2
        self._bid_ticks = bid_ticks = self.book.best_bid_ticks
        self._ask_ticks = ask_ticks = self.book.best_ask_ticks
        self._mid_x2 = mid_x2 = bid_ticks + ask_ticks if bid_ticks and ask_ticks else 0
        if mid_x2 and bid_ticks >= ask_ticks:
            return f"crossed: bid {bid_ticks}, ask {ask_ticks} ticks"
        is_known = self._low_x2 <= mid_x2 <= self._high_x2  # in a thin book the best price may come and go
        if mid_x2 and before and not is_known and JUMP_PART * abs(mid_x2 - before) > before:
            return f"implausible: the mid went from {before // 2} to {mid_x2 // 2} ticks in one update"
        if mid_x2 and not is_known:
            self._low_x2, self._high_x2 = min(self._low_x2 or mid_x2, mid_x2), max(self._high_x2, mid_x2)
        if bid_ticks < coverage.low_ticks or not 0 < ask_ticks <= coverage.high_ticks:
            return self._validate_coverage(bid_ticks, ask_ticks)
        return ""

    def _validate_coverage(self, bid_ticks: int, ask_ticks: int) -> str:
        """Request a refresh near the last known level. Returns why the book is unknown beyond it, or ""."""
        floor_ticks, ceiling_ticks = self._coverage.floor_ticks, self._coverage.ceiling_ticks
        if bid_ticks < floor_ticks or (ceiling_ticks and not 0 < ask_ticks <= ceiling_ticks):
            return "the price is beyond the levels of the snapshot"
        self.wants_refresh = bool(floor_ticks or ceiling_ticks)
        return ""

    def _agrees(self, top: TopOfBook) -> bool:
        return _best(self.book) == (top.bid_ticks, top.bid_lots, top.ask_ticks, top.ask_lots)

    def _stale(self, reason: str) -> BookStatus:
        self._is_plain = False
        self.state, self.reason = StreamState.STALE, reason
        self.needs_snapshot = True
        return BookStatus(self.symbol, StreamState.STALE, reason)

    def _gap(self) -> BookStatus:
        self.gaps += 1
        return self._stale(f"gap: {self.update_id} then {self._pending[0][0]}")

    def _live(self) -> BookSnapshot:
        self._is_plain = True
        self.state, self.reason = StreamState.LIVE, ""
        self.needs_snapshot = False
        self.resyncs += 1
        return self.whole()


def _best(book: Book) -> tuple[int, int, int, int]:
    return book.best_bid_ticks, book.best_bid_lots, book.best_ask_ticks, book.best_ask_lots
