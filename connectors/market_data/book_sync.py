"""One order book out of snapshots and numbered diffs: right at its update id, or known to be stale."""

from bisect import insort
from collections import deque

from connectors.market_data.coverage import Reach
from market.book import Book
from protocol import BookDelta, BookSnapshot, BookStatus, StreamState, TopOfBook

MAX_BUFFERED = 1_000  # diffs kept while a snapshot is on its way: 100 s of them at ten a second
MAX_HELD = 20  # diffs of one connection kept while another may still bring those before them
JUMP_PART = 5  # a mid that moves by more than a fifth in one diff is not believed without a snapshot
MAX_TOPS = 256  # of another stream, kept to compare with the book once it is at their update ids
TAIL = 8  # diffs kept: a snapshot that is asked for now may be so much older than the book
MAX_RECENT = 1_000  # and, while one is awaited, to bring it up to date with
NOTHING = -1  # the update id of a book that is right at none
MAX_OLDER = 2  # snapshots in a row older than our book; then the exchange has begun to count anew

Told = BookDelta | BookSnapshot | BookStatus


class BookSync:
    """Feed it what comes; publish what it returns. `needs_snapshot` says when to ask for one.

    Sizes in diffs are absolute. Live, the next diff must begin exactly one id after the last; the first diff
    after a snapshot, and those of a second connection (`two_streams`), may begin earlier. A hole makes the book
    stale on the very diff that shows it; diffs are kept until they join again, to one that was late or to a
    snapshot. A snapshot that was cut off tells of so many levels only: as the price comes near their end,
    `wants_refresh` asks for another while the book is live.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.book = Book()
        self.state = StreamState.STALE
        self.reason = "no snapshot yet"
        self.update_id = NOTHING  # what `book` is right at, whatever the state
        self.ts_event_ns = 0  # of the snapshot
        self.needs_snapshot = True
        self.wants_refresh = False
        self.two_streams = False
        self.gaps = self.resyncs = self.ignored = self.dropped = self.refused = 0
        self._is_plain = False  # live, and nothing is waiting
        self._bid_ticks = self._ask_ticks = self._mid_x2 = 0  # when last judged
        self._pending: list[tuple[int, int, BookDelta]] = []  # by first id, then as they came
        self._arrivals = 0
        self._older = 0
        self._tops: dict[int, TopOfBook] = {}
        self._recent: deque[BookDelta] = deque()
        self._reach = Reach()

    # -- diffs -------------------------------------------------------------------------------------------

    def feed(self, delta: BookDelta) -> Told | None:
        """One diff. What to publish: itself, a status (stale now), a whole book (live again), or nothing."""
        if delta.first_id != self.update_id + 1 or not self._is_plain:
            return self._out_of_line(delta)
        self.update_id = update_id = delta.update_id
        recent = self._recent
        recent.append(delta)
        while len(recent) > TAIL and (not self.wants_refresh or len(recent) > MAX_RECENT):
            recent.popleft()
        book = self.book
        if not book.apply_delta(delta.bids, delta.asks) and update_id not in self._tops:
            return delta
        # This runs for every frame, and the best prices mostly stay what they were when they were last judged.
        if book.best_bid_ticks != self._bid_ticks or book.best_ask_ticks != self._ask_ticks or update_id in self._tops:
            why = self._judge()
            if why:
                return self.distrust(why)
        return delta

    def _out_of_line(self, delta: BookDelta) -> Told | None:
        if delta.update_id <= self.update_id:
            self.ignored += 1
            return None
        if self.state is StreamState.LIVE and delta.first_id <= self.update_id + 1:
            return self._overlap(delta)
        self._keep(delta)
        if self.state is StreamState.LIVE:
            if self.two_streams and len(self._pending) < MAX_HELD:
                self._is_plain = False
                return None  # the other connection may yet bring what is missing here
            return self._gap()
        return self._catch_up() if self.state is StreamState.STALE else None

    def _overlap(self, delta: BookDelta) -> Told | None:
        """A diff that joins a live book, and may reach back over what is in it: right after a snapshot, or of two."""
        if delta.first_id <= self.update_id and not self.two_streams and self._recent:
            self.gaps += 1
            return self.distrust(f"overlap: {self.update_id} then {delta.first_id}")
        why = self._apply(delta)
        if why:
            return self.distrust(why)
        if not self._pending:
            return delta
        told = self._catch_up()
        if told is None and self.state is StreamState.LIVE:
            return delta if self.update_id == delta.update_id else self.whole()
        return told

    def _keep(self, delta: BookDelta) -> None:
        self._arrivals += 1
        insort(self._pending, (delta.first_id, self._arrivals, delta))
        if len(self._pending) > MAX_BUFFERED:
            del self._pending[0]
            self.dropped += 1

    def _catch_up(self) -> Told | None:
        """Apply what joins. The whole book if that was all there is; None if a piece is missing."""
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
                    return self.distrust(why)
        self._pending.clear()
        return self._live()

    def _apply(self, delta: BookDelta) -> str:
        """Put a diff that joins into the book; why the outcome cannot be right, or ''."""
        self.update_id = delta.update_id
        self._recent.append(delta)
        if len(self._recent) > MAX_RECENT:
            self._recent.popleft()
        self.book.apply_delta(delta.bids, delta.asks)
        return self._judge()

    # -- snapshots ---------------------------------------------------------------------------------------

    def snapshot(self, snapshot: BookSnapshot, limit: int = 0) -> Told | None:
        """A whole book, or its best `limit` levels. What to publish: it, with all later diffs in.

        Nothing while it does not join them: `needs_snapshot` then stays set.
        """
        if self.state is StreamState.LIVE:
            return self._refresh(snapshot, limit) if self.wants_refresh else None
        if self._is_too_old(snapshot):
            return None
        self._load(snapshot, limit)
        why = self._judge()
        return self.distrust(why) if why else self._catch_up()

    def poll(self, snapshot: BookSnapshot, limit: int = 0) -> Told | None:
        """A book from polling, while there is no stream: published as such, and no base for diffs."""
        same = snapshot.update_id == self.update_id and self.state is not StreamState.STALE
        if same or snapshot.update_id < self.update_id:
            return None
        self._load(snapshot, limit)
        self.needs_snapshot = True
        why = self._judge()
        if why:
            return self.distrust(why)
        self._is_plain = False
        self.state, self.reason = StreamState.POLLING, "the stream is down: polling"
        return self.whole()

    def _is_too_old(self, snapshot: BookSnapshot) -> bool:
        """Older than the book, or with a hole before the first diff that was kept."""
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
        self._reach = Reach(snapshot, limit)
        self.wants_refresh = False

    def _refresh(self, snapshot: BookSnapshot, limit: int) -> Told | None:
        """A later snapshot for a live book: with the diffs since, it must be the same book, and reach further."""
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
            return self.distrust(f"a snapshot brought up to update {self.update_id} differs")
        self.book = book
        self._reach = Reach(snapshot, limit)
        self.wants_refresh = False
        while len(self._recent) > TAIL:
            self._recent.popleft()
        return self.whole()

    # -- what is known from elsewhere ----------------------------------------------------------------------

    def top(self, top: TopOfBook) -> BookStatus | None:
        """The best prices at an update id, from another stream: a status if the book at that id differs."""
        if top.update_id > self.update_id:
            tops = self._tops
            tops[top.update_id] = top
            if len(tops) > MAX_TOPS:
                del tops[next(iter(tops))]
        elif top.update_id == self.update_id and self.state is StreamState.LIVE and not self._agrees(top):
            return self.distrust(f"best prices differ at update {top.update_id}")
        return None

    def lost(self, reason: str) -> BookStatus | None:
        """The stream is gone: what we have is right at its id, and old. None if it was known to be stale."""
        self._pending.clear()
        self._tops.clear()
        self._recent.clear()  # the first diff to come may reach back
        self.needs_snapshot = True
        if self.state is StreamState.POLLING:
            self.update_id = NOTHING  # polled books are shallow: nothing may be built on one
        return None if self.state is StreamState.STALE else self._stale(reason)

    def one_stream(self) -> BookStatus | None:
        """The other connection is gone: what it did not bring is missing now."""
        self.two_streams = False
        return self._gap() if self._pending and self.state is StreamState.LIVE else None

    def distrust(self, reason: str) -> BookStatus | None:
        """The book is wrong: only a new snapshot makes it good. None if it was known to be stale."""
        self.update_id = NOTHING
        self._tops.clear()
        self.reason = reason
        self.needs_snapshot = True
        return None if self.state is StreamState.STALE else self._stale(reason)

    def whole(self) -> BookSnapshot:
        """The book as it stands, best levels first, with the state it is in."""
        bids, asks = self.book.snapshot()
        event_ns = self._recent[-1].ts_event_ns if self._recent else self.ts_event_ns
        return BookSnapshot(self.symbol, self.update_id, bids, asks, event_ns, 0, self.state)

    def _judge(self) -> str:
        """Why this book cannot be right or known, or ''."""
        if self._tops:
            top = self._tops.pop(self.update_id, None)
            if top is not None and not self._agrees(top):
                return f"best prices differ at update {self.update_id}"
        reach, before = self._reach, self._mid_x2
        self._bid_ticks = bid_ticks = self.book.best_bid_ticks
        self._ask_ticks = ask_ticks = self.book.best_ask_ticks
        self._mid_x2 = mid_x2 = bid_ticks + ask_ticks if bid_ticks and ask_ticks else 0
        if mid_x2 and bid_ticks >= ask_ticks:
            return f"crossed: bid {bid_ticks}, ask {ask_ticks} ticks"
        if mid_x2 and before and JUMP_PART * abs(mid_x2 - before) > before:
            return f"absurd: the mid went from {before // 2} to {mid_x2 // 2} ticks in one update"
        if bid_ticks < reach.low_ticks or not 0 < ask_ticks <= reach.high_ticks:
            return self._judge_reach(bid_ticks, ask_ticks)
        return ""

    def _judge_reach(self, bid_ticks: int, ask_ticks: int) -> str:
        """Near the end of what is known, or beyond it?"""
        floor_ticks, ceiling_ticks = self._reach.floor_ticks, self._reach.ceiling_ticks
        if bid_ticks < floor_ticks or (ceiling_ticks and not 0 < ask_ticks <= ceiling_ticks):
            return "beyond the levels that the snapshot told of"
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
