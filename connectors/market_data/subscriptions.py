"""Subscriptions: subscribes to many markets on one connection, at the pace that the exchange allows."""

from collections.abc import Callable, Sequence

from actors.effects import Effects
from connectors.core.market_api import MarketApi, Subscribed
from connectors.market_data.market_state import MS_NS
from connectors.market_data.settings import FeedSettings
from connectors.net.session import Session

MARKETS_PER_FRAME = 50
RETRY_MS = 1_000  # delay after a refused subscription


class Subscriptions:
    """Sends subscribe frames one after the other; `done(symbols)` is called as the exchange confirms them."""

    def __init__(
        self,
        fx: Effects,
        session: Session,
        api: MarketApi,
        settings: FeedSettings,
        done: Callable[[Sequence[str]], None],
    ) -> None:
        self.refused = 0
        self._fx = fx
        self._session = session
        self._api = api
        self._settings = settings
        self._done = done
        self._request_id = 0
        self._waiting: dict[int, tuple[Sequence[str], set[int]]] = {}  # by request: its markets, all its requests
        self._connection = 0  # timers of an earlier connection are ignored

    @property
    def is_done(self) -> bool:
        """Whether every subscription of this connection is confirmed."""
        return not self._waiting

    def begin(self, symbols: Sequence[str]) -> None:
        """A connection is open: subscribe to these markets on it."""
        self.cancel()
        delay_ms = 0
        for n in range(0, len(symbols), MARKETS_PER_FRAME):
            delay_ms = self._enqueue(symbols[n : n + MARKETS_PER_FRAME], delay_ms)
        self._fx.after((delay_ms + self._settings.subscribe_ms) * MS_NS, self._check, self._connection)

    def cancel(self) -> None:
        """The connection is closed, and with it every request made on it."""
        self._connection += 1
        self._waiting.clear()

    def on_answer(self, answer: Subscribed) -> None:
        """The exchange has answered a subscribe frame."""
        found = self._waiting.pop(answer.request_id, None)
        if found is None:
            return
        symbols, requests = found
        if answer.error:
            self.refused += 1
            self._fx.log.warning("subscription refused", error=answer.error)
            self._fx.after(RETRY_MS * MS_NS, self._retry, symbols, self._connection)
            for request_id in requests:
                self._waiting.pop(request_id, None)
            return
        requests.discard(answer.request_id)
        if not requests:
            self._done(symbols)

    def _retry(self, symbols: Sequence[str], connection: int) -> None:
        if connection == self._connection:
            self._enqueue(symbols, 0)

    def _enqueue(self, symbols: Sequence[str], delay_ms: int) -> int:
        """Send the frames of these markets, the first after `delay_ms`. Returns the delay of the next frame."""
        frames = self._api.subscribe(symbols, self._request_id + 1)
        requests = set(range(self._request_id + 1, self._request_id + 1 + len(frames)))
        self._request_id += len(frames)
        for request_id, frame in zip(sorted(requests), frames, strict=True):
            self._waiting[request_id] = symbols, requests
            if delay_ms:
                self._fx.after(delay_ms * MS_NS, self._send, frame, self._connection)
            else:
                self._session.send(frame)
            delay_ms += self._api.subscribe_interval_ms
        return delay_ms

    def _send(self, frame: str, connection: int) -> None:
        if connection == self._connection:
            self._session.send(frame)

    def _check(self, connection: int) -> None:
        if connection == self._connection and self._waiting:
            self._session.recycle("no answer to a subscription")
