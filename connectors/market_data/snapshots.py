"""Snapshots: whole books by REST: to start, to repair, to poll while there is no stream, and to compare."""

from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial

from actors.effects import Effects
from actors.net import HttpAnswer, HttpFailure
from connectors.core.market_api import BadFrame, FinerFrame, MarketApi, SendRequest
from connectors.market_data.frame_scaling import FrameScaling
from connectors.market_data.market_state import MS_NS, MarketState
from connectors.market_data.settings import FeedSettings
from protocol import BookSnapshot

OK = 200


class Purpose(Enum):
    """The use of a snapshot."""

    SYNC = "sync"  # the base of the book
    POLL = "poll"  # the book itself, while there is no stream
    PROBE = "probe"  # compared with the book, and dropped


class Snapshots:
    """Decides which market needs a snapshot, requests it within bounds, and passes it on.

    `deliver(market, purpose, snapshot, limit)` gets each book, `on_invalid(error)` each invalid answer.
    """

    def __init__(
        self,
        fx: Effects,
        api: MarketApi,
        settings: FeedSettings,
        send: SendRequest,
        scaling: FrameScaling,
        deliver: Callable[[MarketState, Purpose, BookSnapshot, int], None],
        on_invalid: Callable[[BadFrame], None],
    ) -> None:
        self.requested = self.failed = 0
        self._fx = fx
        self._api = api
        self._settings = settings
        self._send = send
        self._scaling = scaling
        self._deliver = deliver
        self._on_invalid = on_invalid
        self._in_flight = 0
        self._connection = 0  # answers to requests made during an earlier connection are ignored

    def on_stream_lost(self) -> None:
        """The connection is closed: snapshots requested until now may be older than the messages that were missed."""
        self._connection += 1

    def request_due(self, markets: Iterable[MarketState]) -> None:
        """Request what is due, as far as the bound allows; the market that has waited longest comes first."""
        now_ns = self._fx.now_ns
        due = [(market.retry_ns, n, market) for n, market in enumerate(markets) if self._due(market, now_ns)]
        if due:
            for _, _, market in sorted(due)[: self._settings.snapshots_max - self._in_flight]:
                purpose = self._due(market, now_ns)
                if purpose is not None:
                    self.request(market, purpose)

    def request(self, market: MarketState, purpose: Purpose) -> None:
        """Request one snapshot now."""
        is_sync = purpose is Purpose.SYNC
        limit = self._settings.depth_levels if is_sync else self._settings.poll_levels
        now_ns = self._fx.now_ns
        market.has_request = True
        market.poll_ns = now_ns + self._settings.poll_ms * MS_NS
        market.probe_ns = now_ns + self._settings.quiet_ms * MS_NS
        self._in_flight += 1
        self.requested += 1
        call = self._api.snapshot_request(market.symbol, limit)
        self._send(call, partial(self._on_answer, market, purpose, limit, self._connection))

    def _due(self, market: MarketState, now_ns: int) -> Purpose | None:
        if market.has_request or market.instrument is None or market.gone or now_ns < market.retry_ns:
            return None
        if market.subscribed:
            if market.sync.needs_snapshot or market.sync.wants_refresh:
                return Purpose.SYNC
            quiet_ns = self._settings.quiet_ms * MS_NS
            if now_ns - market.updated_ns >= quiet_ns and now_ns >= market.probe_ns:
                return Purpose.PROBE
        elif now_ns - market.lost_ns >= self._settings.silence_ms * MS_NS and now_ns >= market.poll_ns:
            return Purpose.POLL
        return None

    def _on_answer(
        self, market: MarketState, purpose: Purpose, limit: int, connection: int, answer: HttpAnswer | HttpFailure
    ) -> None:
        market.has_request = False
        self._in_flight -= 1
        if isinstance(answer, HttpFailure) or answer.status != OK:
            self.failed += 1
            market.back_off()
            return
        try:
            snapshot = self._parse(market.symbol, answer.body)
        except BadFrame as error:
            self._on_invalid(BadFrame(f"snapshot: {error}", market.symbol))
            market.back_off()
            return
        is_for_stream = purpose is not Purpose.POLL
        if is_for_stream == market.subscribed and (connection == self._connection or not is_for_stream):
            self._deliver(market, purpose, snapshot, limit)

    def _parse(self, symbol: str, body: bytes) -> BookSnapshot:
        parse = partial(self._api.parse_snapshot, symbol, body, self._fx.now_ns)
        try:
            return parse()
        except FinerFrame as error:
            return self._scaling.parse_again(error, parse)
