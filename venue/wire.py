"""What passes between the exchange and its driver: requests, answers, and what is pushed to websockets."""

from enum import Enum

import msgspec


class Request(msgspec.Struct, gc=False):
    """One HTTP request as it came: raw query (no `?`), header names in lower case, the peer's address.

    `received_ns`: when its first bytes came, if that was before it is handled.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    remote: str = "127.0.0.1"
    received_ns: int | None = None


class Response(msgspec.Struct, gc=False):
    """One HTTP answer. Status 0: close the connection without one. `delay_ns`: send it that much later."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    delay_ns: int = 0


class Signal(Enum):
    """What a websocket is told besides text."""

    CLOSE = "close"


CLOSE = Signal.CLOSE


class Ping(msgspec.Struct, frozen=True, gc=False):
    """A websocket ping frame with this payload."""

    payload: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """A websocket pong frame with this payload."""

    payload: bytes


Push = tuple[int, bytes | Ping | Pong | Signal]
"""(connection id, text frame | ping | pong | CLOSE)."""
