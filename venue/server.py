"""The driver: aiohttp for HTTP and websockets around an Exchange. Clock and sockets are here."""

import asyncio
import contextlib
import signal
import time
from collections import deque

from aiohttp import WSMsgType, web

from venue import errors
from venue.exchange import Exchange
from venue.log import Log
from venue.wire import CLOSE, Ping, Pong, Push, Request, Response

MAX_BODY_BYTES = 1024 * 1024
MAX_FRAME_BYTES = 1024 * 1024
MAX_UNSENT = 20_000
"""Frames that may wait for a slow websocket before it is cut off."""
MAX_SLEEP_S = 0.1
SHUTDOWN_S = 1.0


class Socket:
    """One open websocket and what waits to be sent on it."""

    __slots__ = ("is_closing", "task", "unsent", "wake", "ws")

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.ws = ws
        self.unsent: deque[bytes | Ping | Pong | None] = deque()
        self.wake = asyncio.Event()
        self.is_closing = False
        self.task: asyncio.Task[None] | None = None

    def put(self, item: bytes | Ping | Pong | None) -> None:
        """Queue a frame; None closes. A client that does not read is cut off."""
        if self.is_closing:
            return
        if item is None or len(self.unsent) >= MAX_UNSENT:
            self.is_closing = True
            item = None
        self.unsent.append(item)
        self.wake.set()

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
                        kind = WSMsgType.PING if isinstance(item, Ping) else WSMsgType.PONG
                        await ws.send_frame(item.payload, kind)
                self.wake.clear()
                await self.wake.wait()
        except (ConnectionError, RuntimeError):  # it closed under our hands; the reader notices too
            return


class Server:
    """Feeds the exchange with the world, and the world with what the exchange says."""

    def __init__(self, exchange: Exchange, log: Log | None) -> None:
        self.exchange = exchange
        self.log = log
        self.sockets: dict[int, Socket] = {}
        self.next_id = 0
        self.failure: OSError | None = None
        self.stopped = asyncio.Event()

    def settle(self) -> None:
        """Write the records, then queue the pushes. A log that does not take them stops the venue."""
        records = self.exchange.take_records()
        if records and self.log is not None:
            try:
                self.log.append(records)
            except OSError as error:
                self.failure = error
                self.stopped.set()
                return
        pushes = self.exchange.take_pushes()
        if pushes:
            self._push(pushes)

    def _push(self, pushes: list[Push]) -> None:
        sockets = self.sockets
        for conn_id, item in pushes:
            socket = sockets.get(conn_id)
            if socket is not None:
                socket.put(None if item is CLOSE else item)  # type: ignore[arg-type]

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One HTTP request, or the start of a websocket."""
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        body = await request.read() if request.can_read_body else b""
        asked = Request(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            remote=request.remote or "",
        )
        answer = self.exchange.handle(asked, time.time_ns())
        self.settle()
        if self.failure is not None:
            return self._cut(request)
        if answer.delay_ns:
            await asyncio.sleep(answer.delay_ns / 1e9)
        return self._cut(request) if answer.status == 0 else self._response(answer)

    def _cut(self, request: web.BaseRequest) -> web.Response:
        """Close the connection without an answer."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _response(self, answer: Response) -> web.Response:
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        self.next_id += 1
        conn_id = self.next_id
        path, query = request.rel_url.raw_path, request.rel_url.query_string
        if not self.exchange.open(conn_id, path, time.time_ns(), query, request.remote or ""):
            return web.Response(status=404, text="no such stream")
        ws = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MAX_FRAME_BYTES, timeout=SHUTDOWN_S)
        try:
            await ws.prepare(request)
        except (ConnectionError, web.HTTPException):
            self.exchange.close(conn_id, time.time_ns())
            raise
        socket = self.sockets[conn_id] = Socket(ws)
        sender = socket.task = asyncio.create_task(socket.send_all())
        self.settle()
        try:
            await self._read(conn_id, ws)
        finally:
            del self.sockets[conn_id]
            self.exchange.close(conn_id, time.time_ns())
            self.settle()
            sender.cancel()
        return ws

    async def _read(self, conn_id: int, ws: web.WebSocketResponse) -> None:
        exchange = self.exchange
        async for message in ws:
            now_ns = time.time_ns()
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                exchange.receive(conn_id, message.data, now_ns)
            elif message.type is WSMsgType.PING:
                exchange.ping(conn_id, bytes(message.data), now_ns)
            elif message.type is WSMsgType.PONG:
                exchange.pong(conn_id, now_ns)
            self.settle()

    async def run_clock(self) -> None:
        """Call the exchange when it wants to be called."""
        exchange = self.exchange
        while True:
            wait_s = (exchange.next_wake_ns - time.time_ns()) / 1e9
            await asyncio.sleep(min(MAX_SLEEP_S, max(0.001, wait_s)))
            exchange.advance(time.time_ns())
            self.settle()


async def run(
    exchange: Exchange, log: Log | None, runner: web.ServerRunner, server: Server, site: web.SockSite
) -> None:
    """Serve until SIGTERM or SIGINT. Raises BadVenue where the log cannot be written any more."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stopped.set)
    await site.start()
    clock = asyncio.create_task(server.run_clock())
    stopped = asyncio.create_task(server.stopped.wait())
    await asyncio.wait([clock, stopped], return_when=asyncio.FIRST_COMPLETED)
    clock.cancel()
    for socket in list(server.sockets.values()):
        socket.put(None)
    await runner.cleanup()
    with contextlib.suppress(asyncio.CancelledError):
        await clock
    if server.failure is not None:
        raise errors.BadVenue(
            f"log_file {log.path if log else ''}: {server.failure.strerror}: free the disk, start again"
        )
