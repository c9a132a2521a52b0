"""HttpServer: parses plain HTTP requests with httptools and answers them directly; aiohttp handles everything else.

Most of the cost of an order over REST was aiohttp's: a task, a request and an answer object, for a call that does not
wait. aiohttp gets whole requests, from their first byte: websockets, rare methods, `Expect`, bodies that are too long,
and all requests if latency is simulated.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import httptools
from aiohttp import web

from venue.base.wire import CLOSED, Request, Response
from venue.server.server import Server

METHODS = {method.encode(): method for method in ("GET", "POST", "PUT", "DELETE")}
MAX_BODY_BYTES = 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
MAX_WAITING = 100
"""Maximum number of requests of a connection that wait behind a delayed answer; beyond it the connection is cut."""
KEEP_ALIVE_S = 3630
"""Idle time after which a connection is closed, as in aiohttp."""
SWEEP_EVERY_S = 60
CLOSE = "connection: close\r\n"


class HttpServer(web.Server):
    """Makes a protocol object for each connection, as aiohttp's server does."""

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(server.serve, **options)
        self.server = server
        self.open: set[HttpConnection] = set()
        self.sweeping: asyncio.TimerHandle | None = None

    def __call__(self) -> Any:
        if self.sweeping is None:
            self._sweep()
        return HttpConnection(self, super().__call__)

    async def shutdown(self, timeout: float | None = None) -> None:
        if self.sweeping is not None:
            self.sweeping.cancel()
        for connection in list(self.open):
            connection.transport.close()
        await super().shutdown(timeout)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in list(self.open):
            if loop.time() - connection.used_s > KEEP_ALIVE_S:
                connection.transport.close()
        self.sweeping = loop.call_later(SWEEP_EVERY_S, self._sweep)


class HttpConnection(asyncio.Protocol):
    """One client's connection. Requests are answered in their order."""

    def __init__(self, http_server: HttpServer, make_aiohttp: Callable[[], asyncio.Protocol]) -> None:
        self.http_server = http_server
        self.server = http_server.server
        self.make_aiohttp = make_aiohttp
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.transport = asyncio.Transport()  # the connection's own once it is made
        self.remote = ""
        self.used_s = self.loop.time()
        self.method, self.url, self.body = "", b"", b""  # these and the two below: of the incoming request
        self.headers: dict[str, str] = {}
        self.received_ns = 0
        self.raw = b""  # of the incoming request, from its first byte if `is_whole`
        self.is_whole = True
        self.is_inside = False
        self.completed = 0
        self.requests: deque[tuple[Request, bool]] = deque()
        self.is_for_aiohttp = self.is_delayed = False

    # Transport callbacks

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.remote = (transport.get_extra_info("peername") or ("",))[0]
        self.used_s = self.loop.time()
        self.http_server.open.add(self)

    def connection_lost(self, reason: Exception | None) -> None:
        self.http_server.open.discard(self)
        self.requests.clear()

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.used_s = self.loop.time()
        self.raw = self.raw + data if self.raw else data
        before = self.completed
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_for_aiohttp = True
        except httptools.HttpParserError:
            self.is_for_aiohttp = self.is_inside = True  # aiohttp answers malformed requests
        if self.completed > before:
            self.raw, self.is_whole = b"", not self.is_inside
        self._answer_waiting()
        if self.is_for_aiohttp or len(self.raw) > MAX_HEAD_BYTES + MAX_BODY_BYTES:
            self._hand_over()

    # Parser callbacks

    def on_message_begin(self) -> None:
        self.is_inside = True
        self.url, self.body = b"", b""
        self.headers = {}

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        parser, self.received_ns = self.parser, self.server.now_ns()
        self.method = METHODS.get(parser.get_method(), "")
        is_plain = self.method and not parser.should_upgrade() and "expect" not in self.headers
        if not is_plain or self.server.latency_s:
            self.is_for_aiohttp = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.is_for_aiohttp:
            return
        path, _, query = self.url.decode("latin-1").partition("?")
        request = Request(self.method, path, query, self.headers, self.body, self.remote, self.received_ns)
        self.requests.append((request, self.parser.should_keep_alive()))
        self.is_inside = False
        self.completed += 1

    # Answers

    def _answer_waiting(self) -> None:
        while self.requests and not self.is_delayed:
            request, is_kept = self.requests.popleft()
            try:
                answer = self.server.handle(request)
            finally:
                if self.server.has_failed:
                    self.transport.abort()
            if self.transport.is_closing():
                return
            if answer.delay_ns:
                self.is_delayed = True
                self.loop.call_later(answer.delay_ns / 1e9, self._send_late, answer, is_kept)
            else:
                self._send(answer, is_kept)
        if len(self.requests) > MAX_WAITING:
            self.transport.abort()

    def _send_late(self, answer: Response, is_kept: bool) -> None:
        self.is_delayed = False
        if not self.transport.is_closing():
            self._send(answer, is_kept)
            self._answer_waiting()

    def _send(self, answer: Response, is_kept: bool) -> None:
        if answer.status <= CLOSED:
            self.transport.abort()
            return
        body = answer.body
        header_lines = "".join([f"{name}: {value}\r\n" for name, value in answer.headers.items()])
        head = (
            f"HTTP/1.1 {answer.status} {reason_of(answer.status)}\r\n{header_lines}"
            f"date: {date_at(int(self.loop.time()))}\r\ncontent-length: {len(body)}\r\n{'' if is_kept else CLOSE}\r\n"
        )
        if answer.cut_at is not None:
            body = body[: answer.cut_at]
        self.transport.write(head.encode("latin-1") + body)
        if not is_kept or answer.cut_at is not None:
            self.transport.close()

    def _hand_over(self) -> None:
        """Hands the connection to aiohttp with the bytes of the request; closes it if their start is no longer kept."""
        if self.requests or not self.is_whole or self.transport.is_closing():
            self.transport.close()
            return
        self.http_server.open.discard(self)
        other = self.make_aiohttp()
        self.transport.set_protocol(other)
        other.connection_made(self.transport)
        other.data_received(self.raw)


@lru_cache(maxsize=100)
def reason_of(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""


@lru_cache(maxsize=2)
def date_at(second: int) -> str:
    """The date header; `second` is the cache key, so that it is made once per second."""
    return formatdate(usegmt=True)
