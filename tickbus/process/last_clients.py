"""The local exchange ends last: a stop of all processes at once reaches it before its connectors have cancelled."""

import time

from actors.live.lock import holder
from actors.run.run_file import Run

CLOCK_END_S = 1.0  # the clock ends at once when all processes are stopped


class LastClients:
    """Whether the actors of a run are stopping, from the first call on: their clock has ended, and they have not."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._first_s = 0.0

    def are_stopping(self) -> bool:
        """Returns False once no actor runs, or if the clock still runs CLOCK_END_S after the first call: then only
        the exchange is stopped, to start again."""
        self._first_s = self._first_s or time.monotonic()
        if not any(holder(self._run.dir, name) for name in self._run.actors):
            return False
        return time.monotonic() < self._first_s + CLOCK_END_S or not holder(self._run.dir, "clockd")
