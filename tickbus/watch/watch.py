"""The state of a running bot: its bus through a tap, its processes through their supervisor."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from actors.run.run_file import Run
from actors.tap import Tap
from monitor.state import RunState
from monitor.view import ProcessRow
from protocol.errors import Unreachable
from tickbus.bot.supervisor_client import ProcessInfo, Supervisor
from tickbus.bot.supervisor_config import priorities
from tickbus.process.backoff import Backoff

ERROR_PREFIXES = ("tickbus: ", "venue: ")  # begin the one line in which a process reports its error
ERROR_MAX_AGE_S = 120.0  # older error lines are not shown
SUPERVISOR_POLL_S = 0.5  # interval between two requests to the supervisor
UNKNOWN_PRIORITY = 99


class Watch:
    """`state` (from the bus) and `rows` (one for each process) are current after each `poll`."""

    def __init__(self, run: Run, tap: Tap, supervisor: Supervisor) -> None:
        self.state = RunState(tap.request_snapshots)
        self.rows: list[ProcessRow] = []
        self.restarts: dict[str, int] = {}
        self._run = run
        self._tap = tap
        self._supervisor = supervisor
        self._pids: dict[str, int] = {}
        self._next_request_s = 0.0

    @property
    def lost(self) -> int:
        """Number of messages that the watcher's own tap missed."""
        return self._tap.lost

    def poll(self, seconds: float, wanted: Callable[[], bool] = lambda: True) -> None:
        """Receives from the bus for `seconds`, or until `wanted` returns False; refreshes the processes if due."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0 and wanted():
            for tapped in self._tap.poll(min(left_s, 0.1)):
                self.state.update(tapped)
        if time.monotonic() >= self._next_request_s:
            self._next_request_s = time.monotonic() + SUPERVISOR_POLL_S
            self.refresh_processes()

    def refresh_processes(self) -> None:
        """Reads the processes from the supervisor, and counts those that were restarted."""
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
        processes.sort(key=lambda one: (ranks.get(one.name, UNKNOWN_PRIORITY), one.name))
        self.rows = [
            ProcessRow(
                one.name, one.pid, one.state, self.restarts.get(one.name, 0), rss_bytes(one.pid), self._last_error(one),
                self._crash_loop(one.name),
            )
            for one in processes
        ]  # fmt: skip

    def _crash_loop(self, name: str) -> str:
        crashes = Backoff(self._run.dir, name).crashes()
        return crashes.text if crashes.is_loop else ""

    def _last_error(self, process: ProcessInfo) -> str:
        """Returns the last error line of a process that ended badly, from its stderr, which supervisord keeps."""
        if process.trouble:
            return process.trouble
        if process.pid and process.name not in self.restarts and not Backoff(self._run.dir, process.name).is_troubled():
            return ""
        path = self._run.dir / "logs" / f"{process.name}.out"
        if not path.exists() or time.time() - path.stat().st_mtime > ERROR_MAX_AGE_S:
            return ""
        errors = [line for line in path.read_text(errors="replace").splitlines() if line.startswith(ERROR_PREFIXES)]
        return errors[-1].partition(": ")[2] if errors else ""


def rss_bytes(pid: int) -> int:
    """Returns the resident memory of a process in bytes; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
