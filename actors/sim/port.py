"""SimPort: what the sim driver does for one life of one actor."""

from typing import TYPE_CHECKING, Any

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link
from actors.runtime import Runtime

if TYPE_CHECKING:
    from actors.sim.driver import Sim
    from actors.sim.service import ServiceNode

LOCAL = "local://"


class SimPort:
    """Frames become events of the heap; files are lists; `local://NAME/...` is a service of the simulation."""

    runtime: Runtime

    takes_time = False  # in virtual time nothing takes any: see actors.stages

    def __init__(self, sim: "Sim", name: str) -> None:
        self.sim = sim
        self.name = name
        self.alive = True
        self.exit_code: int | None = None
        self.wake_ns: int | None = None
        self.conns: dict[int, tuple[ServiceNode, int]] = {}
        self.hears: dict[str, list[bytes]] = {}  # publisher -> prefixes

    def die(self) -> None:
        """As kill -9: nothing reaches it any more, and its websockets break."""
        self.alive = False
        for node, conn_id in self.conns.values():
            node.close(conn_id, "connection lost")

    # -- the bus --------------------------------------------------------------------------------------

    def pub(self, frame: bytes) -> None:
        sim = self.sim
        for other in sim.nodes.values():
            prefixes = other.hears.get(self.name)
            if prefixes is not None and frame.startswith(tuple(prefixes)):
                sim.at(sim.now_ns + sim.latency_ns, sim.deliver, other, "frame_in", frame)

    def send(self, target: str, frame: bytes) -> bool:
        return self._direct(target, "command_in", frame)

    def reply(self, peer: str, frame: bytes) -> bool:
        return self._direct(peer, "answer_in", frame)

    def _direct(self, name: str, method: str, frame: bytes) -> bool:
        sim, other = self.sim, self.sim.nodes.get(name)
        if other is None:
            return False
        sim.at(sim.now_ns + sim.latency_ns, sim.deliver, other, method, self.name, frame)
        return True

    def subscribe(self, publisher: str, prefix: str) -> None:
        self.hears.setdefault(publisher, []).append(prefix.encode("ascii"))

    # -- the world ------------------------------------------------------------------------------------

    def http(self, request: HttpRequest, then: Any) -> None:
        node, path = self._service(request.url)
        if node is None:
            self.sim.at(self.sim.now_ns, self.answered, then, HttpFailure(False, f"no service at {request.url}"))
        else:
            node.http(self, request, path, then)

    def answered(self, then: Any, answer: HttpAnswer | HttpFailure) -> None:
        self.sim.deliver(self, "call", then, answer)

    def ws_connect(self, link: Link) -> None:
        node, path = self._service(link.url)
        if node is None:
            self.sim.at(self.sim.now_ns, self.ws_event, link, "closed", f"no service at {link.url}")
        else:
            node.connect(self, link, path)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        node, conn_id = self.conns[link.link_id]
        raw = data.encode() if isinstance(data, str) else data
        self.sim.at(self.sim.now_ns + self.sim.net_ns, node.receive, conn_id, raw)

    def ws_close(self, link: Link) -> None:
        node, conn_id = self.conns.get(link.link_id, (None, 0))
        if node is not None:
            node.close(conn_id, "closed by us")

    def ws_event(self, link: Link, kind: str, data: Any) -> None:
        """Something happened on a websocket; nothing more happens after it has closed."""
        if link.is_closed or not self.alive:
            return
        if kind == "closed":
            link.is_open, link.is_closed = False, True
            self.conns.pop(link.link_id, None)
            self.sim.deliver(self, "call", link.listener.ws_closed, link, data)
        elif kind == "opened":
            link.is_open = True
            self.sim.deliver(self, "call", link.listener.ws_opened, link)
        elif link.is_open:
            self.sim.deliver(self, "call", link.listener.ws_frame, link, data)

    def _service(self, url: str) -> tuple["ServiceNode | None", str]:
        if not url.startswith(LOCAL):
            return None, ""
        name, slash, path = url[len(LOCAL) :].partition("/")
        return self.sim.services.get(name), slash + path

    # -- files ----------------------------------------------------------------------------------------

    def append(self, journal: str, record: bytes) -> str:
        self.sim.journals.setdefault((self.name, journal), []).append(bytes(record))
        return ""

    def rewrite(self, journal: str, records: list[bytes]) -> None:
        self.sim.journals[self.name, journal] = [bytes(record) for record in records]

    def stop(self, reason: str, exit_code: int) -> None:
        self.exit_code = exit_code
        if self.sim.nodes.get(self.name) is self:
            del self.sim.nodes[self.name]
        self.die()
