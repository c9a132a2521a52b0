"""SendQueue: the bounded queue of frames to a websocket; a client that does not read is disconnected."""

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

from venue.base.wire import CLOSE, FREEZE, RESET, PingFrame, PongFrame, Signal

MAX_UNSENT = 20_000
"""Maximum number of frames queued for a slow websocket; beyond it the websocket is aborted."""
CLOSE_S = 2.0
"""Time for a websocket to close; after it the connection is aborted."""


class SendQueue:
    """The frames queued for one open websocket, and the task that sends them."""

    __slots__ = ("is_closing", "is_frozen", "transport", "unsent", "wake", "ws")

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.ws = ws
        self.transport = transport
        self.unsent: deque[bytes | PingFrame | PongFrame | None] = deque()
        self.wake = asyncio.Event()
        self.is_closing = False
        self.is_frozen = False

    def put(self, item: bytes | PingFrame | PongFrame | Signal | None) -> None:
        """Queues a frame; None or CLOSE closes. A client that does not read, or blocks the close, is aborted."""
        if item is RESET:
            self.is_closing = True
            self.abort()
        elif item is FREEZE:
            self.freeze()
        elif not self.is_frozen:
            self._queue(None if item is CLOSE else item)  # type: ignore[arg-type]

    def _queue(self, item: bytes | PingFrame | PongFrame | None) -> None:
        if self.is_closing:
            return
        if len(self.unsent) >= MAX_UNSENT:
            self.is_closing = True
            self.abort()
            return
        if item is None:
            self.is_closing = True
            asyncio.get_running_loop().call_later(CLOSE_S, self.abort)
        self.unsent.append(item)
        self.wake.set()

    def freeze(self) -> None:
        """Half-open: stops reading and writing, without a close; only the kernel still acknowledges."""
        self.is_frozen = True
        self.unsent.clear()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def abort(self) -> None:
        """Aborts the connection with its queue."""
        if self.transport is not None:
            self.transport.abort()

    async def send_all(self) -> None:
        """Sends queued frames as fast as the client reads them, until the close."""
        unsent, ws = self.unsent, self.ws
        try:
            while True:
                while unsent:
                    item = unsent.popleft()
                    if isinstance(item, bytes):
                        await ws.send_frame(item, WSMsgType.TEXT)
                    elif item is None:
                        await ws.close(code=1001)
                        return
                    else:
                        kind = WSMsgType.PING if isinstance(item, PingFrame) else WSMsgType.PONG
                        await ws.send_frame(item.payload, kind)
                self.wake.clear()
                await self.wake.wait()
        except (ConnectionError, RuntimeError):  # closed meanwhile; the reader notices too
            return
