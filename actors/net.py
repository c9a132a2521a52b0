"""HTTP and websockets as an actor sees them: requests and answers, no sockets."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec


class HttpRequest(msgspec.Struct):
    """One request. `url` may name a local service of the run ("local://venue/api/v3/time"): the driver resolves it."""

    method: str
    url: str
    headers: dict[str, str] = {}
    body: bytes = b""
    timeout_ms: int = 10_000


class HttpAnswer(msgspec.Struct):
    """What the server answered, whole. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpFailure(msgspec.Struct):
    """No whole answer. `sent` is False only if provably no byte of the request has left this machine's socket."""

    sent: bool
    text: str


class Listener(Protocol):
    """Who is told of a websocket. `link` is what `Actor.connect` has returned."""

    def ws_opened(self, link: "Link") -> None: ...

    def ws_frame(self, link: "Link", data: bytes) -> None: ...

    def ws_closed(self, link: "Link", reason: str) -> None:
        """Called exactly once per link, also when it never opened; after it nothing more comes."""


class Link:
    """One websocket connection, from `connect` to `ws_closed`. Never reused: to reconnect, connect again."""

    __slots__ = ("_do", "is_closed", "is_open", "link_id", "listener", "url")

    def __init__(self, link_id: int, url: str, listener: Listener, do: Callable[..., Any]) -> None:
        self.link_id = link_id
        self.url = url
        self.listener = listener
        self.is_open = False
        self.is_closed = False
        self._do = do

    def send(self, data: str | bytes) -> bool:
        """Queue one frame. False if the connection is not open: then nothing will leave."""
        if not self.is_open:
            return False
        self._do("ws_send", self, data)
        return True

    def close(self) -> None:
        """Close it; `ws_closed` follows."""
        self._do("ws_close", self)
