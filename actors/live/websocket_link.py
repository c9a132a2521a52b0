"""What both websocket implementations share: bounds, the events that a link's listener receives, messages in pieces."""

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple, Protocol

from actors.net import Link

NO_CODE = 1005  # close code of a close frame without one
NO_CLOSE_FRAME = 1006  # close code of a connection that ended without a close frame


class WebSocketLimits(NamedTuple):
    """Bounds of one connection."""

    message_bytes: int = 16 * 1024 * 1024  # of a received message; a larger one ends the connection
    backlog_bytes: int = 4 * 1024 * 1024  # sent and not yet taken by the network; above it the connection is given up
    open_s: float = 10.0  # time to connect and to shake hands
    close_s: float = 1.0  # time for the other side to answer our close frame


class HandlerFailed(Exception):
    """A listener's handler raised: a bug, which the event loop's exception handler was given."""


class WebSocket(Protocol):
    """One connection, made of `(url, events, limits, tls)`. Once `open` has returned, `events.closed` follows."""

    async def open(self) -> None:
        """Returns once the handshake is done. Raises what its Implementation lists."""

    async def wait_closed(self) -> None: ...

    def send(self, data: str | bytes) -> None:
        """Send one message, text or binary. Has no effect on a connection that is closing."""

    def close(self) -> None:
        """Send a close frame, wait at most `close_s` for the answer, then disconnect."""


class Implementation(NamedTuple):
    """A class of websockets. `errors`: what its `make` and `open` raise beside OSError and ValueError."""

    name: str
    make: "Callable[[str, LinkEvents, WebSocketLimits, ssl.SSLContext | None], WebSocket]"
    errors: tuple[type[Exception], ...]


class LinkEvents:
    """Reports what happens on a connection to its link's listener, through the driver's `event(call, *args)`."""

    def __init__(self, link: Link, event: Callable[..., None], ended: Callable[[Link], None]) -> None:
        self._link = link
        self._event = event
        self._ended = ended

    def opened(self) -> None:
        self._link.is_open = True
        self._report(self._link.listener.ws_opened)

    def frame(self, data: bytes) -> None:
        self._report(self._link.listener.ws_frame, data)

    def closed(self, reason: str) -> None:
        """The connection has ended. Further calls have no effect."""
        link = self._link
        if link.is_closed:
            return
        link.is_open, link.is_closed = False, True
        self._ended(link)
        self._report(link.listener.ws_closed, reason)

    def _report(self, call: Callable[..., None], *args: str | bytes) -> None:
        """Raises HandlerFailed. The bug goes to the driver from here: websocket libraries would log it and go on."""
        try:
            self._event(call, self._link, *args)
        except BaseException as error:
            context = {"message": "a websocket handler raised", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            raise HandlerFailed from error


class Fragments:
    """Joins a message that comes in several frames."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0

    def __bool__(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._parts)

    @property
    def is_too_large(self) -> bool:
        return self._size > self._max_bytes

    def add(self, data: bytes, is_last: bool) -> bytes | None:
        """The whole message once its last frame is here; None before, and if it is too large."""
        self._parts.append(data)
        self._size += len(data)
        if not is_last or self.is_too_large:
            return None
        whole = b"".join(self._parts)
        self._parts, self._size = [], 0
        return whole
