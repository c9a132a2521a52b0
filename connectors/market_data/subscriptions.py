"""Subscriptions: subscribes to many markets on one connection, at the pace that the exchange allows."""

from collections.abc import Callable, Sequence

from actors.effects import Effects
from connectors.core.market_api import MarketApi, Subscribed
from connectors.market_data.market_state import MS_NS
from connectors.market_data.settings import FeedSettings
from connectors.net.session import Session

MARKETS_PER_FRAME = 50
RETRY_MS = 1_000  # delay after a refused subscription; doubles for a market that is refused alone
RETRY_MAX_MS = 60_000


class Subscriptions:
    """Sends subscribe frames one after the other; `done(symbols)` is called as the exchange confirms them.

    A refused frame is sent again in halves, so that a market that the exchange refuses costs itself alone.
    """

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
        self._requested: set[str] = set()  # markets of this connection
        self._failures: dict[str, int] = {}  # refusals in a row, of markets that were refused alone
        self._next_ns = 0  # earliest time of the next frame

    @property
    def is_done(self) -> bool:
        """Whether every subscription of this connection is answered."""
        return not self._waiting

    def begin(self, symbols: Sequence[str]) -> None:
        """A connection is open: subscribe to these markets on it."""
        self.cancel()
        self.add(symbols)

    def add(self, symbols: Sequence[str]) -> None:
        """Subscribe to those of these markets that this connection does not have yet."""
        wanted = [symbol for symbol in symbols if symbol not in self._requested]
        self._requested.update(wanted)
        for n in range(0, len(wanted), MARKETS_PER_FRAME):
            self._enqueue(wanted[n : n + MARKETS_PER_FRAME])

    def renew(self, symbol: str) -> None:
        """Subscribe to this market once more."""
        if symbol in self._requested:
            self._enqueue([symbol])

    def drop(self, symbol: str) -> None:
        """This market needs no subscription now; `add` requests one again."""
        self._requested.discard(symbol)

    def cancel(self) -> None:
        """The connection is closed, and with it every request made on it."""
        self._connection += 1
        self._waiting.clear()
        self._requested.clear()
        self._failures.clear()
        self._next_ns = 0

    def on_answer(self, answer: Subscribed) -> None:
        """The exchange has answered a subscribe frame."""
        found = self._waiting.pop(answer.request_id, None)
        if found is None:
            return
        symbols, requests = found
        if answer.error:
            self.refused += 1
            self._fx.log.warning("subscription refused", error=answer.error, markets=len(symbols), first=symbols[0])
            for request_id in requests:
                self._waiting.pop(request_id, None)
            self._fx.after(self._delay_ms(symbols) * MS_NS, self._retry, symbols, self._connection)
            return
        requests.discard(answer.request_id)
        if not requests:
            for symbol in symbols:
                self._failures.pop(symbol, None)
            self._done([symbol for symbol in symbols if symbol in self._requested])

    def _delay_ms(self, symbols: Sequence[str]) -> int:
        if len(symbols) > 1:
            return RETRY_MS
        failures = self._failures[symbols[0]] = self._failures.get(symbols[0], 0) + 1
        return min(RETRY_MS << min(failures - 1, 10), RETRY_MAX_MS)

    def _retry(self, symbols: Sequence[str], connection: int) -> None:
        if connection != self._connection:
            return
        wanted = [symbol for symbol in symbols if symbol in self._requested]
        middle = (len(wanted) + 1) // 2
        for half in (wanted[:middle], wanted[middle:]) if len(wanted) == len(symbols) else (wanted,):
            if half:
                self._enqueue(half)

    def _enqueue(self, symbols: Sequence[str]) -> None:
        """Send the frames of these markets, at the pace of the exchange."""
        fx = self._fx
        frames = self._api.subscribe(symbols, self._request_id + 1)
        numbers = range(self._request_id + 1, self._request_id + 1 + len(frames))
        requests = set(numbers)
        self._request_id += len(frames)
        for request_id, frame in zip(numbers, frames, strict=True):
            self._waiting[request_id] = symbols, requests
            delay_ns = max(0, self._next_ns - fx.now_ns)
            if delay_ns:
                fx.after(delay_ns, self._send, frame, self._connection)
            else:
                self._session.send(frame)
            self._next_ns = fx.now_ns + delay_ns + self._api.subscribe_interval_ms * MS_NS
        overdue_ns = self._next_ns - fx.now_ns + self._settings.subscribe_ms * MS_NS
        fx.after(overdue_ns, self._check, requests.copy(), self._connection)

    def _send(self, frame: str, connection: int) -> None:
        if connection == self._connection:
            self._session.send(frame)

    def _check(self, requests: set[int], connection: int) -> None:
        """A connection that does not answer is dropped; a refusal is an answer."""
        if connection == self._connection and not requests.isdisjoint(self._waiting):
            self._session.recycle("no answer to a subscription")
