"""Effects: what an actor and its parts may do. Each effect is queued; the driver performs the queue in order."""

from collections.abc import Callable
from typing import Any, Protocol

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link, Listener
from protocol import Message


class Log(Protocol):
    """A structured log: `log.warning("order rejected", symbol=..., code=...)` writes one line."""

    def debug(self, event: str, **fields: Any) -> Any: ...

    def info(self, event: str, **fields: Any) -> Any: ...

    def warning(self, event: str, **fields: Any) -> Any: ...

    def error(self, event: str, **fields: Any) -> Any: ...


class Effects(Protocol):
    """The effects that parts of an actor use. An Actor itself satisfies this Protocol; so does a small test double.

    No method waits and none does I/O: the driver performs the queue, in order, when the handler has returned.
    """

    @property
    def name(self) -> str:
        """The actor's name: the second part of each topic that it publishes."""

    @property
    def now_ns(self) -> int:
        """UTC time of the event in hand, in nanoseconds; it does not change within one handler."""

    @property
    def log(self) -> Log: ...

    def publish(self, topic: str, message: Message) -> int:
        """Publishes a message to all subscribers of `topic`. Returns its sequence number."""

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        """Sets a timer that runs `call(*args)` once. Returns the timer's number, for `cancel_timer`."""

    def cancel_timer(self, timer: int) -> None:
        """Cancels a timer; has no effect if it has run or does not exist."""

    def queue(self, call: Callable[..., None], *args: Any) -> None:
        """Runs `call(*args)` after all effects queued before it are performed."""

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        """Sends an HTTP request; `then` receives exactly one answer or failure."""

    def connect(self, url: str, listener: Listener) -> Link:
        """Opens a websocket; `listener` receives its events."""

    def append(self, journal: str, record: bytes, then: Callable[[str], None] | None = None) -> None:
        """Appends a record to a journal. `then` receives "" once it is written, else the error's text."""

    def rewrite(self, journal: str, records: list[bytes]) -> None:
        """Replaces the whole content of a journal (compaction)."""

    def request_stop(self) -> None:
        """Begins an orderly stop: `on_stop`, then the process ends when `may_stop` returns True."""
