"""Server: the driver of an Exchange; it owns the clock and the HTTP and websocket connections (aiohttp)."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from typing import TypeVar

from aiohttp import WSMsgType, web

from venue.base.venue_errors import BadVenue
from venue.base.wire import CLOSED, Push, Request, Response
from venue.control_api import PREFIX
from venue.exchange import Exchange
from venue.server.ledger_file import LedgerFile
from venue.server.listening_socket import ListeningSocket
from venue.server.paper_tap import PaperTap
from venue.server.send_queue import SendQueue

MAX_FRAME_BYTES = 1024 * 1024
MAX_SLEEP_S = 0.1
MIN_SLEEP_S = 0.01
"""Minimum time between two wake-ups; waking for each order of the flow would cost more than the orders."""
SHUTDOWN_S = 1.0
POLL_S = 0.002
"""Poll interval of the live market in paper trading."""
LAST_CLIENTS_S = 10.0
"""Maximum time after SIGTERM in which clients may cancel their orders; connectors need at most 8 s."""
CLIENT_POLL_S = 0.05
T = TypeVar("T")


class Server:
    """Passes requests, frames and time to the exchange, and its answers and frames to the clients."""

    def __init__(
        self,
        exchange: Exchange,
        log: LedgerFile | None,
        now_ns: Callable[[], int],
        paper_tap: PaperTap | None = None,
    ) -> None:
        self.exchange = exchange
        self.now_ns = now_ns  # the exchange's clock, UTC; a step of the wall clock does not move it
        self.log = log
        self.sockets: dict[int, SendQueue] = {}
        self.next_id = 0
        self.failure: OSError | None = None
        self.bug: Exception | None = None
        self.stopped = asyncio.Event()
        self.paper_tap = paper_tap  # source of the live market in paper trading
        self.latency_s = exchange.settings.paper.latency_ms / 1000 if exchange.settings.paper is not None else 0.0

    def _call(self, method: Callable[..., T], *arguments: object, **named: object) -> T:
        """Calls the exchange with the current time, then settles. An unexpected exception ends the process."""
        try:
            answer = method(*arguments, now_ns=self.now_ns(), **named)
        except Exception as bug:
            self.bug = bug
            self.stopped.set()
            raise
        self.settle()
        return answer

    def handle(self, request: Request) -> Response:
        """The exchange's answer to an HTTP request, after its changes are written to the ledger."""
        return self._call(self.exchange.handle, request)

    @property
    def has_failed(self) -> bool:
        """Whether no more answers may be sent: the ledger failed, or an unexpected exception occurred."""
        return self.failure is not None or self.bug is not None

    def settle(self) -> None:
        """Writes the records, then queues the pushes. If the ledger cannot be written, the venue stops."""
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
                socket.put(item)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handles one HTTP request, or opens a websocket."""
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        received_ns = self.now_ns()
        body = await request.read() if request.can_read_body else b""
        venue_request = Request(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            remote=request.remote or "",
            received_ns=received_ns,
        )
        if self.latency_s and not venue_request.path.startswith(PREFIX):
            await asyncio.sleep(self.latency_s)
        answer = self.handle(venue_request)
        if self.failure is not None:
            return self._abort(request)
        if answer.delay_ns:
            await asyncio.sleep(answer.delay_ns / 1e9)
        if answer.status <= CLOSED:
            return self._abort(request)
        return await self._send_cut(request, answer) if answer.cut_at is not None else self._response(answer)

    def _abort(self, request: web.BaseRequest) -> web.Response:
        """Aborts the connection without an answer."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _send_cut(self, request: web.BaseRequest, answer: Response) -> web.StreamResponse:
        """Sends the headers for the whole body and a part of it, then closes the connection."""
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        response.force_close()
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write(answer.body[: answer.cut_at])
        if request.transport is not None:
            request.transport.close()
        return response

    def _response(self, answer: Response) -> web.Response:
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        self.next_id += 1
        conn_id = self.next_id
        exchange, url = self.exchange, request.rel_url
        query, remote = url.raw_query_string, request.remote or ""
        refused = self._call(exchange.upgrade, conn_id, url.raw_path, query=query, remote=remote)
        if refused is not None:
            return self._abort(request) if refused.status <= CLOSED else self._response(refused)
        ws = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MAX_FRAME_BYTES, timeout=SHUTDOWN_S)
        sender: asyncio.Task[None] | None = None
        try:
            await ws.prepare(request)
            outgoing = self.sockets[conn_id] = SendQueue(ws, request.transport)
            sender = asyncio.create_task(outgoing.send_all())
            await self._read(conn_id, ws)
        finally:
            self.sockets.pop(conn_id, None)
            self._call(exchange.close, conn_id)
            if sender is not None:
                sender.cancel()
        return ws

    async def _read(self, conn_id: int, ws: web.WebSocketResponse) -> None:
        exchange = self.exchange
        async for message in ws:
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                if self.latency_s:
                    asyncio.get_running_loop().call_later(
                        self.latency_s, self._call, exchange.receive, conn_id, message.data
                    )
                else:
                    self._call(exchange.receive, conn_id, message.data)
            elif message.type is WSMsgType.PING:
                self._call(exchange.ping, conn_id, bytes(message.data))
            elif message.type is WSMsgType.PONG:
                self._call(exchange.pong, conn_id, payload=bytes(message.data))

    def announce_shutdown(self) -> None:
        """Sends the event `serverShutdown` to all websockets."""
        self.exchange.announce_shutdown(self.now_ns())
        self._push(self.exchange.take_pushes())

    async def run_clock(self, listener: ListeningSocket) -> None:
        """Calls the exchange when it is due; stops listening while it refuses connections."""
        exchange = self.exchange
        while True:
            wait_s = (exchange.next_wake_ns - self.now_ns()) / 1e9
            if self.paper_tap is None:
                await asyncio.sleep(min(MAX_SLEEP_S, max(MIN_SLEEP_S, wait_s)))
            else:
                await asyncio.sleep(POLL_S)
                self._poll_live_market(self.paper_tap)
            self._call(exchange.advance)
            await listener.set_refusing(exchange.faults.is_refusing)
            if exchange.is_over:
                self.stopped.set()

    def _poll_live_market(self, tap: PaperTap) -> None:
        """Passes the messages of the live market's connector to the exchange."""
        for message in tap.poll():
            self._call(self.exchange.on_live_message, message)
        if self.exchange.paper is not None and self.exchange.paper.needs_snapshots(self.now_ns()):
            tap.request_snapshots()


