"""Subscribing to many markets on one connection, at the pace that the exchange allows."""

from collections.abc import Callable, Sequence

from connectors.core.market_api import MarketDialect, Subscribed
from connectors.market_data.settings import FeedSettings
from connectors.net.session import MS_NS, Host, Session

MARKETS_PER_FRAME = 50
RETRY_MS = 1_000  # after a refused subscription


class Subscriptions:
    """Sends subscribe frames one after the other; `done(symbols)` is called as the exchange confirms them."""

    def __init__(
        self, host: Host, session: Session, dialect: MarketDialect, settings: FeedSettings,
        done: Callable[[Sequence[str]], None],
    ) -> None:  # fmt: skip
        self.host = host
        self.session = session
        self.dialect = dialect
        self.settings = settings
        self.refused = 0
        self._done = done
        self._request_id = 0
        self._waiting: dict[int, tuple[Sequence[str], set[int]]] = {}  # by request: its markets, all its requests
        self._life = 0

    @property
    def is_done(self) -> bool:
        """Whether every subscription of this connection is confirmed."""
        return not self._waiting

    def begin(self, symbols: Sequence[str]) -> None:
        """A connection has opened: subscribe to these markets on it."""
        self.forget()
        delay_ms = 0
        for n in range(0, len(symbols), MARKETS_PER_FRAME):
            delay_ms = self._enqueue(symbols[n : n + MARKETS_PER_FRAME], delay_ms)
        self.host.after((delay_ms + self.settings.subscribe_ms) * MS_NS, self._check, self._life)

    def forget(self) -> None:
        """The connection is gone, and with it what was asked on it."""
        self._life += 1
        self._waiting.clear()

    def answered(self, answer: Subscribed) -> None:
        """The exchange has answered a subscribe frame."""
        found = self._waiting.pop(answer.request_id, None)
        if found is None:
            return
        symbols, requests = found
        if answer.error:
            self.refused += 1
            self.host.log.warning("feed.refused", error=answer.error)
            self.host.after(RETRY_MS * MS_NS, self._again, symbols, self._life)
            for request_id in requests:
                self._waiting.pop(request_id, None)
            return
        requests.discard(answer.request_id)
        if not requests:
            self._done(symbols)

    def _again(self, symbols: Sequence[str], life: int) -> None:
        if life == self._life:
            self._enqueue(symbols, 0)

    def _enqueue(self, symbols: Sequence[str], delay_ms: int) -> int:
        """Send frames for these markets from `delay_ms` on; from when on the next may be sent."""
        frames = self.dialect.subscribe(symbols, self._request_id + 1)
        requests = set(range(self._request_id + 1, self._request_id + 1 + len(frames)))
        self._request_id += len(frames)
        for request_id, frame in zip(sorted(requests), frames, strict=True):
            self._waiting[request_id] = symbols, requests
            if delay_ms:
                self.host.after(delay_ms * MS_NS, self._send, frame, self._life)
            else:
                self.session.send(frame)
            delay_ms += self.dialect.subscribe_interval_ms
        return delay_ms

    def _send(self, frame: str, life: int) -> None:
        if life == self._life:
            self.session.send(frame)

    def _check(self, life: int) -> None:
        if life == self._life and self._waiting:
            self.session.recycle("no answer to a subscription")
