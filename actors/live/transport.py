"""Wires: an actor's sockets, drained in one go. The plain twin of _transport.pyx, and the choice between them."""

import os
import select
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from actors import source_first
from actors.live.transport_limits import (
    BATCH,
    DIRECT_MAX_BYTES,
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    LINGER_MS,
    RECONNECT_MAX_MS,
    RECONNECT_MS,
)
from protocol.frame import MAX_FRAME_BYTES

PUB, SUB, DEALER, ROUTER = 0, 1, 2, 3
HWM_FRAMES = 100_000  # libzmq counts frames, not bytes
HWM_DIRECT_FRAMES = 10_000


class Sink(NamedTuple):
    """Where what arrives goes: three functions, or a Runtime, which has them as methods."""

    frame_in: Callable[[bytes], Any]  # a frame from a publisher
    command_in: Callable[[str, bytes], Any]  # from a peer, on our command socket
    answer_in: Callable[[str, bytes], Any]  # from an actor that we have sent to


class PlainWires:
    """Sockets of libzmq, read when their FD says so, and looked at again after every send on them.

    Any FD of libzmq is edge-triggered, and a send swallows its signal: so whatever was sent on is read again, and every
    read goes on until there is nothing. `fd` is readable when `wait(0)` would find something.
    """

    def __init__(self, sink: Any, name: str = "", direct_bytes: int = DIRECT_MAX_BYTES) -> None:
        import zmq  # an actor on the fast wires does without

        self._zmq = zmq
        self._sink = sink
        self._name = name.encode("ascii")
        self._hwm_direct = max(1, min(HWM_DIRECT_FRAMES, direct_bytes * HWM_DIRECT_FRAMES // DIRECT_MAX_BYTES))
        self._context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 4_096)
        self._sockets: list[tuple[Any, int, str]] = []
        self._ready: set[int] = set()
        self._sent: set[int] = set()
        self._poll = select.epoll()
        self.fd = self._poll.fileno()
        self._by_fd: dict[int, int] = {}
        self._at: dict[int, int] = {}  # kind -> number, of those that there is one of
        self.dealers: dict[str, int] = {}  # target -> number
        self.open_dealer: Callable[[str], Any]

    # -- making connections -------------------------------------------------------------------------------

    def bind(self, kind: int, path: str) -> None:
        """Be there for others: a PUB or a ROUTER."""
        self._sockets[self._one(kind)][0].bind(f"ipc://{path}")

    def connect(self, kind: int, target: str, path: str) -> None:
        """Connect to an actor's PUB or ROUTER as soon as it is there, and anew whenever it has gone."""
        if kind == DEALER:
            at = self.dealers[target] = self._open(DEALER, target)
        else:
            at = self._one(kind)
        self._sockets[at][0].connect(f"ipc://{path}")

    def subscribe(self, prefix: str) -> None:
        """Hear what begins so, of all publishers."""
        self._sockets[self._one(SUB)][0].subscribe(prefix)

    def _one(self, kind: int) -> int:
        at = self._at.get(kind)
        if at is None:
            at = self._at[kind] = self._open(kind, "")
        return at

    def _open(self, kind: int, target: str) -> int:
        zmq = self._zmq
        socket = self._context.socket((zmq.PUB, zmq.SUB, zmq.DEALER, zmq.ROUTER)[kind])
        hwm = self._hwm_direct if kind in (DEALER, ROUTER) else HWM_FRAMES
        options = {
            "LINGER": LINGER_MS, "IMMEDIATE": 1, "MAXMSGSIZE": 2 * MAX_FRAME_BYTES, "SNDHWM": hwm, "RCVHWM": hwm,
            "HEARTBEAT_IVL": HEARTBEAT_MS, "HEARTBEAT_TIMEOUT": HEARTBEAT_TIMEOUT_MS,
            "RECONNECT_IVL": RECONNECT_MS, "RECONNECT_IVL_MAX": RECONNECT_MAX_MS,
        }  # fmt: skip
        if kind == SUB:  # with IMMEDIATE libzmq drops what a publisher that goes has said last
            options["IMMEDIATE"] = 0
        elif kind == ROUTER:
            options |= {"ROUTER_MANDATORY": 1, "ROUTER_HANDOVER": 1}
        for option, value in options.items():
            socket.set(getattr(zmq, option), value)
        if kind == DEALER:
            socket.set(zmq.ROUTING_ID, self._name)
        at = len(self._sockets)
        self._sockets.append((socket, kind, target))
        if kind != PUB:
            self._poll.register(socket.FD, select.EPOLLIN)
            self._by_fd[socket.FD] = at
            self._ready.add(at)
        return at

    # -- sending ------------------------------------------------------------------------------------------

    def publish(self, data: bytes) -> None:
        """To all that have subscribed to it."""
        self._sockets[self._at[PUB]][0].send(data, self._zmq.DONTWAIT)

    def ask(self, target: str, data: bytes) -> bool:
        """To an actor's command socket; the first time for a name, `open_dealer(name)` connects to it.

        False if it cannot leave now (nobody is connected, or its queue is full).
        """
        if target not in self.dealers:
            self.open_dealer(target)
        at = self.dealers[target]
        self._sent.add(at)
        try:
            self._sockets[at][0].send(data, self._zmq.DONTWAIT)
        except self._zmq.Again:
            return False
        return True

    def send_to(self, peer: str, data: bytes) -> bool:
        """On our ROUTER, to one peer. False if it has gone or its queue is full."""
        at = self._at[ROUTER]
        self._sent.add(at)
        try:
            self._sockets[at][0].send_multipart((peer.encode("latin-1"), data), self._zmq.DONTWAIT)
        except self._zmq.ZMQError as error:
            if error.errno in (self._zmq.EAGAIN, self._zmq.EHOSTUNREACH):
                return False
            raise
        return True

    def flush(self) -> None:
        """Let go what was queued: libzmq did at once."""

    # -- receiving ----------------------------------------------------------------------------------------

    def drain(self) -> bool:
        """Hand over what has arrived: data before answers before commands. True if there may be more."""
        look, self._ready, self._sent = self._ready | self._sent, set(), set()
        for kind in (SUB, DEALER, ROUTER):
            for at in sorted(look):
                if self._sockets[at][1] == kind and self._drain_one(at):
                    self._ready.add(at)
        return bool(self._ready)

    def _drain_one(self, at: int) -> bool:
        socket, kind, name = self._sockets[at]
        for _ in range(BATCH):
            try:
                parts = socket.recv_multipart(self._zmq.DONTWAIT)
            except self._zmq.Again:
                return False
            if kind == SUB:
                self._sink.frame_in(parts[0])
            elif kind == DEALER:
                self._sink.answer_in(name, parts[0])
            elif len(parts) > 1:
                self._sink.command_in(parts[0].decode("latin-1"), parts[1])
        return True

    def settled(self) -> bool:
        """Whether a sleep on `fd` would miss nothing."""
        return not (self._ready or self._sent)

    def wait(self, timeout_ns: int) -> bool:
        """Sleep until something may have arrived, a signal came, or the time is over. True if something did."""
        for at in self._sent:
            if self._sockets[at][0].EVENTS & self._zmq.POLLIN:
                self._ready.add(at)
        self._sent.clear()
        found = bool(self._ready)
        events = self._poll.poll(0 if found else timeout_ns / 1e9)
        self._ready.update(self._by_fd[fd] for fd, _ in events)
        return found or bool(events)

    @staticmethod
    def now_ns() -> int:
        """Monotonic time."""
        return time.monotonic_ns()

    def close(self) -> None:
        """Let the last frames leave, then go."""
        for socket, _, _ in self._sockets:
            socket.close()
        self._context.term()
        self._poll.close()


try:
    if os.environ.get("TICKBUS_PLAIN"):  # they call a compiled Runtime: together or not at all
        raise ImportError("plain was asked for")
    from actors.live._transport import Wires as FastWires
except ImportError:
    FastWires = None

FAST = FastWires is not None
IMPLEMENTATION = "cython" if FAST else "plain"
Wires: Any = FastWires if FAST else PlainWires
if not FAST:
    source_first.force("actors.live.poll")  # compiled, it is for the fast wires alone
