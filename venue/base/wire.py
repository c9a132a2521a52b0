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


CLOSED = 0
"""The status of no answer: the connection is closed without one."""
REFUSED = -1
"""The status of no answer where the connection itself would have been refused."""


class Response(msgspec.Struct, gc=False):
    """One HTTP answer, or (CLOSED, REFUSED) none. `delay_ns`: send it that much later.

    `cut_at`: the connection ends after so many bytes of the body, which was announced in full.
    """

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    delay_ns: int = 0
    cut_at: int | None = None


class Signal(Enum):
    """What a websocket is told besides text."""

    CLOSE = "close"
    RESET = "reset"  # break the connection, with no word
    FREEZE = "freeze"  # neither read nor write any more, and do not close: what a peer sees whose other side is gone


CLOSE, RESET, FREEZE = Signal.CLOSE, Signal.RESET, Signal.FREEZE


class Ping(msgspec.Struct, frozen=True, gc=False):
    """A websocket ping frame with this payload."""

    payload: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """A websocket pong frame with this payload."""

    payload: bytes


Push = tuple[int, bytes | Ping | Pong | Signal]
"""(connection id, text frame | ping | pong | CLOSE | RESET | FREEZE)."""
