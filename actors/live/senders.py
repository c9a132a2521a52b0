"""Senders: the actors that may command one actor of a run, by the run file and the tables that were added later."""

from pathlib import Path

from actors.run.run_file import CLOCK, EXTRAS, Run, load
from actors.run.tick_order import OPERATOR
from protocol.errors import BadRunFile


class Senders:
    """`senders(name)`: whether a process with this name may command `receiver`; the transport has checked the token.

    These are the clock, the actors that follow the receiver (for the clock: every actor), and the operator's commands.
    """

    def __init__(self, run: Run, receiver: str) -> None:
        self._run = run
        self._receiver = receiver
        self._names = self._listed(run)
        self._version = self._latest_version()

    def __call__(self, sender: str) -> bool:
        if sender in self._names or OPERATOR.fullmatch(sender):
            return True
        version = self._latest_version()
        if version != self._version:  # for example, `tickbus add` has added a table
            try:
                self._names = self._listed(load(self._run.path, self._run.dir))
            except BadRunFile:
                return False  # it is being edited, and read again for the next one; those who were listed stay so
            self._version = version
        return sender in self._names

    def _latest_version(self) -> tuple[int, int]:
        """When the run file and the folder of added tables were changed; 0 for a missing one."""
        return _changed_ns(self._run.path), _changed_ns(self._run.dir / EXTRAS)

    def _listed(self, run: Run) -> set[str]:
        if self._receiver == CLOCK:
            return set(run.actors)
        return {CLOCK} | {name for name, conf in run.actors.items() if self._receiver in conf.follows}


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # an editor replaces it now, or the disk cannot be read
        return 0
