"""ZmqTransport: the bus over libzmq, by pyzmq. The reference implementation; portable, and the one that taps use."""

import os
import select
import time
from collections.abc import Callable
from typing import Any

import zmq

from actors.identity import identity, peer_identity, peer_name
from actors.live.transport import DEALER, PUB, ROUTER, SUB, Receiver, Transport
from actors.live.transport_limits import (
    BATCH,
    DIRECT_MAX_BYTES,
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    HWM_DIRECT_FRAMES,
    HWM_FRAMES,
    LINGER_MS,
    RECONNECT_MAX_MS,
    RECONNECT_MS,
)
from protocol.frame import MAX_FRAME_BYTES

MAX_SOCKETS = 4_096
NAMES_KEPT = 1_000  # of peers
TYPES = (zmq.PUB, zmq.SUB, zmq.DEALER, zmq.ROUTER)  # by kind


class ZmqTransport(Transport):
    """Sockets of libzmq, read when their FD is signalled, and read again after every send on them.

    A FD of libzmq is edge-triggered, and a send takes its signal away: so a socket that was sent on is read again, and
    every read goes on until nothing is left.
    """

    def __init__(
        self,
        name: str,
        command_path: Callable[[str], str],
        direct_bytes: int = DIRECT_MAX_BYTES,
        token: bytes = b"",
    ) -> None:
        self.implementation = "libzmq"
        self._name = name.encode("ascii")
        self._token = token
        self._names: dict[bytes, str] = {}  # identity -> name, so that a token is compared once
        self._command_path = command_path
        self._hwm_direct = max(1, min(HWM_DIRECT_FRAMES, direct_bytes * HWM_DIRECT_FRAMES // DIRECT_MAX_BYTES))
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, MAX_SOCKETS)
        self._sockets: list[tuple[zmq.Socket[bytes], int, str]] = []
        self._ready: set[int] = set()  # sockets (their number) with something to read
        self._sent: set[int] = set()  # sockets that were sent on and not read since
        self._poll = select.epoll()
        self.fd = self._poll.fileno()
        self._by_fd: dict[Any, int] = {}
        self._by_kind: dict[int, int] = {}  # of the kinds of which there is one socket
        self._dealers: dict[str, int] = {}  # by target

    # -- opening and closing ------------------------------------------------------------------------------

    def bind(self, kind: int, path: str) -> None:
        self._sockets[self._only(kind)][0].bind(f"ipc://{path}")

    def connect(self, kind: int, target: str, path: str) -> None:
        if kind == DEALER and target in self._dealers:
            return
        if kind == DEALER:
            number = self._dealers[target] = self._open(DEALER, target)
        else:
            number = self._only(kind)
        self._sockets[number][0].connect(f"ipc://{path}")

    def subscribe(self, prefix: str) -> None:
        self._sockets[self._only(SUB)][0].subscribe(prefix)

    def close(self) -> None:
        for socket, _, _ in self._sockets:
            socket.close()
        self._context.term()
        self._poll.close()

    def _only(self, kind: int) -> int:
        """The number of the one socket of a kind."""
        number = self._by_kind.get(kind)
        if number is None:
            number = self._by_kind[kind] = self._open(kind, "")
        return number

    def _open(self, kind: int, target: str) -> int:
        socket = self._context.socket(TYPES[kind])
        hwm = self._hwm_direct if kind in (DEALER, ROUTER) else HWM_FRAMES
        options = {
            "LINGER": LINGER_MS, "IMMEDIATE": 1, "MAXMSGSIZE": 2 * MAX_FRAME_BYTES, "SNDHWM": hwm, "RCVHWM": hwm,
            "HEARTBEAT_IVL": HEARTBEAT_MS, "HEARTBEAT_TIMEOUT": HEARTBEAT_TIMEOUT_MS,
            "RECONNECT_IVL": RECONNECT_MS, "RECONNECT_IVL_MAX": RECONNECT_MAX_MS,
        }  # fmt: skip
        if kind == SUB:  # with IMMEDIATE libzmq drops the last frames of a publisher that closes
            options["IMMEDIATE"] = 0
        elif kind == ROUTER:
            options |= {"ROUTER_MANDATORY": 1, "ROUTER_HANDOVER": 1}
        for option, value in options.items():
            socket.set(getattr(zmq, option), value)
        if kind == DEALER:
            socket.set(zmq.ROUTING_ID, identity(self._name, self._token))
        elif kind in (PUB, ROUTER):
            socket.set(zmq.IPC_FILTER_UID, os.geteuid())
        number = len(self._sockets)
        self._sockets.append((socket, kind, target))
        if kind != PUB:
            self._poll.register(socket.FD, select.EPOLLIN)
            self._by_fd[socket.FD] = number
            self._ready.add(number)
        return number

    # -- sending ------------------------------------------------------------------------------------------

    def publish(self, frame: bytes) -> None:
        self._sockets[self._by_kind[PUB]][0].send(frame, zmq.DONTWAIT)

    def send(self, target: str, frame: bytes) -> bool:
        if target not in self._dealers:
            self.connect(DEALER, target, self._command_path(target))
        number = self._dealers[target]
        self._sent.add(number)
        try:
            self._sockets[number][0].send(frame, zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def reply(self, peer: str, frame: bytes) -> bool:
        number = self._by_kind[ROUTER]
        self._sent.add(number)
        try:
            self._sockets[number][0].send_multipart((peer_identity(peer, self._token), frame), zmq.DONTWAIT)
        except zmq.ZMQError as error:
            if error.errno in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                return False
            raise
        return True

    def flush(self) -> None:
        """Nothing is queued here: libzmq was handed each frame at once."""

    # -- receiving ----------------------------------------------------------------------------------------

    def drain(self, sink: Receiver) -> bool:
        numbers, self._ready, self._sent = self._ready | self._sent, set(), set()
        for kind in (SUB, DEALER, ROUTER):
            for number in sorted(numbers):
                if self._sockets[number][1] == kind and self._drain_one(number, sink):
                    self._ready.add(number)
        return bool(self._ready)

    def _drain_one(self, number: int, sink: Receiver) -> bool:
        socket, kind, target = self._sockets[number]
        for _ in range(BATCH):
            try:
                parts = socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return False
            if kind == SUB:
                sink.frame_in(parts[0])
            elif kind == DEALER:
                sink.answer_in(target, parts[0])
            elif len(parts) > 1:
                sink.command_in(self._names.get(parts[0]) or self._name_of(parts[0]), parts[1])
        return True

    def _name_of(self, received: bytes) -> str:
        if len(self._names) >= NAMES_KEPT:
            self._names.clear()
        name = self._names[received] = peer_name(received, self._token)
        return name

    # -- waiting ------------------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        return not (self._ready or self._sent)

    def wait(self, timeout_ns: int) -> bool:
        for number in self._sent:
            if int(self._sockets[number][0].EVENTS) & zmq.POLLIN:
                self._ready.add(number)
        self._sent.clear()
        found = bool(self._ready)
        events = self._poll.poll(0 if found else timeout_ns / 1e9)
        self._ready.update(self._by_fd[fd] for fd, _ in events)
        return found or bool(events)

    def now_ns(self) -> int:
        return time.monotonic_ns()
