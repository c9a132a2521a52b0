"""Whole books by REST: to start from, to repair with, to poll while there is no stream, to compare with."""

from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial

from actors.net import HttpAnswer, HttpFailure
from connectors.core.market_api import BadFrame, MarketDialect
from connectors.core.order_api import Call
from connectors.market_data.market_state import FeedMarket
from connectors.market_data.settings import FeedSettings
from connectors.net.session import MS_NS, Host
from protocol import BookSnapshot

Ask = Callable[[Call, Callable[[HttpAnswer | HttpFailure], None]], None]
OK = 200


class Purpose(Enum):
    """What a snapshot is wanted for."""

    SYNC = "sync"
    POLL = "poll"
    PROBE = "probe"


class BookSource:
    """Decides which market needs a whole book, asks within bounds, and hands on what came.

    `deliver(market, purpose, snapshot, limit)` gets each book; `garbage` each answer that is none.
    """

    def __init__(
        self, host: Host, dialect: MarketDialect, settings: FeedSettings, ask: Ask,
        deliver: Callable[[FeedMarket, Purpose, BookSnapshot, int], None],
        garbage: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.host = host
        self.dialect = dialect
        self.settings = settings
        self.asked = self.failed = 0
        self._ask = ask
        self._deliver = deliver
        self._garbage = garbage
        self._under_way = 0
        self._life = 0  # answers to questions of an earlier connection are worth nothing

    def forget(self) -> None:
        """The connection is gone: books asked for until now may be older than what was missed."""
        self._life += 1

    def pump(self, markets: Iterable[FeedMarket]) -> None:
        """Ask for what is due, as far as the bound allows. The one that waits longest comes first."""
        now_ns = self.host.now_ns
        due = [(market.retry_ns, n, market) for n, market in enumerate(markets) if self._due(market, now_ns)]
        if due:
            for _, _, market in sorted(due)[: self.settings.snapshots_max - self._under_way]:
                purpose = self._due(market, now_ns)
                if purpose is not None:
                    self.ask(market, purpose)

    def ask(self, market: FeedMarket, purpose: Purpose) -> None:
        """Ask for one book now."""
        is_sync = purpose is Purpose.SYNC
        limit = self.settings.depth_levels if is_sync else self.settings.poll_levels
        now_ns = self.host.now_ns
        market.asking = True
        market.poll_ns = now_ns + self.settings.poll_ms * MS_NS
        market.probe_ns = now_ns + self.settings.quiet_ms * MS_NS
        self._under_way += 1
        self.asked += 1
        call = self.dialect.snapshot_request(market.symbol, limit)
        self._ask(call, partial(self._answered, market, purpose, limit, self._life))

    def later(self, market: FeedMarket) -> None:
        """What came did not help: again after a delay that doubles."""
        delay_ms = min(self.settings.retry_ms << min(market.attempts, 20), self.settings.max_retry_ms)
        market.attempts += 1
        market.retry_ns = self.host.now_ns + delay_ms * MS_NS

    def _due(self, market: FeedMarket, now_ns: int) -> Purpose | None:
        if market.asking or market.instrument is None or now_ns < market.retry_ns:
            return None
        if market.subscribed:
            if market.sync.needs_snapshot or market.sync.wants_refresh:
                return Purpose.SYNC
            quiet_ns = self.settings.quiet_ms * MS_NS
            if now_ns - market.heard_ns >= quiet_ns and now_ns >= market.probe_ns:
                return Purpose.PROBE
        elif now_ns - market.lost_ns >= self.settings.silence_ms * MS_NS and now_ns >= market.poll_ns:
            return Purpose.POLL
        return None

    def _answered(
        self, market: FeedMarket, purpose: Purpose, limit: int, life: int, answer: HttpAnswer | HttpFailure
    ) -> None:
        market.asking = False
        self._under_way -= 1
        if isinstance(answer, HttpFailure) or answer.status != OK:
            self.failed += 1
            self.later(market)
            return
        try:
            snapshot = self.dialect.parse_snapshot(market.symbol, answer.body, self.host.now_ns)
        except BadFrame as error:
            self._garbage(f"snapshot: {error}")
            self.later(market)
            return
        is_stream_book = purpose is not Purpose.POLL
        if is_stream_book == market.subscribed and (life == self._life or not is_stream_book):
            self._deliver(market, purpose, snapshot, limit)
