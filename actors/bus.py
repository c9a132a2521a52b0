"""The sockets of one actor on a run's bus, with the options that keep ZeroMQ from failing silently."""

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import zmq

from actors.wires import DEALER, LIBZMQ, PUB, ROUTER, SUB, Wires
from protocol.frame import MAX_FRAME_BYTES

HWM_PUB = 100_000  # frames kept for a slow subscriber; what does not fit is lost to it, and its seq shows it
HWM_SUB = 100_000
HWM_DIRECT = 10_000
LINGER_MS = 200  # how long a stopping actor waits for its last frames to leave
HEARTBEAT_MS = 200
HEARTBEAT_TIMEOUT_MS = 600  # a peer that is frozen or gone is cut off in this time
RECONNECT_MS = 20
RECONNECT_MAX_MS = 500


class Bus:
    """PUB and ROUTER bound under the actor's name; one SUB over all publishers; one DEALER an actor that it asks.

    No queue holds anything for an actor that is not there (IMMEDIATE, MANDATORY). A frame above MAXMSGSIZE would cut
    the connection for good, so senders refuse at half of it. `sink` takes what arrives: a Runtime or a Sink.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        sink: Any,
        wires: Any = Wires,
        *,
        bind: bool = True,
    ) -> None:
        self.name = name
        self._folder = folder
        self._context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 4_096)
        self._sockets: list[zmq.Socket[bytes]] = []
        self.wires = wires(LIBZMQ, sink)
        self.wires.open_dealer = self.connect
        self.send: Callable[[str, bytes], bool] = self.wires.ask
        self._publishers: set[str] = set()
        self.fds: list[int] = []
        self.on_new_fd: Callable[[int], None] = self.fds.append
        # With IMMEDIATE libzmq drops what a publisher that goes has said last; a hearer has nothing to queue anyway.
        self._sub = self._socket(zmq.SUB, RCVHWM=HWM_SUB, IMMEDIATE=0)
        self.wires.add(self._sub, SUB, "")
        if bind:
            pub = self._socket(zmq.PUB, SNDHWM=HWM_PUB)
            router = self._socket(zmq.ROUTER, ROUTER_MANDATORY=1, ROUTER_HANDOVER=1)
            # The shortest way for what goes out most: no Python between the actor and the socket.
            self.pub: Callable[[bytes], None] = partial(self.wires.send, self.wires.add(pub, PUB, ""))
            self.reply: Callable[[str, bytes], bool] = partial(
                self.wires.send_to, self.wires.add(router, ROUTER, "")
            )
            for socket, suffix in ((router, "cmd"), (pub, "pub")):
                path = folder / f"{name}.{suffix}"
                path.unlink(missing_ok=True)  # ours by the lock on the name; a dead holder leaves it behind
                socket.bind(f"ipc://{path}")

    def _socket(self, kind: int, **options: int) -> "zmq.Socket[bytes]":
        socket = self._context.socket(kind)
        defaults = {
            "LINGER": LINGER_MS, "IMMEDIATE": 1, "MAXMSGSIZE": 2 * MAX_FRAME_BYTES, "SNDHWM": HWM_DIRECT,
            "RCVHWM": HWM_DIRECT, "HEARTBEAT_IVL": HEARTBEAT_MS, "HEARTBEAT_TIMEOUT": HEARTBEAT_TIMEOUT_MS,
            "HEARTBEAT_TTL": HEARTBEAT_TIMEOUT_MS, "RECONNECT_IVL": RECONNECT_MS, "RECONNECT_IVL_MAX": RECONNECT_MAX_MS,
        }  # fmt: skip
        for option, value in (defaults | options).items():
            socket.set(getattr(zmq, option), value)
        self._sockets.append(socket)
        if kind != zmq.PUB:
            self.on_new_fd(socket.FD)
        return socket

    def connect(self, target: str) -> int:
        """Begin to connect to an actor's command socket; sends fail until it is there."""
        socket = self._socket(zmq.DEALER)
        socket.set(zmq.ROUTING_ID, self.name.encode("ascii"))
        socket.connect(f"ipc://{self._folder / target}.cmd")
        return int(self.wires.add(socket, DEALER, target))

    def subscribe(self, publisher: str, prefix: str) -> None:
        if publisher not in self._publishers:
            self._publishers.add(publisher)
            self._sub.connect(f"ipc://{self._folder / publisher}.pub")
            if publisher not in self.wires.dealers:
                self.connect(publisher)
        self._sub.subscribe(prefix)

    def close(self) -> None:
        """Let the last frames leave, then close everything and take the names away."""
        for socket in self._sockets:
            socket.close()
        self._context.term()
        for suffix in ("cmd", "pub"):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / f"{self.name}.{suffix}").unlink()
