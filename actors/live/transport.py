"""Transport: an actor's sockets on the bus, as the drivers see them. Two classes implement it (see transport_choice).

Compiled as it stands, so that the loops call a compiled implementation without a detour through Python.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from actors.live.transport_limits import DIRECT_MAX_BYTES

PUB, SUB, DEALER, ROUTER = 0, 1, 2, 3


class Receiver(Protocol):
    """The methods that `drain` calls with what has arrived: a Runtime, or a Sink."""

    def frame_in(self, data: bytes, /) -> Any: ...

    def command_in(self, peer: str, data: bytes, /) -> Any: ...

    def answer_in(self, target: str, data: bytes, /) -> Any: ...


class Sink(NamedTuple):
    """A Receiver of three functions."""

    frame_in: Callable[[bytes], Any]  # (frame) from a publisher
    command_in: Callable[[str, bytes], Any]  # (peer, frame) received on our command socket
    answer_in: Callable[[str, bytes], Any]  # (target, frame) from an actor to which we have sent


class Transport:
    """Sockets of one actor. No method blocks, except `wait` for its timeout and `close` for LINGER_MS.

    `fd` is readable when `wait(0)` would return True. `implementation`, for the log: "cython" or "libzmq".
    """

    fd: int
    implementation: str

    def __init__(
        self,
        name: str,
        command_path: Callable[[str], str],
        direct_bytes: int = DIRECT_MAX_BYTES,
        token: bytes = b"",
    ) -> None:
        """`name`: our name on command sockets. `command_path(target)`: path of another actor's command socket.

        `direct_bytes`: maximum that waits for one peer of a command socket. `token`: the run's, sent to command
        sockets; the name of a peer that has not sent it begins with READER. Processes of other users are refused.
        """

    def bind(self, kind: int, path: str) -> None:
        """Listen at `path` as PUB or ROUTER. Raises OSError."""
        raise NotImplementedError

    def connect(self, kind: int, target: str, path: str) -> None:
        """Connect to an actor's PUB or ROUTER as soon as it listens, and again whenever the connection is lost.

        As DEALER (to a ROUTER) there is one connection a target: further calls have no effect.
        """
        raise NotImplementedError

    def subscribe(self, prefix: str) -> None:
        """Receive frames that begin with `prefix` from all publishers connected to, now and later."""
        raise NotImplementedError

    def publish(self, frame: bytes) -> None:
        """Send to all subscribers of a prefix of it. It leaves with `flush`, at the latest."""
        raise NotImplementedError

    def send(self, target: str, frame: bytes) -> bool:
        """Send to an actor's command socket; the first call for a target begins to connect.

        False if the target is not connected or its queue is full: the frame is dropped.
        """
        raise NotImplementedError

    def reply(self, peer: str, frame: bytes) -> bool:
        """Send to one peer of our ROUTER. False if it is not connected or its queue is full: the frame is dropped."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write what is queued. Drivers call this when they have performed all effects of a turn."""
        raise NotImplementedError

    def drain(self, sink: Receiver) -> bool:
        """Deliver what has arrived to `sink`: data before answers before commands. True if there may be more."""
        raise NotImplementedError

    def is_idle(self) -> bool:
        """Whether nothing is left to drain or to flush, so that a sleep on `fd` misses nothing."""
        raise NotImplementedError

    def wait(self, timeout_ns: int) -> bool:
        """Flush, then sleep until something may have arrived (True), a signal came, or the time is over."""
        raise NotImplementedError

    def now_ns(self) -> int:
        """Monotonic time."""
        raise NotImplementedError

    def close(self) -> None:
        """Wait at most LINGER_MS for the last frames to leave, then close all sockets."""
        raise NotImplementedError
