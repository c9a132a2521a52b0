"""A server inside a simulation: HTTP requests and websockets of actors reach it as plain calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link

if TYPE_CHECKING:
    from actors.sim.driver import Sim
    from actors.sim.port import SimPort


class Service(Protocol):
    """What a server core must offer to be simulated (venue/sim_service.py makes one of the local exchange)."""

    @property
    def next_wake_ns(self) -> int | None:
        """When `advance` wants to be called next."""

    def advance(self, now_ns: int) -> None: ...

    def http(self, request: HttpRequest, path: str, now_ns: int) -> tuple[HttpAnswer | None, int]:
        """(answer, delay in ns); None: the connection is closed without an answer. `path` includes the query."""

    def open(self, conn_id: int, path: str, now_ns: int) -> bool:
        """False if the path is not served."""

    def receive(self, conn_id: int, data: bytes, now_ns: int) -> None: ...

    def close(self, conn_id: int, now_ns: int) -> None: ...

    def take_pushes(self) -> list[tuple[int, bytes | None]]:
        """Frames for websockets since the last call; None closes the connection."""


class ServiceNode:
    """One service in one simulation: delays, deliveries, wake-ups."""

    def __init__(self, sim: Sim, service: Service) -> None:
        self.service = service
        self.up = True
        self._sim = sim
        self._links: dict[int, tuple[SimPort, Link]] = {}
        self._coming: dict[int, tuple[SimPort, Link]] = {}  # on their way to the server
        self._count = 0
        self._wake_ns: int | None = None
        sim.at(sim.now_ns, self._advance, None)

    def down(self) -> None:
        """The server has died: every connection breaks, requests fail, until `back`."""
        self.up = False
        for conn_id in list(self._links):
            self._drop(conn_id, "connection lost")

    def back(self, service: Service) -> None:
        """It is there again, with this core."""
        self.service, self.up = service, True
        self._wake_ns = None
        self._advance(None)

    def http(self, port: SimPort, request: HttpRequest, path: str, then: Any) -> None:
        """One request, `net_ns` there and `net_ns` back."""
        self._sim.at(self._sim.now_ns + self._sim.net_ns, self._handle, port, request, path, then)

    def _handle(self, port: SimPort, request: HttpRequest, path: str, then: Any) -> None:
        sim = self._sim
        if not self.up:
            sim.at(sim.now_ns, port.answered, then, HttpFailure(False, "connection refused"))
            return
        answer, delay_ns = self.service.http(request, path, sim.now_ns)
        timeout_ns = request.timeout_ms * 1_000_000
        if delay_ns + 2 * sim.net_ns > timeout_ns:
            sim.at(sim.now_ns + timeout_ns, port.answered, then, HttpFailure(True, "timed out"))
        elif answer is None:
            sim.at(sim.now_ns + delay_ns + sim.net_ns, port.answered, then, HttpFailure(True, "connection lost"))
        else:
            sim.at(sim.now_ns + delay_ns + sim.net_ns, port.answered, then, answer)
        self.flush()

    def connect(self, port: SimPort, link: Link, path: str) -> None:
        self._count += 1
        port.conns[link.link_id] = (self, self._count)
        self._coming[self._count] = (port, link)
        self._sim.at(self._sim.now_ns + self._sim.net_ns, self._open, port, link, self._count, path)

    def _open(self, port: SimPort, link: Link, conn_id: int, path: str) -> None:
        sim = self._sim
        if self._coming.pop(conn_id, None) is None:  # hung up before it was there
            return
        if not self.up:
            sim.at(sim.now_ns, port.ws_event, link, "closed", "connection refused")
            return
        if not self.service.open(conn_id, path, sim.now_ns):
            sim.at(sim.now_ns + sim.net_ns, port.ws_event, link, "closed", "refused (404)")
            return
        self._links[conn_id] = (port, link)
        sim.at(sim.now_ns + sim.net_ns, port.ws_event, link, "opened", b"")
        self.flush()

    def receive(self, conn_id: int, data: bytes) -> None:
        if conn_id in self._links and self.up:
            self.service.receive(conn_id, data, self._sim.now_ns)
            self.flush()

    def close(self, conn_id: int, reason: str) -> None:
        """The actor's side hung up."""
        if conn_id in self._links and self.up:
            self.service.close(conn_id, self._sim.now_ns)
        self._drop(conn_id, reason)

    def _drop(self, conn_id: int, reason: str) -> None:
        found = self._links.pop(conn_id, None) or self._coming.pop(conn_id, None)
        if found is not None:
            port, link = found
            self._sim.at(self._sim.now_ns + self._sim.net_ns, port.ws_event, link, "closed", reason)

    def flush(self) -> None:
        """Send the service's pushes on their way, and see that it is woken in time."""
        sim = self._sim
        for conn_id, data in self.service.take_pushes():
            if data is None:
                self._drop(conn_id, "closed by the server")
                continue
            port, link = self._links.get(conn_id, (None, None))
            if port is not None:
                sim.at(sim.now_ns + sim.net_ns, port.ws_event, link, "frame", data)
        wake_ns = self.service.next_wake_ns
        if wake_ns is not None and (self._wake_ns is None or wake_ns < self._wake_ns):
            self._wake_ns = max(wake_ns, sim.now_ns + 1)
            sim.at(self._wake_ns, self._advance, self._wake_ns)

    def _advance(self, wake_ns: int | None) -> None:
        if self.up and wake_ns == self._wake_ns:
            self._wake_ns = None
            self.service.advance(self._sim.now_ns)
            self.flush()
