"""HTTP and websockets as an actor sees them: requests and answers, no sockets."""

from typing import Protocol

import msgspec


class HttpRequest(msgspec.Struct):
    """One request. `url` may name a local service of the run ("local://venue/api/v3/time"): the driver resolves it."""

    method: str
    url: str
    headers: dict[str, str] = {}
    body: bytes = b""
    timeout_ms: int = 10_000


class HttpAnswer(msgspec.Struct):
    """A complete answer of the server. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpFailure(msgspec.Struct):
    """No complete answer. `sent` is False only if certainly no byte of the request has left this process."""

    sent: bool
    text: str


class Listener(Protocol):
    """Receives the events of a websocket. `link` is the result of `Actor.connect`."""

    def ws_opened(self, link: "Link") -> None:
        """The connection is open."""

    def ws_frame(self, link: "Link", data: bytes) -> None:
        """A frame was received."""

    def ws_closed(self, link: "Link", reason: str) -> None:
        """Called exactly once for each link, also if it never opened; no event comes after it."""


class LinkEffects(Protocol):
    """What a Link does with its connection; each of the three returns at once."""

    def ws_send(self, link: "Link", data: str | bytes) -> None:
        """Queues a frame for the connection."""

    def ws_send_now(self, link: "Link", data: str | bytes) -> None:
        """Sends a frame before all queued effects."""

    def ws_close(self, link: "Link") -> None:
        """Queues the closing of the connection."""


class Link:
    """One websocket connection, from `connect` to `ws_closed`. Never reused: to reconnect, connect again."""

    __slots__ = ("_effects", "is_closed", "is_open", "link_id", "listener", "url")

    def __init__(self, link_id: int, url: str, listener: Listener, effects: LinkEffects) -> None:
        self.link_id = link_id
        self.url = url
        self.listener = listener
        self.is_open = False
        self.is_closed = False
        self._effects = effects

    def send(self, data: str | bytes) -> bool:
        """Queue one frame. False if the connection is not open: then nothing will leave."""
        if not self.is_open:
            return False
        self._effects.ws_send(self, data)
        return True

    def send_now(self, data: str | bytes) -> bool:
        """Send one frame at once, before all queued effects. False if the connection is not open.

        Only for code that is itself an effect in progress (the `then` of an append): an order may leave only after its
        journal record is written, and must not wait behind the publications queued since.
        """
        if not self.is_open:
            return False
        self._effects.ws_send_now(self, data)
        return True

    def close(self) -> None:
        """Close it; `ws_closed` follows."""
        self._effects.ws_close(self)
