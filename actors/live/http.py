"""LiveNet: HTTP of a live actor, by aiohttp; its websockets are in actors.live.websocket."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from actors.live.websocket import LiveSockets
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link

LOCAL = "local://"
CONNECTIONS_MAX = 64
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
        self._websockets = LiveSockets(event, self.resolve)
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
        if not self._closing:
            self._websockets.connect(link)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self._websockets.send(link, data)

    def ws_close(self, link: Link) -> None:
        self._websockets.shut(link)

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
        await self._websockets.close()
        await self._session.close()


def _raise(error: BaseException) -> None:
    raise error


def _encoded(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)  # signatures are over these very bytes


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
