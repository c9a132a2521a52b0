"""MarketState: one market of a feed: its book, its latest messages, and when to request what."""

from collections import deque
from collections.abc import Callable

import msgspec

from actors.effects import Effects
from actors.stages import StageTimer
from connectors.core.stages import BOOK, ENCODE, PUBLISH
from connectors.market_data.book_sync import BookSync
from connectors.market_data.lateness import Lateness
from connectors.market_data.settings import FeedSettings
from market.instrument import Instrument
from market.rules import instrument_of, rules_in_scale
from market.scale import Scale
from protocol import BookDelta, BookSnapshot, BookStatus, Message, Rules, StreamState, TopOfBook, Trade, topics

KINDS = ("book", "top", "trade", "rules")
MS_NS = 1_000_000
STEADY_NS = 3_000 * MS_NS  # a book that was right for this time is repaired at once


class Counters(msgspec.Struct):
    """What a feed has received since it started."""

    frames: int = 0
    deltas: int = 0
    trades: int = 0
    tops: int = 0
    duplicates: int = 0
    invalid: int = 0


class MarketState:
    """Applies the messages of one market, and publishes them. Times are the actor's, ns.

    `counters` and `lateness` (of deltas) are shared by the markets of a feed. `changed(market, is_stale)` is called
    after each published change of the book's state.
    """

    __slots__ = (
        "_changed",
        "_counters",
        "_fx",
        "_lateness",
        "_settings",
        "_stages",
        "attempts",
        "book_seq",
        "book_topic",
        "delta_ns",
        "gone",
        "has_request",
        "instrument",
        "invalid_ns",
        "is_doubted",
        "live_ns",
        "lost_ns",
        "poll_ns",
        "probe_ns",
        "retry_ns",
        "rules",
        "rules_topic",
        "subscribed",
        "symbol",
        "sync",
        "top",
        "top_ahead_ns",
        "top_topic",
        "trade_id",
        "trade_topic",
        "updated_ns",
    )  # fmt: skip

    def __init__(
        self,
        fx: Effects,
        symbol: str,
        settings: FeedSettings,
        stages: StageTimer,
        counters: Counters,
        lateness: Lateness,
        changed: Callable[["MarketState", bool], None],
    ) -> None:
        self.symbol = symbol
        self.sync = BookSync(symbol)
        self.rules: Rules | None = None
        self.instrument: Instrument | None = None
        self.top: TopOfBook | None = None
        self.top_ahead_ns = 0  # since when best prices are ahead of the book; 0: they are not
        self.delta_ns = 0  # when the latest delta arrived
        self.is_doubted = False  # its deltas stopped while other markets' came: polled until one arrives again
        self.gone = False  # the exchange has no such market (any more): nothing is requested for it but its rules
        self.invalid_ns: deque[int] = deque(maxlen=settings.invalid_frames_max)  # times of its invalid frames
        self.trade_id = 0
        self.book_seq = 0  # of the last message on the book's topic
        self.subscribed = False
        self.has_request = False  # a snapshot is on its way
        self.attempts = 0
        self.live_ns = 0  # when the book last became right
        self.updated_ns = fx.now_ns  # when the book was last updated, or confirmed
        self.lost_ns = fx.now_ns  # when its stream was lost; 0 while it is up
        self.retry_ns = self.poll_ns = self.probe_ns = 0  # earliest time of the next request of each purpose
        self.book_topic, self.top_topic, self.trade_topic, self.rules_topic = (
            topics.market_data(fx.name, symbol, kind) for kind in KINDS
        )
        self._fx = fx
        self._settings = settings
        self._stages = stages
        self._counters = counters
        self._lateness = lateness
        self._changed = changed

    def topics(self) -> list[tuple[str, str]]:
        """Returns (topic, kind) of each stream of this market."""
        names = self.book_topic, self.top_topic, self.trade_topic, self.rules_topic
        return list(zip(names, KINDS, strict=True))

    def top_id(self) -> int:
        """Returns the update id of the latest best prices; 0 if there are none."""
        return self.top.update_id if self.top is not None else 0

    def set_scale(self, scale: Scale) -> None:
        """Count in a scale that is as fine as the one before, or finer; publish the rules in it."""
        change = self.sync.set_scale(scale)
        if self.rules is not None and self.instrument is not None and self.instrument.scale != scale:
            self.rules = rules_in_scale(self.rules, scale)
            self.instrument = instrument_of(self.rules)
            self._fx.publish(self.rules_topic, self.rules)
        self.publish(change)

    # -- messages of the stream -------------------------------------------------------------------------------

    def on_delta(self, delta: BookDelta) -> None:
        """Apply a delta, and publish it if it continues the book."""
        fx, stages = self._fx, self._stages
        change = self.sync.on_delta(delta)
        stages.lap(BOOK)
        now_ns = self.updated_ns = self.delta_ns = fx.now_ns
        self._counters.deltas += 1
        if self.is_doubted:
            self.is_doubted = False
            self.stream_back()
        self._lateness.add(now_ns, delta.ts_event_ns)
        if self.top_ahead_ns:
            self.top_ahead_ns = now_ns if self.top_id() > delta.update_id else 0
        if change is delta:
            self.book_seq = fx.publish(self.book_topic, delta)
            stages.lap(ENCODE)
            fx.queue(stages.lap, PUBLISH)
        else:
            self.publish(change)

    def on_top(self, top: TopOfBook) -> None:
        """Publish best prices, and compare the book with them."""
        if top.update_id <= self.top_id():
            self._counters.duplicates += 1
            return
        self._counters.tops += 1
        self.top = top
        if not self.top_ahead_ns and top.update_id > self.sync.update_id:
            self.top_ahead_ns = self._fx.now_ns
        self._fx.publish(self.top_topic, top)
        self.publish(self.sync.on_top(top))

    def on_trade(self, trade: Trade) -> None:
        """Publish a trade, once."""
        if trade.trade_id <= self.trade_id:
            self._counters.duplicates += 1
            return
        self._counters.trades += 1
        self.trade_id = trade.trade_id
        self._fx.publish(self.trade_topic, trade)

    # -- the state of the book --------------------------------------------------------------------------------

    def publish(self, change: BookDelta | BookSnapshot | BookStatus | None) -> None:
        """Publish a change of the book's state, if there is one."""
        if change is None:
            return
        self.book_seq = self._fx.publish(self.book_topic, change)
        now_ns = self._fx.now_ns
        self.top_ahead_ns = 0
        is_stale = isinstance(change, BookStatus)
        if isinstance(change, BookStatus):
            self._fx.log.warning("book is stale", market=self.symbol, reason=change.reason)
            if now_ns - self.live_ns < STEADY_NS:
                self.back_off()  # stale again so soon: not at the pace of the deltas
            else:
                self.attempts = self.retry_ns = 0
        elif self.sync.state is StreamState.LIVE:
            self.live_ns = now_ns
        self._changed(self, is_stale)

    def on_invalid_frame(self) -> bool:
        """Count an invalid frame of this market. Returns whether there were too many of them in the window."""
        now_ns, times = self._fx.now_ns, self.invalid_ns
        times.append(now_ns)
        if (
            len(times) < self._settings.invalid_frames_max
            or now_ns - times[0] > self._settings.invalid_frames_window_ms * MS_NS
        ):
            return False
        times.clear()
        return True

    def back_off(self) -> None:
        """The last snapshot did not help: the next one follows after a delay that doubles."""
        delay_ms = min(self._settings.retry_ms << min(self.attempts, 20), self._settings.max_retry_ms)
        self.attempts += 1
        self.retry_ns = self._fx.now_ns + delay_ms * MS_NS

    def stream_lost(self) -> None:
        """The connection is closed: the next one may number its messages anew, and repeats none."""
        if self.subscribed or not self.lost_ns:
            self.lost_ns = self._fx.now_ns
        self.is_doubted = False
        self.subscribed = False
        self.top = None
        self.top_ahead_ns = 0
        self.trade_id = 0
        self.attempts = 0
        self.retry_ns = 0

    def stream_back(self) -> None:
        """The exchange has confirmed the subscription."""
        self.subscribed = True
        self.lost_ns = 0
        self.updated_ns = self._fx.now_ns

    def snapshot(self, kind: str) -> Message | None:
        """Returns the message that contains the whole of one of KINDS; None if there is none."""
        if kind == "book":
            sync = self.sync
            if sync.state is StreamState.STALE:
                return BookStatus(self.symbol, sync.state, sync.reason)
            return sync.whole()
        return {"top": self.top, "rules": self.rules}.get(kind)
