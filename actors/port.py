"""Port: what a driver does for an actor. The live driver and the sim driver each have one."""

from collections.abc import Callable
from typing import Protocol

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link


class Port(Protocol):
    """Every method returns at once. Frames are whole (topic, header, body).

    The runtime reads `pub`, `send` and `reply` once, when it is made.
    """

    @property
    def real_time(self) -> bool:
        """Whether time passes while code runs; False in virtual time."""

    def rss_bytes(self) -> int:
        """The resident memory of this process; 0 if it is unknown."""

    def pub(self, frame: bytes) -> None:
        """Publishes a frame to all subscribers of its topic."""

    def send(self, target: str, frame: bytes) -> bool:
        """Sends a frame to an actor's command socket. False if it is not connected: then nothing was queued."""

    def reply(self, peer: str, frame: bytes) -> bool:
        """Sends a frame back to an actor that has sent to us. False if it is gone."""

    def subscribe(self, publisher: str, prefix: str) -> None:
        """Subscribes to the topics of `publisher` that start with `prefix`."""

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        """Sends a request; `then` is called later, through the runtime's `call`."""

    def ws_connect(self, link: Link) -> None: ...

    def ws_send(self, link: Link, data: str | bytes) -> None: ...

    def ws_close(self, link: Link) -> None: ...

    def append(self, journal: str, record: bytes) -> str:
        """Returns "" once it is written. Otherwise the error's text; then no part of the record is in the file.

        After an error the journal accepts no record until it is rewritten: a later record would follow a hole.
        """

    def rewrite(self, journal: str, records: list[bytes]) -> str:
        """Returns "" once the whole content is replaced. Otherwise the error's text; then the content is as it was."""

    def stop(self, reason: str, exit_code: int) -> None:
        """Ends the actor once the queued frames have left."""
