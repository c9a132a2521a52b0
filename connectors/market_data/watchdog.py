"""Watchdog: detects a silent or stalled stream, as distinct from markets where nothing happens."""

from collections.abc import Callable, Mapping, Sequence

from actors.effects import Effects
from connectors.market_data.market_state import MS_NS, MarketState
from connectors.market_data.settings import FeedSettings
from connectors.market_data.snapshots import Purpose, Snapshots
from connectors.market_data.subscriptions import Subscriptions
from connectors.net.session import Session
from protocol import BookDelta, BookSnapshot, StreamState, TopOfBook, Trade

RENEW_NS = 30_000 * MS_NS  # interval of subscribing again to one market that has stalled
PROBES = 2  # markets that are compared after a silence: one of them may be in trouble of its own
DATA = (BookDelta, BookSnapshot, TopOfBook, Trade)


class Watchdog:
    """Watches the stream of one feed. After a stall, the stream `is_doubted` until it brings data again: its markets
    are polled meanwhile, and a confirmed subscription alone does not end that. `request_snapshots()` requests what is
    due.
    """

    def __init__(
        self,
        fx: Effects,
        settings: FeedSettings,
        markets: Mapping[str, MarketState],
        session: Session,
        snapshots: Snapshots,
        subscriptions: Subscriptions,
        request_snapshots: Callable[[], None],
    ) -> None:
        self.is_doubted = False
        self.probes = self.stalls = 0
        self._fx = fx
        self._settings = settings
        self._markets = markets
        self._session = session
        self._snapshots = snapshots
        self._subscriptions = subscriptions
        self._request_snapshots = request_snapshots
        self._confirmed: dict[str, None] = {}  # markets that this connection is subscribed to

    def on_subscribed(self, symbols: Sequence[str]) -> None:
        """The exchange has confirmed some subscriptions."""
        self._confirmed.update(dict.fromkeys(symbols))
        if not self.is_doubted:
            self._set_reliable(symbols)

    def on_data(self) -> None:
        """The stream brings data again."""
        self.is_doubted = False
        self._set_reliable(list(self._confirmed))

    def on_stream_lost(self) -> None:
        """The connection is closed."""
        self._confirmed.clear()

    def _set_reliable(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            if not self._markets[symbol].is_doubted:
                self._markets[symbol].stream_back()
        self._request_snapshots()

    def on_silence(self, silence_ms: int) -> None:
        """No frame for `silence_ms`: compare books with REST; give the stream up if that brings no answer in time."""
        if silence_ms >= self._settings.silence_ms:
            self.on_stall(f"silent for {silence_ms} ms")
        elif not self.is_doubted:
            live = [one for one in self._markets.values() if one.sync.state is StreamState.LIVE and not one.has_request]
            for market in sorted(live, key=lambda one: one.probe_ns)[:PROBES]:
                self.probes += 1
                self._snapshots.request(market, Purpose.PROBE)

    def compare(self, market: MarketState, snapshot: BookSnapshot) -> None:
        """Compare a REST book with ours: equal ids prove ours right; a newer one must arrive by stream too, soon."""
        if market.sync.state is not StreamState.LIVE:
            return
        if snapshot.update_id <= market.sync.update_id:
            market.updated_ns = self._fx.now_ns
            self._session.confirm_silence()
        else:
            grace_ns = self._settings.grace_ms * MS_NS
            self._fx.after(grace_ns, self._on_overdue, market, snapshot.update_id, self._session.connects)

    def _on_overdue(self, market: MarketState, update_id: int, connects: int) -> None:
        sync = market.sync
        if connects == self._session.connects and sync.state is StreamState.LIVE and sync.update_id < update_id:
            self._on_stalled_market(market, f"{market.symbol}: REST is at update {update_id}, the stream is not")

    def check(self) -> None:
        """Look for best prices that move while the book does not, and for failed polling; called on a timer."""
        now_ns = self._fx.now_ns
        stall_ns, silence_ns = self._settings.stall_ms * MS_NS, self._settings.silence_ms * MS_NS
        for market in self._markets.values():
            state, ahead_ns = market.sync.state, market.top_ahead_ns
            if state is StreamState.POLLING and now_ns - market.updated_ns > silence_ns:
                market.publish(market.sync.on_stream_lost("the stream is down, and polling fails"))
            elif state is StreamState.LIVE and ahead_ns and now_ns - ahead_ns > stall_ns:
                self._on_stalled_market(market, f"{market.symbol}: best prices move and the book does not")
                return

    def _on_stalled_market(self, market: MarketState, reason: str) -> None:
        """If the books of other markets are updated by the connection, this market is polled, and subscribed again."""
        fresh_ns = self._fx.now_ns - self._settings.stall_ms * MS_NS
        others = [one for one in self._markets.values() if one is not market and one.sync.state is StreamState.LIVE]
        if not any(one.delta_ns > fresh_ns for one in others):
            self.on_stall(reason)
            return
        self.stalls += 1
        self._fx.log.warning("market stalled", market=market.symbol, reason=reason)
        market.stream_lost()
        market.is_doubted = True
        market.lost_ns = self._fx.now_ns - self._settings.silence_ms * MS_NS
        market.publish(market.sync.on_stream_lost(reason))
        self._renew(market, self._session.connects)
        self._request_snapshots()

    def _renew(self, market: MarketState, connects: int) -> None:
        """Subscribe again, until a delta arrives or the connection is another one."""
        if market.is_doubted and connects == self._session.connects:
            self._subscriptions.renew(market.symbol)
            self._fx.after(RENEW_NS, self._renew, market, connects)

    def on_stall(self, reason: str) -> None:
        """The stream does not bring what it should: reconnect, poll, and trust it once it brings data."""
        self.stalls += 1
        self.is_doubted = True
        self._session.recycle(reason)
        for market in self._markets.values():
            market.lost_ns = self._fx.now_ns - self._settings.silence_ms * MS_NS
        self._request_snapshots()
