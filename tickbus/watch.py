"""Watch a running house: its bus by a tap, its processes by their supervisor."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from actors.run.run_file import Run
from actors.tap import Tap
from monitor.state import RunState
from monitor.view import Row
from protocol.errors import Unreachable
from tickbus.backoff import Backoff
from tickbus.supervisor_client import Process, Supervisor
from tickbus.supervisor_config import priorities

TOLD = ("tickbus: ", "venue: ")  # how the one line of an error begins
WORDS_S = 120.0  # last words older than this are not news
LOOK_S = 0.5  # how often the supervisor is asked


class Watch:
    """`state` and `rows` after each `poll`."""

    def __init__(self, run: Run, tap: Tap, supervisor: Supervisor) -> None:
        self.state = RunState(tap.ask)
        self.rows: list[Row] = []
        self.restarts: dict[str, int] = {}
        self._run = run
        self._tap = tap
        self._supervisor = supervisor
        self._pids: dict[str, int] = {}
        self._look_at_s = 0.0

    @property
    def lost(self) -> int:
        """Messages that the watcher itself has missed."""
        return self._tap.lost

    def poll(self, seconds: float, wanted: Callable[[], bool] = lambda: True) -> None:
        """Take in what passes for so long, or until `wanted` says no."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0 and wanted():
            for heard in self._tap.poll(min(left_s, 0.1)):
                self.state.take(heard)
        if time.monotonic() >= self._look_at_s:
            self._look_at_s = time.monotonic() + LOOK_S
            self.look()

    def look(self) -> None:
        """Ask the supervisor who runs, and count who was started anew."""
        try:
            processes = self._supervisor.processes()
        except Unreachable:
            self.rows = [row._replace(state="NO SUPERVISOR") for row in self.rows]
            return
        for one in processes:
            known = self._pids.get(one.name, 0)
            if one.pid and known and one.pid != known:
                self.restarts[one.name] = self.restarts.get(one.name, 0) + 1
            self._pids[one.name] = one.pid or known
        ranks = priorities(self._run)
        order: Callable[[Process], tuple[int, str]] = lambda one: (ranks.get(one.name, 99), one.name)  # noqa: E731
        self.rows = [
            Row(one.name, one.pid, one.state, self.restarts.get(one.name, 0), rss_bytes(one.pid), self._words(one))
            for one in sorted(processes, key=order)
        ]

    def _words(self, process: Process) -> str:
        """What a process that did not end well has said last; supervisord keeps what it writes on stderr."""
        if process.trouble:
            return process.trouble
        if process.pid and process.name not in self.restarts and not Backoff(self._run.dir, process.name).is_troubled():
            return ""
        path = self._run.dir / "logs" / f"{process.name}.out"
        if not path.exists() or time.time() - path.stat().st_mtime > WORDS_S:
            return ""
        told = [line for line in path.read_text(errors="replace").splitlines() if line.startswith(TOLD)]
        return told[-1].partition(": ")[2] if told else ""


def rss_bytes(pid: int) -> int:
    """Resident memory of a process; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
