"""Does the stream bring what it should? Silences and stalls, told apart from markets where nothing happens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connectors.market_data.market_state import FeedMarket
from connectors.market_data.snapshots import Purpose
from connectors.net.session import MS_NS
from protocol import BookDelta, BookSnapshot, StreamState, TopOfBook, Trade

if TYPE_CHECKING:
    from connectors.market_data.feed import MarketFeed

DATA = (BookDelta, BookSnapshot, TopOfBook, Trade)


class FeedWatch:
    """Watches the stream of one feed. A stream that has stalled is `doubted` until it brings data again: its markets
    are polled meanwhile, and an answer to a subscription alone does not end that."""

    def __init__(self, feed: "MarketFeed") -> None:
        self.feed = feed
        self.doubted = False
        self.probes = self.stalls = 0
        self._confirmed: dict[str, None] = {}  # markets that this connection is subscribed to

    def subscribed(self, symbols: Sequence[str]) -> None:
        """The exchange has confirmed some subscriptions."""
        self._confirmed.update(dict.fromkeys(symbols))
        if not self.doubted:
            self._believe(symbols)

    def data(self) -> None:
        """The stream brings data again."""
        self.doubted = False
        self._believe(list(self._confirmed))

    def down(self) -> None:
        """The connection is gone."""
        self._confirmed.clear()

    def _believe(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            self.feed.markets[symbol].stream_back(self.feed.host.now_ns)
        self.feed.pump()

    def silent(self, silence_ms: int) -> None:
        """Nothing came for so long: ask the exchange whether that is right; give up if it does not say so in time."""
        feed = self.feed
        if silence_ms >= feed.settings.silence_ms:
            self.stalled(f"silent for {silence_ms} ms")
        elif not self.doubted:
            market = min(feed.markets.values(), key=lambda one: one.probe_ns)
            if not market.asking and market.instrument is not None:
                self.probes += 1
                feed.source.ask(market, Purpose.PROBE)

    def compare(self, market: FeedMarket, snapshot: BookSnapshot) -> None:
        """A book by REST beside ours: equal ids prove it right; a newer one must come by stream too, and soon."""
        feed = self.feed
        if market.sync.state is not StreamState.LIVE:
            return
        if snapshot.update_id <= market.sync.update_id:
            market.heard_ns = feed.host.now_ns
            feed.session.confirm()
        else:
            grace_ns = feed.settings.grace_ms * MS_NS
            feed.host.after(grace_ns, self._overdue, market, snapshot.update_id, feed.session.connects)

    def _overdue(self, market: FeedMarket, update_id: int, connects: int) -> None:
        sync = market.sync
        if connects == self.feed.session.connects and sync.state is StreamState.LIVE and sync.update_id < update_id:
            self.stalled(f"{market.symbol}: REST is at update {update_id}, the stream is not")

    def check(self) -> None:
        """Now and then: best prices that move while the book does not; polling that fails."""
        feed, now_ns = self.feed, self.feed.host.now_ns
        stall_ns, silence_ns = feed.settings.stall_ms * MS_NS, feed.settings.silence_ms * MS_NS
        for market in feed.markets.values():
            state, ahead_ns = market.sync.state, market.top_ahead_ns
            if state is StreamState.POLLING and now_ns - market.heard_ns > silence_ns:
                feed.tell(market, market.sync.lost("the stream is down, and polling fails"))
            elif state is StreamState.LIVE and ahead_ns and now_ns - ahead_ns > stall_ns:
                self.stalled(f"{market.symbol}: best prices move and the book does not")
                return

    def stalled(self, reason: str) -> None:
        """The stream does not bring what it should: connect again, poll, and believe it once it brings something."""
        feed = self.feed
        self.stalls += 1
        self.doubted = True
        feed.session.recycle(reason)
        for market in feed.markets.values():
            market.lost_ns = feed.host.now_ns - feed.settings.silence_ms * MS_NS
        feed.pump()
