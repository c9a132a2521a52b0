"""SimVenue: the exchange as a service of a simulation, with the same bytes; its ledger survives `restart`."""

from urllib.parse import urlsplit

from actors.net import HttpAnswer, HttpFailure, HttpRequest
from venue.base.settings import VenueSettings
from venue.base.wire import CLOSED, FREEZE, REFUSED, PingFrame, Request, Signal
from venue.exchange import Exchange


class SimVenue:
    """A service for `Sim.serve`. `log` holds the ledger records of all process runs; a restart recovers from it."""

    def __init__(self, settings: VenueSettings, now_ns: int, log: list[bytes] | None = None) -> None:
        self.settings = settings
        self.log: list[bytes] = [] if log is None else log
        self.exchange = Exchange(settings, now_ns, list(self.log), is_logged=True)
        self.now_ns = now_ns

    def restart(self, now_ns: int) -> "SimVenue":
        """The exchange after a kill -9, recovered from the ledger."""
        return SimVenue(self.settings, now_ns, self.log)

    @property
    def next_wake_ns(self) -> int | None:
        return self.exchange.next_wake_ns

    def advance(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.exchange.advance(now_ns)

    def http(self, request: HttpRequest, path: str, now_ns: int) -> tuple[HttpAnswer | None, int]:
        parts = urlsplit(path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.now_ns = now_ns
        venue_request = Request(request.method, parts.path, parts.query, headers, request.body)
        answer = self.exchange.handle(venue_request, now_ns)
        self._keep()
        if answer.status == REFUSED:
            return HttpFailure(False, "connection refused"), 0  # type: ignore[return-value]
        if answer.status == CLOSED or answer.cut_at is not None:
            return None, answer.delay_ns
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status, headers, answer.body), answer.delay_ns

    def open(self, conn_id: int, path: str, now_ns: int) -> bool:
        parts = urlsplit(path)
        return self.exchange.open(conn_id, parts.path, now_ns, parts.query)

    def receive(self, conn_id: int, data: bytes, now_ns: int) -> None:
        self.exchange.receive(conn_id, data, now_ns)

    def close(self, conn_id: int, now_ns: int) -> None:
        self.exchange.close(conn_id, now_ns)

    def take_pushes(self) -> list[tuple[int, bytes | None]]:
        """Text frames and closes; pings are answered here, as client libraries do."""
        self._keep()
        found: list[tuple[int, bytes | None]] = []
        for conn_id, item in self.exchange.take_pushes():
            if isinstance(item, bytes):
                found.append((conn_id, item))
            elif isinstance(item, PingFrame):
                self.exchange.pong(conn_id, self.now_ns)
            elif isinstance(item, Signal) and item is not FREEZE:  # a frozen websocket sends nothing any more
                found.append((conn_id, None))
        return found

    def _keep(self) -> None:
        self.log.extend(self.exchange.take_records())
