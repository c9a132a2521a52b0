"""Messages between the exchange and its driver: requests, answers, and frames pushed to websockets."""

from enum import Enum

import msgspec


class Request(msgspec.Struct, gc=False):
    """One HTTP request: raw query (without `?`), header names in lower case, the peer's address.

    `received_ns`: when its headers were complete, if that was before it is handled.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    remote: str = "127.0.0.1"
    received_ns: int | None = None


CLOSED = 0
"""Status for a connection that is closed without an answer."""
REFUSED = -1
"""Status for a request whose connection would have been refused."""


class Response(msgspec.Struct, gc=False):
    """One HTTP answer, or none (CLOSED, REFUSED). `delay_ns`: how much later to send it.

    `cut_at`: the connection closes after this many bytes of the body; content-length gives the full length.
    """

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    delay_ns: int = 0
    cut_at: int | None = None


class Signal(Enum):
    """Instructions for a websocket besides frames."""

    CLOSE = "close"
    RESET = "reset"  # reset the connection, without a close frame
    FREEZE = "freeze"  # stop reading and writing, without closing: a half-open connection


CLOSE, RESET, FREEZE = Signal.CLOSE, Signal.RESET, Signal.FREEZE


class PingFrame(msgspec.Struct, frozen=True, gc=False):
    """A websocket ping frame with this payload."""

    payload: bytes


class PongFrame(msgspec.Struct, frozen=True, gc=False):
    """A websocket pong frame with this payload."""

    payload: bytes


Push = tuple[int, bytes | PingFrame | PongFrame | Signal]
"""(connection id, text frame | ping | pong | CLOSE | RESET | FREEZE)."""
