"""Network: HTTP and websockets of a live actor, and the addresses of a run's local services."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from actors.effects import Log
from actors.live.http import HttpClient
from actors.live.websocket import WebSockets
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link

LOCAL = "local://"


class Network:
    """`event(call, *args)` runs a callback in the actor.

    `local://NAME/` in a URL stands for the address that the service NAME has written into
    `<folder>/NAME.address`.
    """

    def __init__(self, event: Callable[..., None], folder: Path, log: Log) -> None:
        self._folder = folder
        self._addresses: dict[str, dict[str, str]] = {}  # of the services, as read last
        self._http = HttpClient(event, self.resolve)
        self._websockets = WebSockets(event, self.resolve)
        self._closing = False
        log.info("network libraries chosen", http="aiohttp", websockets=self._websockets.implementation)

    def resolve(self, url: str, scheme: str) -> str:
        """The URL with a local service's address in it. Raises ValueError if the service has not written one (yet)."""
        if not url.startswith(LOCAL):
            return url
        name, _, path = url[len(LOCAL) :].partition("/")
        try:
            with contextlib.suppress(FileNotFoundError):  # if the file was removed, the last address is still right
                self._addresses[name] = json.loads((self._folder / f"{name}.address").read_text())
            base = self._addresses[name][scheme]
        except (OSError, ValueError, KeyError):
            raise ValueError(f"the service {name} has written no address into {self._folder}") from None
        return f"{base}/{path}"

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        if not self._closing:
            self._http.send(request, then)

    def ws_connect(self, link: Link) -> None:
        if not self._closing:
            self._websockets.connect(link)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self._websockets.send(link, data)

    def ws_close(self, link: Link) -> None:
        self._websockets.shut(link)

    async def close(self) -> None:
        """Close all connections. Requests made from now on are dropped."""
        self._closing = True
        await self._http.cancel()
        await self._websockets.close()
        await self._http.close()
