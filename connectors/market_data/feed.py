"""MarketFeed: the market data of one connector: one websocket, and REST to start, to repair and to stand in."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from actors.effects import Effects
from actors.stages import NoStages, StageTimer
from connectors.core.market_api import (
    BadFrame,
    BookView,
    Event,
    FinerFrame,
    GoingAway,
    MarketApi,
    SendRequest,
    Subscribed,
)
from connectors.core.market_scales import MarketScales
from connectors.core.stages import PARSE
from connectors.core.throttle import Limit
from connectors.market_data.frame_scaling import FrameScaling
from connectors.market_data.instruments import Instruments
from connectors.market_data.lateness import Lateness
from connectors.market_data.market_state import MS_NS, Counters, MarketState
from connectors.market_data.settings import MAX_MARKETS, FeedSettings
from connectors.market_data.snapshots import Purpose, Snapshots
from connectors.market_data.subscriptions import Subscriptions
from connectors.market_data.watchdog import DATA, Watchdog
from connectors.net.session import Session, never
from market.instrument import Instrument
from market.scale import Scale
from protocol import BookDelta, BookSnapshot, BookStatus, Message, StreamState, TopOfBook, Trade

WORK_NS = 250 * MS_NS


class MarketFeed:
    """Publishes rules, books, best prices and trades of `symbols` on the connector's md. topics.

    `request(call, then)` sends one REST call within the exchange's limits. `changed()` is called when `state` may have
    changed. `scales`: those of the connector, which calls `set_scale` for each change; default: own ones. `hold_ms()`:
    how long no connection may be opened; `on_limits(limits)` gets the rate limits that the exchange states. Begin with
    `start`; `stop` ends it.
    """

    def __init__(
        self,
        fx: Effects,
        api: MarketApi,
        symbols: Sequence[str],
        settings: FeedSettings,
        request: SendRequest,
        changed: Callable[[], None] = lambda: None,
        stages: StageTimer | None = None,
        scales: MarketScales | None = None,
        hold_ms: Callable[[], int] = never,
        on_limits: Callable[[Sequence[Limit]], None] = lambda limits: None,
    ) -> None:
        assert 0 < len(symbols) <= MAX_MARKETS, f"{len(symbols)} markets: give 1 to {MAX_MARKETS}"
        self.settings = settings
        self.counters = Counters()
        self.lateness = Lateness()  # of deltas
        self.last_error = ""
        self._on_limits = on_limits
        self._fx = fx
        self._changed = changed
        self._stages: StageTimer = stages or NoStages()
        self._parse = api.parse
        self._invalid_ns: deque[int] = deque(maxlen=settings.invalid_frames_max)
        self._two_streams = False
        self._running = False
        self.markets = {
            symbol: MarketState(
                fx, symbol, settings, self._stages, self.counters, self.lateness, self._on_book_changed
            )
            for symbol in symbols
        }  # fmt: skip
        self._topics = {topic: (market, kind) for market in self.markets.values() for topic, kind in market.topics()}
        session = msgspec.structs.replace(
            settings.session,
            max_silence_ms=settings.silence_ms // 2,
            max_age_ms=settings.session.max_age_ms or api.max_age_ms,
        )
        self.session = Session(fx, api.stream_url(), self, session, f"{fx.name}.market", hold_ms)
        self.subscriptions = Subscriptions(fx, self.session, api, settings, self._on_subscribed)
        scales = scales or MarketScales(fx.log, self.set_scale)
        self._scaling = FrameScaling(scales, self.markets)
        self.snapshots = Snapshots(
            fx, api, settings, request, self._scaling, self._on_snapshot, self._on_invalid
        )  # fmt: skip
        self.instruments = Instruments(fx, api, self.markets, settings.rules_ms, request, scales, self)
        self.rules, self.unknown = self.instruments.rules, self.instruments.unknown
        self.watchdog = Watchdog(
            fx, settings, self.markets, self.session, self.snapshots, self.subscriptions, self.request_snapshots
        )  # fmt: skip

    # -- for the connector ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Request the rules, then subscribe."""
        self._running = True
        for market in self.markets.values():
            market.lost_ns = market.updated_ns = self._fx.now_ns
        self.rules.request(list(self.markets))
        self._fx.after(WORK_NS, self._work)

    def stop(self) -> None:
        """Close the connection, and send no more requests."""
        self._running = False
        self.rules.stop()
        self.session.stop()

    @property
    def state(self) -> str:
        """STARTING (no rules yet), UNKNOWN MARKET (the exchange has none of them), LIVE (every book), else DEGRADED."""
        if len(self.unknown) == len(self.markets):
            return "UNKNOWN MARKET"
        if all(market.rules is None for market in self.markets.values()):
            return "STARTING"
        return "DEGRADED" if self.troubles() else "LIVE"

    @property
    def detail(self) -> str:
        """The reason of the state, in a few words."""
        if self.unknown:
            return f"the exchange has no market {', '.join(self.unknown)}: correct `markets`"
        return next((f"{symbol}: {reason}" for symbol, reason in self.troubles().items()), "")

    def troubles(self) -> dict[str, str]:
        """Returns by market what is wrong with its rules or its book; a market in order has no entry."""
        found = dict(self.instruments.troubles)
        for symbol, market in self.markets.items():
            if symbol in found:
                continue
            if market.rules is None:
                found[symbol] = f"no rules yet: {self.rules.trouble or 'requested'}"
            elif market.sync.state is not StreamState.LIVE:
                found[symbol] = market.sync.reason
        return found

    def instrument(self, symbol: str) -> Instrument | None:
        """Returns the rules of a market, once they are known."""
        market = self.markets.get(symbol)
        return market.instrument if market is not None else None

    def book(self, symbol: str) -> BookView | None:
        """Returns the book as it is now, for the risk check; None for an unknown market.

        Its age is the time since it was last updated or confirmed, plus the lateness of the latest deltas.
        """
        market = self.markets.get(symbol)
        if market is None:
            return None
        sync = market.sync
        updated_ns = market.updated_ns
        if sync.state is StreamState.LIVE:  # frames of one connection come in order: any frame confirms every book
            updated_ns = max(updated_ns, self.session.last_frame_ns)
        best = sync.book
        age_ns = max(0, self._fx.now_ns - updated_ns) + self.lateness.excess_ns
        return BookView(sync.state, best.best_bid_ticks, best.best_ask_ticks, market.book_seq, age_ns)

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        """Returns the whole of one of the feed's streams (see Actor.snapshot); None for an unknown topic."""
        market, kind = self._topics.get(topic, (None, ""))
        return market.snapshot(kind) if market is not None else None

    def set_scale(self, symbol: str, scale: Scale) -> None:
        """The scale of a market is finer now."""
        self.instruments.set_scale(symbol, scale)

    # -- frames -----------------------------------------------------------------------------------------------

    def session_frame(self, session: Session, data: bytes) -> None:
        """Parse a frame, and pass each event to its market."""
        now_ns, stages = self._fx.now_ns, self._stages
        self.counters.frames += 1
        stages.begin(now_ns)
        try:
            events = self._parse(data, now_ns)
        except BadFrame as error:
            events = self._on_bad_frame(error, data)
            if not events:
                return
        stages.lap(PARSE)
        if self.watchdog.is_doubted and any(type(event) in DATA for event in events):
            self.watchdog.on_data()
        for event in events:
            kind = type(event)
            if kind is BookDelta:
                self.markets[event.symbol].on_delta(event)  # type: ignore[union-attr, arg-type]
            elif kind is TopOfBook:
                self.markets[event.symbol].on_top(event)  # type: ignore[union-attr, arg-type]
            elif kind is Trade:
                self.markets[event.symbol].on_trade(event)  # type: ignore[union-attr, arg-type]
            elif isinstance(event, BookSnapshot):
                self._on_snapshot(self.markets[event.symbol], Purpose.SYNC, event, 0)
            elif isinstance(event, Subscribed):
                self.subscriptions.on_answer(event)
            elif isinstance(event, GoingAway):
                session.renew(event.reason)

    def _on_bad_frame(self, error: BadFrame, data: bytes) -> Sequence[Event]:
        """Parse a frame again whose numbers need a finer scale. Returns no events if it is invalid."""
        if isinstance(error, FinerFrame):
            try:
                return self._scaling.parse_again(error, partial(self._parse, data, self._fx.now_ns))
            except BadFrame as still:
                error = still
                market = self.markets.get(error.symbol)
                if market is not None:
                    market.publish(market.sync.invalidate(str(error)))
        self._on_invalid(error)
        return ()

    def _on_invalid(self, error: BadFrame) -> None:
        """Bytes about one market are that market's trouble, and cost no connection."""
        market = self.markets.get(error.symbol)
        if market is None:
            self.on_invalid_frame(str(error))
            return
        self.counters.invalid += 1
        self.last_error = str(error)
        if market.on_invalid_frame():
            self._fx.log.warning("too many invalid frames", market=market.symbol, last=str(error))
            self.rules.request([market.symbol])

    def on_invalid_frame(self, reason: str) -> None:
        """Count bytes of no known form and of no known market; too many of them cost the connection."""
        now_ns = self._fx.now_ns
        self.counters.invalid += 1
        self.last_error = reason
        times = self._invalid_ns
        times.append(now_ns)
        if len(times) == times.maxlen and now_ns - times[0] <= self.settings.invalid_frames_window_ms * MS_NS:
            times.clear()
            self._fx.log.warning("too many invalid frames", last=reason)
            self.rules.request(self.instruments.known())
            self.session.recycle("too many invalid frames")

    # -- the connection ---------------------------------------------------------------------------------------

    def session_up(self, session: Session) -> None:
        """Subscribe to everything."""
        self._two_streams = session.is_handover
        for market in self.markets.values():
            market.sync.two_streams = session.is_handover
        self.subscriptions.begin(self.instruments.known())

    def session_down(self, session: Session, reason: str) -> None:
        """No frame arrives: every book is stale."""
        self._fx.log.warning("market stream down", reason=reason)
        self.subscriptions.cancel()
        self.snapshots.on_stream_lost()
        self.watchdog.on_stream_lost()
        for market in self.markets.values():
            market.stream_lost()
            market.publish(market.sync.on_stream_lost(f"stream down: {reason}"))
        self._changed()

    def session_silent(self, session: Session, silence_ms: int) -> None:
        """Compare with REST, or give the connection up."""
        self.watchdog.on_silence(silence_ms)

    def _on_subscribed(self, symbols: Sequence[str]) -> None:
        """The exchange has confirmed some subscriptions."""
        self.watchdog.on_subscribed(symbols)
        if self._two_streams and self.subscriptions.is_done:
            self._fx.after(self.settings.overlap_ms * MS_NS, self._finish_handover)

    def _finish_handover(self) -> None:
        """Both connections have delivered for `overlap_ms`: the old one has nothing left that the new one has not."""
        self._two_streams = False
        self.session.finish_handover()
        for market in self.markets.values():
            market.publish(market.sync.on_one_stream())

    # -- books ------------------------------------------------------------------------------------------------

    def request_snapshots(self) -> None:
        """Request the snapshots that are due."""
        if self._running:
            self.snapshots.request_due(self.markets.values())

    def _on_book_changed(self, market: MarketState, is_stale: bool) -> None:
        if is_stale:
            self.request_snapshots()
        self._changed()

    def _on_snapshot(self, market: MarketState, purpose: Purpose, snapshot: BookSnapshot, limit: int) -> None:
        """A snapshot arrived."""
        sync = market.sync
        if purpose is Purpose.PROBE:
            self.watchdog.compare(market, snapshot)
            return
        if purpose is Purpose.POLL:
            market.updated_ns = self._fx.now_ns
            change = sync.on_poll(snapshot, limit)
        else:
            change = sync.on_snapshot(snapshot, limit)
            if sync.needs_snapshot or sync.wants_refresh:
                market.back_off()
            else:
                market.updated_ns = self._fx.now_ns
        market.publish(change)
        self.request_snapshots()

    def _work(self) -> None:
        """Four times a second: look for what is due or overdue."""
        if not self._running:
            return
        self._fx.after(WORK_NS, self._work)
        self.watchdog.check()
        self.request_snapshots()

    # -- InstrumentsListener ----------------------------------------------------------------------------------

    def on_instruments_changed(self) -> None:
        """Connect as soon as one market is known; subscribe to each of the others once it is."""
        known = self.instruments.known()
        if known and self._running:
            if not self.session.connects:
                self.rules.keep_fresh(list(self.markets))
                self.session.start()
            elif self.session.is_up:
                self.subscriptions.add(known)
        self._changed()

    def on_limits(self, limits: Sequence[Limit]) -> None:
        """The exchange has stated its rate limits."""
        self._on_limits(limits)

    def on_gone(self, market: MarketState, reason: str) -> None:
        """The exchange has this market no more, or never had it: its book is stale, and nothing is requested for it."""
        self.subscriptions.drop(market.symbol)
        market.stream_lost()
        market.publish(market.sync.invalidate(reason) or BookStatus(market.symbol, StreamState.STALE, reason))
