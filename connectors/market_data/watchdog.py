"""Watchdog: detects a silent or stalled stream, as distinct from markets where nothing happens."""

from collections.abc import Callable, Mapping, Sequence

from actors.effects import Effects
from connectors.market_data.market_state import MS_NS, MarketState
from connectors.market_data.settings import FeedSettings
from connectors.market_data.snapshots import Purpose, Snapshots
from connectors.net.session import Session
from protocol import BookDelta, BookSnapshot, StreamState, TopOfBook, Trade

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
        request_snapshots: Callable[[], None],
    ) -> None:
        self.is_doubted = False
        self.probes = self.stalls = 0
        self._fx = fx
        self._settings = settings
        self._markets = markets
        self._session = session
        self._snapshots = snapshots
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
            self._markets[symbol].stream_back()
        self._request_snapshots()

    def on_silence(self, silence_ms: int) -> None:
        """No frame for `silence_ms`: compare a book with REST; give the stream up if that brings no answer in time."""
        if silence_ms >= self._settings.silence_ms:
            self.on_stall(f"silent for {silence_ms} ms")
        elif not self.is_doubted:
            market = min(self._markets.values(), key=lambda one: one.probe_ns)
            if not market.has_request and market.instrument is not None:
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
            self.on_stall(f"{market.symbol}: REST is at update {update_id}, the stream is not")

    def check(self) -> None:
        """Look for best prices that move while the book does not, and for failed polling; called on a timer."""
        now_ns = self._fx.now_ns
        stall_ns, silence_ns = self._settings.stall_ms * MS_NS, self._settings.silence_ms * MS_NS
        for market in self._markets.values():
            state, ahead_ns = market.sync.state, market.top_ahead_ns
            if state is StreamState.POLLING and now_ns - market.updated_ns > silence_ns:
                market.publish(market.sync.on_stream_lost("the stream is down, and polling fails"))
            elif state is StreamState.LIVE and ahead_ns and now_ns - ahead_ns > stall_ns:
                self.on_stall(f"{market.symbol}: best prices move and the book does not")
                return

    def on_stall(self, reason: str) -> None:
        """The stream does not bring what it should: reconnect, poll, and trust it once it brings data."""
        self.stalls += 1
        self.is_doubted = True
        self._session.recycle(reason)
        for market in self._markets.values():
            market.lost_ns = self._fx.now_ns - self._settings.silence_ms * MS_NS
        self._request_snapshots()
