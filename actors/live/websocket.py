"""WebSockets: all websockets of a live actor, and the choice of their implementation."""

import asyncio
import os
import ssl
from collections.abc import Callable
from functools import cache

from actors.live.websocket_link import Implementation, LinkEvents, WebSocket, WebSocketLimits
from actors.net import Link

LIMITS = WebSocketLimits()
ERRORS = (TimeoutError, OSError, ValueError)


def choose() -> Implementation:
    """picows; `websockets` where picows is not installed or TICKBUS_PLAIN is 1."""
    if os.environ.get("TICKBUS_PLAIN") != "1":
        try:
            from actors.live.websocket_picows import PICOWS
        except ImportError:
            pass
        else:
            return PICOWS
    from actors.live.websocket_plain import PLAIN

    return PLAIN


@cache
def default_tls() -> ssl.SSLContext:
    """Made once: loading the certificates takes some 20 ms."""
    return ssl.create_default_context()


class WebSockets:
    """`event(call, *args)` runs a callback in the actor; `resolve(url, scheme)` fills in a local service's address."""

    def __init__(
        self,
        event: Callable[..., None],
        resolve: Callable[[str, str], str],
        *,
        implementation: Implementation | None = None,
        limits: WebSocketLimits = LIMITS,
        tls: Callable[[], ssl.SSLContext] = default_tls,
    ) -> None:
        self._event = event
        self._resolve = resolve
        self._implementation = implementation or choose()
        self._errors: tuple[type[Exception], ...] = (*ERRORS, *self._implementation.errors)
        self._limits = limits
        self._tls = tls
        self._sockets: dict[int, WebSocket] = {}  # by link_id, from its opening to its end
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # one for each connection, opening or open

    @property
    def implementation(self) -> str:
        """The package that serves: "picows" or "websockets"."""
        return self._implementation.name

    def connect(self, link: Link) -> None:
        """Open a connection. The listener receives `ws_opened`, frames, and one `ws_closed` in any case."""
        task = asyncio.get_running_loop().create_task(self._run(link))
        self._opening[link.link_id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, link: Link, data: str | bytes) -> None:
        socket = self._sockets.get(link.link_id)
        if socket is not None:
            socket.send(data)

    def shut(self, link: Link) -> None:
        """Close a connection, or stop opening it."""
        opening, socket = self._opening.get(link.link_id), self._sockets.get(link.link_id)
        if opening is not None and not link.is_open:
            opening.cancel()
        elif socket is not None:
            socket.close()

    async def close(self) -> None:
        """Close all connections; waits for them at most `close_s`."""
        for opening in list(self._opening.values()):
            opening.cancel()
        for socket in list(self._sockets.values()):
            socket.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.close_s)

    async def _run(self, link: Link) -> None:
        """One connection, from its opening to its end."""
        events = LinkEvents(link, self._event, self._forget)
        reason = ""
        try:
            url = self._resolve(link.url, "ws")
            tls = self._tls() if url.startswith("wss:") else None
            socket = self._sockets[link.link_id] = self._implementation.make(url, events, self._limits, tls)
            async with asyncio.timeout(self._limits.open_s):
                await socket.open()
            self._opening.pop(link.link_id, None)
            await socket.wait_closed()
        except self._errors as error:
            reason = f"{type(error).__name__}: {error}"[:300]
        except asyncio.CancelledError:
            reason = "closed by us"
        finally:
            self._opening.pop(link.link_id, None)
        if reason:
            events.closed(reason)

    def _forget(self, link: Link) -> None:
        self._sockets.pop(link.link_id, None)
