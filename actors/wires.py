"""Wires: an actor's sockets, drained in one go. The plain twin of actors/_wires.pyx, and the choice between them."""

import ctypes
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import zmq

from actors import source_first

PUB, SUB, DEALER, ROUTER = 0, 1, 2, 3
BATCH = 256  # messages taken from one socket before the others have their turn
FUNCTIONS = (
    "zmq_msg_init", "zmq_msg_close", "zmq_msg_more", "zmq_msg_data", "zmq_msg_size", "zmq_msg_recv", "zmq_send",
    "zmq_getsockopt",
)  # fmt: skip


class Sink(NamedTuple):
    """Where what arrives goes: three functions, or a Runtime, which has them as methods."""

    frame_in: Callable[[bytes], Any]  # a frame from a publisher
    command_in: Callable[[str, bytes], Any]  # from a peer, on our command socket
    answer_in: Callable[[str, bytes], Any]  # from an actor that we have sent to


class PlainWires:
    """Sockets that are read when their FD says so, and looked at again after every send on them.

    The FD is edge-triggered, and a send swallows its signal: so whatever was sent on is read again, and every read
    goes on until there is nothing.
    """

    def __init__(self, functions: dict[str, int], sink: Any) -> None:
        self._sink = sink
        self._sockets: list[tuple[Any, int, str]] = []
        self._ready: set[int] = set()
        self._sent: set[int] = set()
        self._poll = select.epoll()
        self._by_fd: dict[int, int] = {}
        self.dealers: dict[str, int] = {}  # name -> number
        self.open_dealer: Callable[[str], int]

    def add(self, socket: Any, kind: int, name: str) -> int:
        """The socket's number. PUB sockets are only sent on."""
        at = len(self._sockets)
        self._sockets.append((socket, kind, name))
        if kind == DEALER:
            self.dealers[name] = at
        if kind != PUB:
            self._poll.register(socket.FD, select.EPOLLIN)
            self._by_fd[socket.FD] = at
            self._ready.add(at)
        return at

    def ask(self, target: str, data: bytes) -> bool:
        """`send` on the DEALER of that name; the first time for a name, `open_dealer(name)` adds it."""
        known = self.dealers.get(target)
        return self.send(self.open_dealer(target) if known is None else known, data)

    def send(self, at: int, data: bytes) -> bool:
        """False if it cannot leave now (nobody connected, or its queue is full)."""
        socket, kind, _ = self._sockets[at]
        if kind != PUB:
            self._sent.add(at)
        try:
            socket.send(data, zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def send_to(self, at: int, peer: str, data: bytes) -> bool:
        """On a ROUTER: to one peer. False if it has gone or its queue is full."""
        self._sent.add(at)
        try:
            self._sockets[at][0].send_multipart((peer.encode("latin-1"), data), zmq.DONTWAIT)
        except zmq.ZMQError as error:
            if error.errno in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                return False
            raise
        return True

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
                parts = socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return False
            if kind == SUB:
                self._sink.frame_in(parts[0])
            elif kind == DEALER:
                self._sink.answer_in(name, parts[0])
            elif len(parts) > 1:
                self._sink.command_in(parts[0].decode("latin-1"), parts[1])
        return True

    def settled(self) -> bool:
        """Whether a sleep on the FDs alone would miss nothing."""
        return not (self._ready or self._sent)

    def wait(self, timeout_ns: int) -> bool:
        """Sleep until something may have arrived, a signal came, or the time is over. True if something did."""
        for at in self._sent:
            if self._sockets[at][0].EVENTS & zmq.POLLIN:
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


def libzmq_functions() -> dict[str, int]:
    """Addresses of the functions of the libzmq that pyzmq uses; empty if it cannot be found."""
    folder = Path(zmq.__file__).parent
    beside = [*folder.parent.glob("pyzmq.libs/libzmq*.so*"), *folder.glob("backend/cython/_zmq*.so")]
    for path in beside:
        try:
            library = ctypes.CDLL(str(path))
            found = {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in FUNCTIONS}
        except (OSError, AttributeError):
            continue
        return found
    return {}


LIBZMQ = libzmq_functions()
try:
    if os.environ.get("TICKBUS_PLAIN"):  # they call a compiled Runtime: together or not at all
        raise ImportError("plain was asked for")
    from actors._wires import Wires as FastWires
except ImportError:
    FastWires = None

FAST = FastWires is not None and bool(LIBZMQ)
IMPLEMENTATION = "cython" if FAST else "plain"
Wires: Any = FastWires if FAST else PlainWires
if not FAST:
    source_first.force("actors.poll")  # compiled, it is for the fast wires alone
