"""One bot: its files are written, supervisord is started, its processes are stopped in order."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from actors.live.lock import holder
from actors.live.run_time import RunTime
from actors.run.run_dir import check_socket_paths, fresh_dir, open_dir
from actors.run.run_file import Run, load
from protocol.errors import AlreadyRunning, TickbusError, Unreachable
from tickbus.bot.locked_supervisord import BOUND, FREE
from tickbus.bot.registry import MODULE, SUPERVISOR, lost_text, register, supervisords
from tickbus.bot.supervisor_client import Supervisor
from tickbus.bot.supervisor_config import CONF, PROGRAMS, STOP_WAIT_S, check_paths, priorities, program, render
from tickbus.private_file import write_private
from tickbus.process.loaded_code import LoadedCode

RUN_PATH = "run.path"  # file in the run folder that holds the path of the run file
DEFAULT = Path(__file__).resolve().parents[2] / "runs" / "default.toml"  # installed beside this package
START_WAIT_S = 10.0
POLL_S = 0.05
GONE_WAIT_S = 4 * STOP_WAIT_S
STOPPED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN", "BACKOFF")


def _sleep() -> None:
    time.sleep(POLL_S)


def default_run() -> Run:
    """Returns the default bot in a new folder, which holds a copy of its run file."""
    folder = fresh_dir()
    (folder / "run.toml").write_bytes(DEFAULT.read_bytes())
    return load(folder / "run.toml", folder)


def run_file_of(folder: Path) -> Path:
    """Returns the run file of a run folder. Raises Unreachable if no bot was ever started in it."""
    try:
        return Path((folder / RUN_PATH).read_text(encoding="utf-8").strip())
    except OSError:
        if text := lost_text(folder):
            raise Unreachable(text) from None
        raise Unreachable(f"no bot has run in {folder}: name a run file, or a folder that a bot runs in") from None


class Bot:
    """The processes of one run, under one supervisord."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.supervisor = Supervisor(run.dir)

    def prepare(self, passphrase_file: Path | None = None) -> None:
        """Makes the run folder and writes supervisord's configuration. Raises BadRunFile."""
        run = self.run
        check_socket_paths(run.dir, [*run.actors, "clockd"])
        check_paths(run)
        open_dir(run.dir)
        (run.dir / PROGRAMS).mkdir(mode=0o700, exist_ok=True)
        write_private(run.dir, CONF, render(run, passphrase_file))
        for path in (run.dir / PROGRAMS).glob("*.conf"):
            if path.stem not in run.actors:  # the user deleted its table
                path.unlink()
        for name in run.extras:
            write_private(run.dir, f"{PROGRAMS}/{name}.conf", program(run, name))
        write_private(run.dir, RUN_PATH, f"{run.path}\n")
        RunTime(run.dir)  # fixes the run's time base now, so that a tap can connect before the first process starts

    def start(self, foreground: bool) -> "subprocess.Popen[bytes] | None":
        """Starts supervisord, and returns its process if `foreground`; that one ends when this process ends.

        Raises AlreadyRunning, or TickbusError if supervisord does not answer within START_WAIT_S.
        """
        self.check_not_running()
        register(self.run.dir)
        lifetime = BOUND if foreground else FREE
        folder = str(self.run.dir)
        supervisord = [sys.executable, "-P", "-m", MODULE]
        command = [*supervisord, folder, lifetime, "-c", f"{folder}/{CONF}"]
        log = os.open(self.run.dir / "logs" / "supervisord.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.run.path.parent
        )
        os.close(log)
        until = time.monotonic() + START_WAIT_S
        while not self.supervisor.is_up():
            code = child.poll()
            if code is not None:
                self._raise_start_failure(code)
            if time.monotonic() > until:
                child.terminate()
                raise TickbusError(f"supervisord did not start in {START_WAIT_S:.0f} s: see {self.run.dir}/logs")
            time.sleep(POLL_S)
        return child if foreground else None

    def check_not_running(self) -> None:
        """Raises AlreadyRunning if a supervisord runs this bot."""
        pid = (self.run.dir.is_dir() and holder(self.run.dir, SUPERVISOR)) or supervisords().get(self.run.dir, 0)
        if pid:
            raise AlreadyRunning(
                f"this bot is already running (supervisord pid {pid}, folder {self.run.dir}): "
                f"tickbus down {self.run.path} stops it; another `dir` in the run file starts a second one"
            )

    def stop_in_order(
        self,
        on_stopping: Callable[[str], None] = lambda _: None,
        keep: Iterable[str] = (),
        while_waiting: Callable[[], None] = _sleep,
    ) -> None:
        """Stops all programs except `keep`, followers first: each priority after the one above it has stopped.

        `on_stopping` gets the names of each group before it is stopped; `while_waiting` is called again and again.
        If supervisord is being stopped too (SIGTERM to all processes), it stops them all in order, and this waits.
        """
        try:
            self._stop_groups(on_stopping, keep, while_waiting)
        except Unreachable:
            if lost_text(self.run.dir) or not self.supervisor.trouble():
                raise
            self._wait_gone(while_waiting)

    def _stop_groups(
        self, on_stopping: Callable[[str], None], keep: Iterable[str], while_waiting: Callable[[], None]
    ) -> None:
        states = {one.name: one.state for one in self.supervisor.processes()}
        ranks = {name: rank for name, rank in priorities(self.run).items() if name in states and name not in keep}
        for name in states.keys() - ranks.keys() - set(keep):
            ranks[name] = max(ranks.values(), default=0) + 1  # not in this run file: it may follow any of the others
        for rank in sorted(set(ranks.values()), reverse=True):
            names = [name for name, one in ranks.items() if one == rank]
            on_stopping(", ".join(names))
            for name in names:
                self.supervisor.stop(name)
            self.wait_stopped(names, while_waiting)

    def wait_stopped(self, names: Iterable[str], while_waiting: Callable[[], None] = _sleep) -> None:
        """Returns when none of these processes runs; supervisord kills a process after STOP_WAIT_S."""
        until = time.monotonic() + STOP_WAIT_S + 5
        names = set(names)
        while any(one.name in names and one.state not in STOPPED for one in self.supervisor.processes()):
            if time.monotonic() > until:
                raise TickbusError(f"{', '.join(sorted(names))} did not end in time: see {self.run.dir}/logs")
            while_waiting()

    def shut_down(self) -> None:
        """Stops supervisord and all that still runs under it; returns when every process has ended."""
        with contextlib.suppress(Unreachable):
            self.supervisor.shutdown()
        self._wait_gone()

    def _wait_gone(self, while_waiting: Callable[[], None] = _sleep) -> None:
        """Returns when no process of the bot holds its lock, at the latest after GONE_WAIT_S."""
        names = [SUPERVISOR, *priorities(self.run)]
        until = time.monotonic() + GONE_WAIT_S
        while any(holder(self.run.dir, name) for name in names) and time.monotonic() < until:
            while_waiting()

    def add_program(self, name: str) -> None:
        """Has supervisord run one more actor of the run; the others are left alone."""
        write_private(self.run.dir, f"{PROGRAMS}/{name}.conf", program(self.run, name))
        self.supervisor.update()

    def restart(self, name: str) -> None:
        """Ends one process in order. supervisord starts it again, also if this command is interrupted meanwhile."""
        pid = self._pid(name)
        self.supervisor.signal(name, "TERM")
        until = time.monotonic() + STOP_WAIT_S
        while pid and self._pid(name) == pid and time.monotonic() < until:
            time.sleep(POLL_S)
        if pid and self._pid(name) == pid:  # it hangs
            self.supervisor.signal(name, "KILL")
        self.supervisor.start(name)  # unless it runs already

    def _pid(self, name: str) -> int:
        """Returns the pid of a process; 0 if it does not run."""
        return next((one.pid for one in self.supervisor.processes() if one.name == name), 0)

    def changed_code(self) -> dict[str, list[Path]]:
        """Returns the actors whose process has loaded files that have changed since, with these files."""
        found = {name: LoadedCode(self.run.dir, name).changed() for name in self.run.actors}
        return {name: files for name, files in found.items() if files}

    def remove_program(self, name: str) -> None:
        """Stops one actor and removes it from supervisord's configuration."""
        (self.run.dir / PROGRAMS / f"{name}.conf").unlink(missing_ok=True)
        self.supervisor.update()

    def _raise_start_failure(self, code: int) -> None:
        output = (self.run.dir / "logs" / "supervisord.out").read_text(errors="replace").strip().splitlines()
        output = [one for one in output if one.startswith("Error: ")] or output  # supervisord's last line is a hint
        text = (
            output[-1].removeprefix("tickbus: ").removeprefix("Error: ")
            if output
            else f"supervisord ended with exit code {code}"
        )
        raise (AlreadyRunning if code == AlreadyRunning.exit_code else TickbusError)(text)
