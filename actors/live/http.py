"""HttpClient: HTTP requests of a live actor, by aiohttp."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import aiohttp
from yarl import URL

from actors.net import HttpAnswer, HttpFailure, HttpRequest

CONNECTIONS_MAX = 64
DNS_CACHE_S = 60
SERVICE_POLL_S = 0.05  # interval of looking for the address of a local service that is starting
ERRORS = (aiohttp.ClientError, TimeoutError, OSError, ValueError)

Then = Callable[[HttpAnswer | HttpFailure], None]


class Attempt:
    """One request. `had_connection`: it was given a connection, so bytes of it may have left."""

    __slots__ = ("had_connection",)

    def __init__(self) -> None:
        self.had_connection = False


_attempt: ContextVar[Attempt] = ContextVar("attempt")


class TrackingConnector(aiohttp.TCPConnector):
    """Notes in the request's Attempt that it was given a connection, new or kept alive.

    This is what proves that a failed request was not sent. The exception proves nothing: aiohttp sends GET, PUT and
    DELETE a second time when a connection that was kept alive breaks, and then raises what the second attempt met
    (connection refused), although the first may have reached the server.
    """

    async def connect(self, *args: Any, **kwargs: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*args, **kwargs)
        _attempt.get().had_connection = True
        return connection


class HttpClient:
    """`event(call, *args)` runs a callback in the actor; `resolve(url, scheme)` fills in a local service's address.

    A request to a local service that has no address yet waits for it, at most the request's `timeout_ms`.
    """

    def __init__(self, event: Callable[..., None], resolve: Callable[[str, str], str]) -> None:
        self._event = event
        self._resolve = resolve
        connector = TrackingConnector(limit=CONNECTIONS_MAX, ttl_dns_cache=DNS_CACHE_S)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, request: HttpRequest, then: Then) -> None:
        """Send a request; `then` receives its one answer or failure."""
        task = asyncio.get_running_loop().create_task(self._run(request, then))
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    async def cancel(self) -> None:
        """Cancel all requests in flight; no callback follows."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _run(self, request: HttpRequest, then: Then) -> None:
        attempt = Attempt()
        _attempt.set(attempt)
        outcome: HttpAnswer | HttpFailure
        try:
            until_s = asyncio.get_running_loop().time() + request.timeout_ms / 1e3
            address = await self._address(request.url, until_s)
            url = URL(address, encoded=True)  # signatures are over these very bytes
            async with self._session.request(
                request.method, url, headers=request.headers, data=request.body or None,
                timeout=aiohttp.ClientTimeout(total=until_s - asyncio.get_running_loop().time()), allow_redirects=False,
            ) as response:  # fmt: skip
                body = await response.read()
                headers = {name.lower(): value for name, value in response.headers.items()}
                outcome = HttpAnswer(response.status, headers, body)
        except ERRORS as error:
            outcome = HttpFailure(attempt.had_connection, f"{type(error).__name__}: {error}"[:300])
        self._event(then, outcome)

    async def _address(self, url: str, until_s: float) -> str:
        """Returns the URL with a local service's address. Raises ValueError if there is none until `until_s`."""
        while True:
            try:
                return self._resolve(url, "http")
            except ValueError:
                if asyncio.get_running_loop().time() + SERVICE_POLL_S > until_s:
                    raise
            await asyncio.sleep(SERVICE_POLL_S)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A callback raised: a bug. The process ends, and its supervisor starts it again from the journal.
            self._event(_raise, error)


def _raise(error: BaseException) -> None:
    raise error
