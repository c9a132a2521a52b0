"""The sending half of a websocket: a bounded queue, and a client that does not read is cut off."""

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

from venue.base.wire import CLOSE, FREEZE, RESET, PingFrame, PongFrame, Signal

MAX_UNSENT = 20_000
"""Frames that may wait for a slow websocket before it is cut off."""
CLOSE_S = 2.0
"""How long a websocket may take to close."""


class SendQueue:
    """The sending half of one open websocket: what waits, and the task that sends it."""

    __slots__ = ("is_closing", "is_frozen", "transport", "unsent", "wake", "ws")

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.ws = ws
        self.transport = transport
        self.unsent: deque[bytes | PingFrame | PongFrame | None] = deque()
        self.wake = asyncio.Event()
        self.is_closing = False
        self.is_frozen = False

    def put(self, item: bytes | PingFrame | PongFrame | Signal | None) -> None:
        """Queue a frame; None or CLOSE closes. Who does not read, or does not let the close through, is cut off."""
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
        """Half-open: nothing is read or written any more, not even the close; the peer's kernel alone answers it."""
        self.is_frozen = True
        self.unsent.clear()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def abort(self) -> None:
        """Cut the connection, whatever waits."""
        if self.transport is not None:
            self.transport.abort()

    async def send_all(self) -> None:
        """Send what is queued, as fast as the client takes it, until the close."""
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
        except (ConnectionError, RuntimeError):  # it closed under our hands; the reader notices too
            return
