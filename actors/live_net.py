"""LiveNet: HTTP and websockets of a live actor, by aiohttp."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link

LOCAL = "local://"
CONNECTIONS_MAX = 64
WS_MESSAGE_MAX_BYTES = 16 * 1024 * 1024
WS_OPEN_S = 10.0
CLOSE_S = 1.0
# Nothing of the request has left: the connection itself did not come about.
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
FAILED = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


class LiveNet:
    """`event(call, *args)` is how news reaches the actor; `local://NAME/` is looked up in `<folder>/NAME.address`."""

    def __init__(self, event: Callable[..., None], folder: Path, log: Any) -> None:
        self._event = event
        self._folder = folder
        self._log = log
        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ttl_dns_cache=60)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: dict[int, aiohttp.ClientWebSocketResponse] = {}
        self._links: dict[int, asyncio.Task[None]] = {}
        self._closing = False

    def resolve(self, url: str, scheme: str) -> str:
        """Raises ValueError if a local service has not told its address (yet)."""
        if not url.startswith(LOCAL):
            return url
        name, _, path = url[len(LOCAL) :].partition("/")
        try:
            base = json.loads((self._folder / f"{name}.address").read_text())[scheme]
        except (OSError, ValueError, KeyError):
            raise ValueError(f"{name} has not told its address in {self._folder}") from None
        return f"{base}/{path}"

    # -- HTTP -----------------------------------------------------------------------------------------

    def http(self, request: HttpRequest, then: Any) -> None:
        if not self._closing:
            self._spawn(self._http(request, then))

    async def _http(self, request: HttpRequest, then: Any) -> None:
        answer: HttpAnswer | HttpFailure
        try:
            url = self.resolve(request.url, "http")
        except ValueError as error:
            self._event(then, HttpFailure(False, str(error)))
            return
        try:
            async with self._session.request(
                request.method, _encoded(url), headers=request.headers, data=request.body or None,
                timeout=aiohttp.ClientTimeout(total=request.timeout_ms / 1e3), allow_redirects=False,
            ) as response:  # fmt: skip
                body = await response.read()
                headers = {name.lower(): value for name, value in response.headers.items()}
                answer = HttpAnswer(response.status, headers, body)
        except NOT_SENT as error:
            answer = HttpFailure(False, _text(error))
        except FAILED as error:
            answer = HttpFailure(True, _text(error))
        self._event(then, answer)

    # -- websockets -----------------------------------------------------------------------------------

    def ws_connect(self, link: Link) -> None:
        if self._closing:
            return
        self._links[link.link_id] = self._spawn(self._websocket(link))

    def ws_send(self, link: Link, data: str | bytes) -> None:
        socket = self._sockets.get(link.link_id)
        if socket is not None:
            self._spawn(self._send(socket, data))

    def ws_close(self, link: Link) -> None:
        socket = self._sockets.get(link.link_id)
        if socket is not None:
            self._spawn(self._shut(socket))
        elif link.link_id in self._links:
            self._links[link.link_id].cancel()

    async def _websocket(self, link: Link) -> None:
        """One connection from its opening to the one `ws_closed`."""
        reason = "closed by us"
        try:
            url = self.resolve(link.url, "ws")
            async with asyncio.timeout(WS_OPEN_S):
                socket = await self._session.ws_connect(
                    _encoded(url), autoping=True, max_msg_size=WS_MESSAGE_MAX_BYTES, compress=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                )  # fmt: skip
            self._sockets[link.link_id] = socket
            link.is_open = True
            self._event(link.listener.ws_opened, link)
            reason = await self._receive(link, socket)
        except FAILED as error:
            reason = _text(error)
        except asyncio.CancelledError:
            reason = "closed by us"
        finally:
            self._sockets.pop(link.link_id, None)
            self._links.pop(link.link_id, None)
            link.is_open, link.is_closed = False, True
        self._event(link.listener.ws_closed, link, reason)

    async def _receive(self, link: Link, socket: aiohttp.ClientWebSocketResponse) -> str:
        frame_in, event = link.listener.ws_frame, self._event
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event(frame_in, link, message.data.encode())
            elif message.type is aiohttp.WSMsgType.BINARY:
                event(frame_in, link, message.data)
        if (error := socket.exception()) is not None:
            return _text(error)
        return f"closed by the server ({socket.close_code})"

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, data: str | bytes) -> None:
        try:
            await (socket.send_str(data) if isinstance(data, str) else socket.send_bytes(data))
        except FAILED as error:
            self._log.warning("websocket send failed", error=_text(error))  # ws_closed follows from the reader

    async def _shut(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.close()

    # -- tasks ----------------------------------------------------------------------------------------

    def _spawn(self, work: Any) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A handler raised: a bug. The process ends, and its supervisor starts it afresh from the journal.
            self._event(_raise, error)

    async def close(self) -> None:
        """Hang up; what is asked for from now on comes too late."""
        self._closing = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()


def _raise(error: BaseException) -> None:
    raise error


def _encoded(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)  # signatures are over these very bytes


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