async def _stop_when_unused(server: Server, is_in_use: Callable[[], bool]) -> None:
    """Stops the server once its clients have ended, at the latest after LAST_CLIENTS_S."""
    end_s = time.monotonic() + LAST_CLIENTS_S
    while is_in_use() and time.monotonic() < end_s:
        await asyncio.sleep(CLIENT_POLL_S)
    server.stopped.set()


def _stop_on_signals(server: Server, is_in_use: Callable[[], bool]) -> None:
    """Has SIGTERM and SIGINT stop the server; the second of them stops it at once."""
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Task[None]] = []

    def on_signal() -> None:
        if waiting:
            server.stopped.set()
        else:
            waiting.append(asyncio.create_task(_stop_when_unused(server, is_in_use)))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


async def run(
    exchange: Exchange, log: LedgerFile | None, runner: web.ServerRunner, server: Server, listener: ListeningSocket,
    is_in_use: Callable[[], bool] = bool,
) -> None:  # fmt: skip
    """Serves until SIGTERM, SIGINT or an unexpected exception, which is raised. Raises BadVenue if the ledger fails.

    `is_in_use()`: after a signal, whether clients still need the exchange, to cancel their orders.
    """
    _stop_on_signals(server, is_in_use)
    await listener.open()
    clock = asyncio.create_task(server.run_clock(listener))
    stopped = asyncio.create_task(server.stopped.wait())
    await asyncio.wait([clock, stopped], return_when=asyncio.FIRST_COMPLETED)
    clock.cancel()
    if server.bug is None:
        server.announce_shutdown()
    for socket in list(server.sockets.values()):
        socket.put(None)
    await runner.cleanup()
    with contextlib.suppress(asyncio.CancelledError):
        await clock
    if server.bug is not None:
        raise server.bug
    if server.failure is not None:
        raise BadVenue(
            f"ledger_file {log.path if log else ''}: {server.failure.strerror}: free disk space, then restart"
        )
