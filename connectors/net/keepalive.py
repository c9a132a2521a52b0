"""Probing: when a connection on which nothing may happen for long is given up."""

from typing import TYPE_CHECKING

from connectors.core.reports import StreamEnded
from connectors.net.session import Session

if TYPE_CHECKING:
    from connectors.connector import Connector

BAD_FRAMES_MAX = 20  # in a row


class Probing:
    """Half of a Session's owner: silence is asked about before it counts, and a little garbage is borne."""

    def __init__(self, host: "Connector") -> None:
        self.host = host
        self.garbage = 0
        self._bad_in_a_row = 0
        self._probed = False

    def session_silent(self, session: Session, silence_ms: int) -> None:
        """Nothing to tell is the usual case: a probe shows whether the connection still carries data."""
        if self._probed:
            self._probed = False
            session.recycle(f"no answer to a probe, {silence_ms} ms of silence")
        elif session.send(self.host.dialect.user_probe()):
            self._probed = True

    def unreadable(self, session: Session, what: str, error: Exception) -> None:
        """A frame that is none."""
        self.garbage += 1
        self._bad_in_a_row += 1
        self.host.log.warning(what, error=str(error), count=self.garbage)
        if self._bad_in_a_row > BAD_FRAMES_MAX:
            self._bad_in_a_row = 0
            session.recycle("only garbage")

    def readable(self) -> None:
        """A frame that is one."""
        self._bad_in_a_row = 0

    @staticmethod
    def ended(session: Session, event: StreamEnded) -> None:
        """The other side goes, soon or now."""
        (session.renew if event.is_soon else session.recycle)(event.reason)
