"""NetworkPort: what the live driver needs of a network; and NoNetwork, of an actor that has none."""

from collections.abc import Callable
from typing import Protocol

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link


class NetworkPort(Protocol):
    """HTTP and websockets. Every method but `close` returns at once."""

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None: ...

    def ws_connect(self, link: Link) -> None: ...

    def ws_send(self, link: Link, data: str | bytes) -> None: ...

    def ws_close(self, link: Link) -> None: ...

    async def close(self) -> None: ...


class NoNetwork:
    """Raises AssertionError at each use: an actor that uses the network without `network = True` has a bug."""

    def __init__(self, name: str) -> None:
        self._name = name

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        raise AssertionError(f"{self._name}: an actor that uses HTTP needs `network = True`")

    def ws_connect(self, link: Link) -> None:
        raise AssertionError(f"{self._name}: an actor that uses websockets needs `network = True`")

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self.ws_connect(link)

    def ws_close(self, link: Link) -> None:
        self.ws_connect(link)

    async def close(self) -> None:
        """Nothing is open."""
