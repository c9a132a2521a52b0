"""MarketFeed: the market data of one connector, over one kept-up websocket with REST to start, repair and stand in."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from actors.stages import NoStages
from connectors.core.market_api import BadFrame, GoingAway, MarketDialect, Subscribed
from connectors.core.stages import BOOK, ENCODE, PARSE
from connectors.market_data.instruments import Listing
from connectors.market_data.latency import Lag
from connectors.market_data.market_state import FeedMarket
from connectors.market_data.settings import MAX_MARKETS, FeedSettings
from connectors.market_data.snapshots import Ask, BookSource, Purpose
from connectors.market_data.subscriptions import Subscriptions
from connectors.market_data.watchdog import DATA, FeedWatch
from connectors.net.session import MS_NS, Host, Session
from connectors.orders.risk_gate import BookView
from market.instrument import Instrument
from protocol import (
    BookDelta,
    BookSnapshot,
    BookStatus,
    Message,
    StreamState,
    TopOfBook,
    Trade,
)

WORK_NS = 250 * MS_NS
STEADY_NS = 3_000 * MS_NS  # a book that was right for so long is repaired at once


class FeedHost(Host, Protocol):
    """The connector actor, as the feed needs it."""

    name: str

    def publish(self, topic: str, message: Message) -> int: ...


class Counters(msgspec.Struct):
    """What the feed has seen since it started."""

    frames: int = 0
    deltas: int = 0
    trades: int = 0
    tops: int = 0
    doubles: int = 0
    garbage: int = 0


class MarketFeed:
    """Publishes Rules, books, best prices and trades of `markets` on the connector's md. topics.

    `ask(call, then)` sends one REST call within the exchange's limits; `then` gets exactly one HttpAnswer or
    HttpFailure. `changed()` is called when `state` may have changed, `sent()` after each diff that is to be published.
    Begin with `start`; `stop` ends it.
    """

    def __init__(
        self, host: FeedHost, dialect: MarketDialect, markets: Sequence[str], settings: FeedSettings, ask: Ask,
        changed: Callable[[], None] = lambda: None, seed: str = "", stages: Any = None,
        sent: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        assert 0 < len(markets) <= MAX_MARKETS, f"{len(markets)} markets: give 1 to {MAX_MARKETS}"
        self.host = host
        self.dialect = dialect
        self.settings = settings
        self.markets = {symbol: FeedMarket(host.name, symbol, host.now_ns) for symbol in markets}
        self.counters = Counters()
        self.lag = Lag()  # of diffs
        self.last_error = ""
        kept = msgspec.structs.replace(
            settings.session,
            max_silence_ms=settings.silence_ms // 2,
            life_ms=settings.session.life_ms or dialect.life_ms,
        )
        self.session = Session(host, dialect.stream_url(), self, kept, f"{host.name}/{seed}")
        self.subscriptions = Subscriptions(host, self.session, dialect, settings, self._subscribed)
        self.source = BookSource(host, dialect, settings, ask, self._delivered, self.garbage)
        self.listing = Listing(self, ask)
        self.rules, self.unknown = self.listing.rules, self.listing.unknown
        self.watch = FeedWatch(self)
        self._changed = changed
        self._stages = stages or NoStages()
        self._sent = sent
        self._parse = dialect.parse
        self._garbage_ns: deque[int] = deque(maxlen=settings.garbage_max)
        self._topics = {topic: (market, kind) for market in self.markets.values() for topic, kind in market.topics()}
        self._two_streams = False
        self._running = False

    # -- for the connector -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Learn the rules, then listen."""
        self._running = True
        for market in self.markets.values():
            market.lost_ns = market.heard_ns = self.host.now_ns
        self.rules.ask(list(self.markets))
        self.host.after(WORK_NS, self._work)

    def stop(self) -> None:
        """Hang up, and do nothing more."""
        self._running = False
        self.rules.stop()
        self.session.stop()

    @property
    def state(self) -> str:
        """STARTING (rules are missing), UNKNOWN MARKET, LIVE (every book), else DEGRADED."""
        if self.unknown:
            return "UNKNOWN MARKET"
        if any(market.rules is None for market in self.markets.values()):
            return "STARTING"
        live = all(market.sync.state is StreamState.LIVE for market in self.markets.values())
        return "LIVE" if live else "DEGRADED"

    @property
    def detail(self) -> str:
        """Why, in a few words."""
        if self.unknown:
            return f"the exchange has no market {', '.join(self.unknown)}: correct `markets`"
        for market in self.markets.values():
            if market.rules is None:
                return f"{market.symbol}: no rules yet: {self.rules.trouble or 'asked'}"
            if market.sync.state is not StreamState.LIVE:
                return f"{market.symbol}: {market.sync.reason}"
        return ""

    def instrument(self, symbol: str) -> Instrument | None:
        """The rules of a market, once they are known."""
        market = self.markets.get(symbol)
        return market.instrument if market is not None else None

    def book(self, symbol: str) -> BookView | None:
        """The book as it is now, for the gate; None for a market that is not ours.

        Its age: since it was last told of or confirmed, and how late the latest diffs were.
        """
        market = self.markets.get(symbol)
        if market is None:
            return None
        sync = market.sync
        heard_ns = market.heard_ns
        if sync.state is StreamState.LIVE:  # a stream that delivers anything delivers in order: no news is news
            heard_ns = max(heard_ns, self.session.last_frame_ns)
        best = sync.book
        age_ns = max(0, self.host.now_ns - heard_ns) + self.lag.excess_ns
        return BookView(sync.state, best.best_bid_ticks, best.best_ask_ticks, market.book_seq, age_ns)

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        """What says all of one of the feed's streams (see Actor.snapshot); None also for topics of others."""
        market, kind = self._topics.get(topic, (None, ""))
        if market is None:
            return None
        if kind == "book":
            sync = market.sync
            if sync.state is StreamState.STALE:
                return BookStatus(market.symbol, sync.state, sync.reason)
            return sync.whole()
        return {"top": market.top, "rules": market.rules}.get(kind)

    # -- frames ------------------------------------------------------------------------------------------------

    def session_frame(self, session: Session, data: bytes) -> None:
        """SessionOwner: what came, to what it says, to the bus."""
        counters, now_ns, stages = self.counters, self.host.now_ns, self._stages
        counters.frames += 1
        stages.begin(now_ns)
        try:
            events = self._parse(data, now_ns)
        except BadFrame as error:
            self.garbage(str(error))
            return
        stages.mark(PARSE)
        if self.watch.doubted and any(type(event) in DATA for event in events):
            self.watch.data()
        for event in events:
            kind = type(event)
            if kind is BookDelta:
                self._delta(event)  # type: ignore[arg-type]
            elif kind is TopOfBook:
                self._top(event)  # type: ignore[arg-type]
            elif kind is Trade:
                self._trade(event)  # type: ignore[arg-type]
            elif kind is BookSnapshot:
                self._delivered(self.markets[event.symbol], Purpose.SYNC, event, 0)  # type: ignore[union-attr, arg-type]
            elif kind is Subscribed:
                self.subscriptions.answered(event)  # type: ignore[arg-type]
            elif kind is GoingAway:
                session.renew(event.reason)  # type: ignore[union-attr]

    def _delta(self, delta: BookDelta) -> None:
        market = self.markets[delta.symbol]
        told = market.sync.feed(delta)
        self._stages.mark(BOOK)
        now_ns = market.heard_ns = self.host.now_ns
        self.counters.deltas += 1
        self.lag.add(now_ns, delta.ts_event_ns)
        if market.top_ahead_ns:
            market.top_ahead_ns = now_ns if market.best_id() > delta.update_id else 0
        if told is delta:
            market.book_seq = self.host.publish(market.book_topic, delta)
            self._stages.mark(ENCODE)
            self._sent()
        else:
            self.tell(market, told)

    def _top(self, top: TopOfBook) -> None:
        market = self.markets[top.symbol]
        if top.update_id <= market.best_id():
            self.counters.doubles += 1
            return
        self.counters.tops += 1
        market.top = top
        if not market.top_ahead_ns and top.update_id > market.sync.update_id:
            market.top_ahead_ns = self.host.now_ns
        self.host.publish(market.top_topic, top)
        told = market.sync.top(top)
        self.tell(market, told)

    def _trade(self, trade: Trade) -> None:
        market = self.markets[trade.symbol]
        if trade.trade_id <= market.trade_id:
            self.counters.doubles += 1
            return
        self.counters.trades += 1
        market.trade_id = trade.trade_id
        self.host.publish(market.trade_topic, trade)

    def tell(self, market: FeedMarket, told: Message | None) -> None:
        """Publish a change of a book's state, if there is one, and do what it calls for."""
        if told is None:
            return
        market.book_seq = self.host.publish(market.book_topic, told)
        now_ns = self.host.now_ns
        market.top_ahead_ns = 0
        if isinstance(told, BookStatus):
            self.host.log.warning("book.stale", market=market.symbol, reason=told.reason)
            if now_ns - market.live_ns < STEADY_NS:
                self.source.later(market)  # stale again so soon: not at the pace of the diffs
            else:
                market.attempts = market.retry_ns = 0
            self.pump()
        elif market.sync.state is StreamState.LIVE:
            market.live_ns = now_ns
        self._changed()

    def garbage(self, why: str) -> None:
        """Bytes that mean nothing: counted; too many of them, and the connection is given up."""
        now_ns = self.host.now_ns
        self.counters.garbage += 1
        self.last_error = why
        times = self._garbage_ns
        times.append(now_ns)
        if len(times) == times.maxlen and now_ns - times[0] <= self.settings.garbage_ms * MS_NS:
            times.clear()
            self.host.log.warning("feed.garbage", last=why)
            self.rules.ask(self.listing.known())  # a changed tick or lot would look like that
            self.session.recycle("too many bad frames")

    # -- the connection ------------------------------------------------------------------------------------------

    def session_up(self, session: Session) -> None:
        """SessionOwner: subscribe to everything."""
        self._two_streams = session.is_handover
        for market in self.markets.values():
            market.sync.two_streams = session.is_handover
        self.subscriptions.begin([market.symbol for market in self.markets.values() if market.instrument])

    def session_down(self, session: Session, reason: str) -> None:
        """SessionOwner: nothing comes, so no book is known to be right."""
        self.host.log.warning("feed.down", reason=reason)
        self.subscriptions.forget()
        self.source.forget()
        self.watch.down()
        for market in self.markets.values():
            market.stream_lost(self.host.now_ns)
            told = market.sync.lost(f"stream down: {reason}")
            self.tell(market, told)
        self._changed()

    def session_silent(self, session: Session, silence_ms: int) -> None:
        """SessionOwner."""
        self.watch.silent(silence_ms)

    def _subscribed(self, symbols: Sequence[str]) -> None:
        """The exchange has confirmed some subscriptions."""
        self.watch.subscribed(symbols)
        if self._two_streams and self.subscriptions.is_done:
            self.host.after(self.settings.settle_ms * MS_NS, self._settle)

    def _settle(self) -> None:
        """Both connections have delivered for a while: the old one has nothing left that the new one has not."""
        self._two_streams = False
        self.session.settled()
        for market in self.markets.values():
            told = market.sync.one_stream()
            self.tell(market, told)

    # -- whole books ---------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Ask for the books that are due."""
        if self._running:
            self.source.pump(self.markets.values())

    def _delivered(self, market: FeedMarket, purpose: Purpose, snapshot: BookSnapshot, limit: int) -> None:
        """A whole book came."""
        sync = market.sync
        if purpose is Purpose.PROBE:
            self.watch.compare(market, snapshot)
            return
        if purpose is Purpose.POLL:
            market.heard_ns = self.host.now_ns
            told = sync.poll(snapshot, limit)
        else:
            told = sync.snapshot(snapshot, limit)
            if sync.needs_snapshot or sync.wants_refresh:
                self.source.later(market)
            else:
                market.heard_ns = self.host.now_ns
        self.tell(market, told)
        self.pump()

    # -- chores --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Four times a second: look for what is due or overdue."""
        if not self._running:
            return
        self.host.after(WORK_NS, self._work)
        self.watch.check()
        self.pump()

    # -- rules ---------------------------------------------------------------------------------------------------

    def listed(self) -> None:
        """More is known of the markets: connect as soon as it is known of every one what it is."""
        if self.listing.is_whole and not self.session.connects and self._running:
            self.rules.keep_fresh(self.listing.known)
            self.session.start()
        self._changed()

    def rescaled(self, market: FeedMarket) -> None:
        """All that is known of this market was in its old ticks or lots."""
        why = "the tick or lot has changed"
        self.tell(market, market.sync.distrust(why))
        self.tell(market, market.sync.lost(why))
        market.sync.book.clear()
        market.top = None
