"""Services: servers inside a simulation. HTTP requests and websockets of actors reach them as plain calls."""

from collections.abc import Callable
from typing import Any, Protocol

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link
from actors.sim.events import Events


class Service(Protocol):
    """What a server core must offer to be simulated (venue/sim_service.py makes one of the local exchange)."""

    @property
    def next_wake_ns(self) -> int | None:
        """When `advance` is to be called next; None for never."""

    def advance(self, now_ns: int) -> None: ...

    def http(self, request: HttpRequest, path: str, now_ns: int) -> tuple[HttpAnswer | None, int]:
        """(answer, delay in ns); None: the connection is closed without an answer. `path` includes the query."""

    def open(self, conn_id: int, path: str, now_ns: int) -> bool:
        """False if the path is not served."""

    def receive(self, conn_id: int, data: bytes, now_ns: int) -> None: ...

    def close(self, conn_id: int, now_ns: int) -> None: ...

    def take_pushes(self) -> list[tuple[int, bytes | None]]:
        """Frames for websockets since the last call; None closes the connection."""


class Client(Protocol):
    """The side of a connection that belongs to an actor."""

    def answered(self, then: Callable[[Any], None], answer: HttpAnswer | HttpFailure) -> None:
        """Hands an answer to the actor's callback."""

    def ws_event(self, link: Link, kind: str, data: Any) -> None:
        """Reports an event of a websocket: "opened", "frame" or "closed"."""


class ServiceNode:
    """One service in one simulation: its delays, deliveries and timers. `net_ns`: the network's delay one way."""

    def __init__(self, events: Events, service: Service, net_ns: int) -> None:
        self.service = service
        self.up = True
        self._events = events
        self._net_ns = net_ns
        self._links: dict[int, tuple[Client, Link]] = {}
        self._coming: dict[int, tuple[Client, Link]] = {}  # requests to connect on their way to the server
        self._count = 0
        self._wake_ns: int | None = None
        events.after(0, self._advance, None)

    def down(self) -> None:
        """The server dies: each connection breaks, and requests fail until `back`."""
        self.up = False
        for conn_id in list(self._links):
            self._drop(conn_id, "connection lost")

    def back(self, service: Service) -> None:
        """The server runs again, with this core."""
        self.service, self.up = service, True
        self._wake_ns = None
        self._advance(None)

    def http(self, client: Client, request: HttpRequest, path: str, then: Callable[[Any], None]) -> None:
        """Carries one request, `net_ns` there and `net_ns` back."""
        self._events.after(self._net_ns, self._handle, client, request, path, then)

    def _handle(self, client: Client, request: HttpRequest, path: str, then: Callable[[Any], None]) -> None:
        events, net_ns = self._events, self._net_ns
        if not self.up:
            events.after(0, client.answered, then, HttpFailure(False, "connection refused"))
            return
        answer, delay_ns = self.service.http(request, path, events.now_ns)
        timeout_ns = request.timeout_ms * 1_000_000
        if delay_ns + 2 * net_ns > timeout_ns:
            events.after(timeout_ns, client.answered, then, HttpFailure(True, "timed out"))
        elif answer is None:
            events.after(delay_ns + net_ns, client.answered, then, HttpFailure(True, "connection lost"))
        else:
            events.after(delay_ns + net_ns, client.answered, then, answer)
        self.flush()

    def connect(self, client: Client, link: Link, path: str) -> int:
        """Begins to open a websocket. Returns the connection's number, for `receive` and `close`."""
        self._count += 1
        self._coming[self._count] = (client, link)
        self._events.after(self._net_ns, self._open, client, link, self._count, path)
        return self._count

    def _open(self, client: Client, link: Link, conn_id: int, path: str) -> None:
        events = self._events
        if self._coming.pop(conn_id, None) is None:  # closed before it reached the server
            return
        if not self.up:
            events.after(0, client.ws_event, link, "closed", "connection refused")
            return
        if not self.service.open(conn_id, path, events.now_ns):
            events.after(self._net_ns, client.ws_event, link, "closed", "refused (404)")
            return
        self._links[conn_id] = (client, link)
        events.after(self._net_ns, client.ws_event, link, "opened", b"")
        self.flush()

    def receive(self, conn_id: int, data: bytes) -> None:
        """Hands a frame of the actor to the server."""
        if conn_id in self._links and self.up:
            self.service.receive(conn_id, data, self._events.now_ns)
            self.flush()

    def close(self, conn_id: int, reason: str) -> None:
        """The actor's side has closed the connection."""
        if conn_id in self._links and self.up:
            self.service.close(conn_id, self._events.now_ns)
        self._drop(conn_id, reason)

    def _drop(self, conn_id: int, reason: str) -> None:
        found = self._links.pop(conn_id, None) or self._coming.pop(conn_id, None)
        if found is not None:
            client, link = found
            self._events.after(self._net_ns, client.ws_event, link, "closed", reason)

    def flush(self) -> None:
        """Sends what the service has pushed, and sets the timer for its next wake-up."""
        for conn_id, data in self.service.take_pushes():
            if data is None:
                self._drop(conn_id, "closed by the server")
                continue
            found = self._links.get(conn_id)
            if found is not None:
                client, link = found
                self._events.after(self._net_ns, client.ws_event, link, "frame", data)
        wake_ns = self.service.next_wake_ns
        if wake_ns is not None and (self._wake_ns is None or wake_ns < self._wake_ns):
            self._wake_ns = max(wake_ns, self._events.now_ns + 1)
            self._events.at(self._wake_ns, self._advance, self._wake_ns)

    def _advance(self, wake_ns: int | None) -> None:
        if self.up and wake_ns == self._wake_ns:
            self._wake_ns = None
            self.service.advance(self._events.now_ns)
            self.flush()
