"""KeepAlive: when a connection on which hours may pass without a message is dropped."""

from collections.abc import Callable

from actors.effects import Log
from connectors.core.reports import StreamEnded
from connectors.net.session import Session

INVALID_FRAMES_MAX = 20  # in a row; the next one costs the connection


class KeepAlive:
    """Probes a silent connection before dropping it; tolerates a few invalid frames.

    `what` names the connection in the log, `probe()` returns the frame that the exchange answers.
    """

    def __init__(self, log: Log, what: str, probe: Callable[[], str]) -> None:
        self.invalid_frames = 0
        self._log = log
        self._what = what
        self._probe = probe
        self._invalid_in_a_row = 0
        self._is_probing = False

    def on_silence(self, session: Session, silence_ms: int) -> None:
        """Silence is the usual case: send a probe; drop the connection if the last probe was not answered."""
        if self._is_probing:
            self._is_probing = False
            session.recycle(f"no answer to a probe, {silence_ms} ms of silence")
        elif session.send(self._probe()):
            self._is_probing = True

    def clear_probe(self) -> None:
        """The connection carries data: the probe is answered, or no longer matters."""
        self._is_probing = False

    def on_invalid_frame(self, session: Session, error: Exception) -> None:
        """Count an invalid frame; too many in a row cost the connection."""
        self.invalid_frames += 1
        self._invalid_in_a_row += 1
        self._log.warning("invalid frame", connection=self._what, error=str(error), count=self.invalid_frames)
        if self._invalid_in_a_row > INVALID_FRAMES_MAX:
            self._invalid_in_a_row = 0
            session.recycle("only invalid frames")

    def on_valid_frame(self, answers_probe: bool = False) -> None:
        """A frame could be read; `answers_probe`: it also shows that the connection carries data."""
        self._invalid_in_a_row = 0
        if answers_probe:
            self._is_probing = False

    @staticmethod
    def on_end(session: Session, event: StreamEnded) -> None:
        """The exchange ends the connection, soon or now."""
        (session.renew if event.is_soon else session.recycle)(event.reason)
