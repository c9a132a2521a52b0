"""SimPort: what the sim driver does for one process of an actor."""

from collections.abc import Callable
from typing import Any

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link
from actors.sim.bus import SimBus
from actors.sim.events import Events
from actors.sim.service import ServiceNode

LOCAL = "local://"


class SimPort:
    """A Port. Frames become events, files are lists, and `local://NAME/...` is a service of the simulation.

    `deliver(call, *args)` runs a callback of the actor; `stopped(exit_code)` is called when the actor has ended.
    """

    real_time = False

    def __init__(
        self,
        name: str,
        *,
        events: Events,
        bus: SimBus,
        services: dict[str, ServiceNode],
        journals: dict[tuple[str, str], list[bytes]],
        disk_troubles: dict[str, str],
        net_ns: int,
        deliver: Callable[..., None],
        stopped: Callable[[int], None],
    ) -> None:
        self.subscriptions: dict[str, list[bytes]] = {}  # publisher -> prefixes
        self._name = name
        self._events = events
        self._bus = bus
        self._services = services
        self._journals = journals
        self._disk_troubles = disk_troubles
        self._broken: dict[str, str] = {}  # journals that accept no record until they are rewritten
        self._net_ns = net_ns
        self._deliver = deliver
        self._stopped = stopped
        self._connections: dict[int, tuple[ServiceNode, int]] = {}

    def cut(self) -> None:
        """Breaks each websocket, as the death of the process does."""
        for node, conn_id in self._connections.values():
            node.close(conn_id, "connection lost")

    def rss_bytes(self) -> int:
        return 0

    # -- the bus --------------------------------------------------------------------------------------

    def pub(self, frame: bytes) -> None:
        self._bus.publish(self._name, frame)

    def send(self, target: str, frame: bytes) -> bool:
        return self._bus.send(self._name, target, frame)

    def reply(self, peer: str, frame: bytes) -> bool:
        return self._bus.reply(self._name, peer, frame)

    def subscribe(self, publisher: str, prefix: str) -> None:
        self.subscriptions.setdefault(publisher, []).append(prefix.encode("ascii"))

    # -- HTTP and websockets --------------------------------------------------------------------------

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        node, path = self._service(request.url)
        if node is None:
            self._events.after(0, self.answered, then, HttpFailure(False, f"no service at {request.url}"))
        else:
            node.http(self, request, path, then)

    def answered(self, then: Callable[[Any], None], answer: HttpAnswer | HttpFailure) -> None:
        self._deliver(then, answer)

    def ws_connect(self, link: Link) -> None:
        node, path = self._service(link.url)
        if node is None:
            self._events.after(0, self.ws_event, link, "closed", f"no service at {link.url}")
        else:
            self._connections[link.link_id] = node, node.connect(self, link, path)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        node, conn_id = self._connections[link.link_id]
        self._events.after(self._net_ns, node.receive, conn_id, data.encode() if isinstance(data, str) else data)

    def ws_close(self, link: Link) -> None:
        found = self._connections.get(link.link_id)
        if found is not None:
            node, conn_id = found
            node.close(conn_id, "closed by us")

    def ws_event(self, link: Link, kind: str, data: Any) -> None:
        """Reports an event of a websocket to its listener; there are none after it has closed."""
        if link.is_closed:
            return
        if kind == "closed":
            link.is_open, link.is_closed = False, True
            self._connections.pop(link.link_id, None)
            self._deliver(link.listener.ws_closed, link, data)
        elif kind == "opened":
            link.is_open = True
            self._deliver(link.listener.ws_opened, link)
        elif link.is_open:
            self._deliver(link.listener.ws_frame, link, data)

    def _service(self, url: str) -> tuple[ServiceNode | None, str]:
        if not url.startswith(LOCAL):
            return None, ""
        name, slash, path = url[len(LOCAL) :].partition("/")
        return self._services.get(name), slash + path

    # -- files and the process ------------------------------------------------------------------------

    def append(self, journal: str, record: bytes) -> str:
        if trouble := self._broken.get(journal) or self._disk_troubles.get(self._name):
            self._broken[journal] = trouble
            return trouble
        self._journals.setdefault((self._name, journal), []).append(bytes(record))
        return ""

    def rewrite(self, journal: str, records: list[bytes]) -> str:
        if trouble := self._disk_troubles.get(self._name):
            return trouble
        self._journals[self._name, journal] = [bytes(record) for record in records]
        self._broken.pop(journal, None)
        return ""

    def stop(self, reason: str, exit_code: int) -> None:
        self._stopped(exit_code)
