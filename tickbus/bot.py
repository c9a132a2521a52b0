"""One run as a house of processes: made ready, started, stopped in order."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from actors.live.lock import holder
from actors.live.run_time import RunTime
from actors.run.run_dir import check_private, check_socket_paths, fresh_dir, open_dir
from actors.run.run_file import Run, load
from protocol.errors import AlreadyRunning, TickbusError, Unreachable
from tickbus.registry import SUPERVISOR, register
from tickbus.supervised import BOUND, FREE
from tickbus.supervisor_client import Supervisor
from tickbus.supervisor_config import CONF, PROGRAMS, STOP_WAIT_S, priorities, program, render

PASSPHRASE_NOTE = "passphrase.path"
RUN_PATH = "run.path"  # in the run folder: where its run file is
DEFAULT = Path(__file__).resolve().parent.parent / "runs" / "default.toml"  # installed beside this package
START_WAIT_S = 10.0
POLL_S = 0.05
GONE_WAIT_S = 4 * STOP_WAIT_S
STOPPED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN", "BACKOFF")


def _nap() -> None:
    time.sleep(POLL_S)


def default_run() -> Run:
    """The default bot in a fresh folder, with a copy of its run file there."""
    folder = fresh_dir()
    (folder / "run.toml").write_bytes(DEFAULT.read_bytes())
    return load(folder / "run.toml", folder)


def run_file_of(folder: Path) -> Path:
    """The run file of a run folder. Raises Unreachable if nothing was ever started in it."""
    try:
        return Path((folder / RUN_PATH).read_text(encoding="utf-8").strip())
    except OSError:
        raise Unreachable(f"no bot has run in {folder}: name a run file, or a folder that a bot runs in") from None


class House:
    """The processes of one run, under one supervisord."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.supervisor = Supervisor(run.dir)

    def prepare(self, passphrase_file: Path | None = None) -> None:
        """Make the run folder and write supervisord's configuration. Raises BadRunFile."""
        run = self.run
        check_socket_paths(run.dir, [*run.actors, "clockd"])
        open_dir(run.dir)
        (run.dir / PROGRAMS).mkdir(mode=0o700, exist_ok=True)
        self._write(CONF, render(run, passphrase_file))
        for path in (run.dir / PROGRAMS).glob("*.conf"):
            if path.stem not in run.actors:  # its table was taken away by hand
                path.unlink()
        for name in run.extras:
            self._write(f"{PROGRAMS}/{name}.conf", program(run, name))
        self._write(RUN_PATH, f"{run.path}\n")
        RunTime(run.dir)  # the run's time base, so that a tap can listen from the very first message

    def start(self, foreground: bool) -> "subprocess.Popen[bytes] | None":
        """Start supervisord: as a child that ends with this process, or in the background.

        Raises AlreadyRunning, TickbusError if it does not come up within START_WAIT_S.
        """
        self.refuse_second()
        register(self.run.dir)
        bond = BOUND if foreground else FREE
        command = [
            sys.executable,
            "-P",
            "-m",
            "tickbus.supervised",
            str(self.run.dir),
            bond,
            "-c",
            str(self.run.dir / CONF),
        ]
        log = os.open(self.run.dir / "logs" / "supervisord.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.run.path.parent
        )
        os.close(log)
        until = time.monotonic() + START_WAIT_S
        while not self.supervisor.is_up():
            gone = child.poll()
            if gone is not None:
                self._tell_failure(gone)
            if time.monotonic() > until:
                child.terminate()
                raise TickbusError(f"supervisord did not come up in {START_WAIT_S:.0f} s: see {self.run.dir}/logs")
            time.sleep(POLL_S)
        return child if foreground else None

    def refuse_second(self) -> None:
        """Raises AlreadyRunning if this run is up."""
        pid = holder(self.run.dir, SUPERVISOR) if self.run.dir.exists() else 0
        if pid:
            raise AlreadyRunning(
                f"this bot is already running (supervisord pid {pid}, folder {self.run.dir}): "
                f"tickbus down {self.run.path} stops it; another `dir` in the run file starts a second one"
            )

    def stop_in_order(
        self,
        told: Callable[[str], None] = lambda _: None,
        keep: Iterable[str] = (),
        while_waiting: Callable[[], None] = _nap,
    ) -> None:
        """Stop all programs but `keep`, followers first, each priority when the one above it is down."""
        states = {one.name: one.state for one in self.supervisor.processes()}
        ranks = {name: rank for name, rank in priorities(self.run).items() if name in states and name not in keep}
        for name in states.keys() - ranks.keys() - set(keep):
            ranks[name] = max(ranks.values(), default=0) + 1  # not of this run file: it may follow anybody
        for rank in sorted(set(ranks.values()), reverse=True):
            names = [name for name, one in ranks.items() if one == rank]
            told(", ".join(names))
            for name in names:
                self.supervisor.stop(name)
            self.wait_stopped(names, while_waiting)

    def wait_stopped(self, names: Iterable[str], while_waiting: Callable[[], None] = _nap) -> None:
        """Until none of these runs; supervisord kills what takes longer than STOP_WAIT_S."""
        until = time.monotonic() + STOP_WAIT_S + 5
        names = set(names)
        while any(one.name in names and one.state not in STOPPED for one in self.supervisor.processes()):
            if time.monotonic() > until:
                raise TickbusError(f"{', '.join(sorted(names))} did not end in time: see {self.run.dir}/logs")
            while_waiting()

    def shut_down(self) -> None:
        """End supervisord and what is left under it, and wait until all of it is gone."""
        with contextlib.suppress(Unreachable):
            self.supervisor.shutdown()
        names = [SUPERVISOR, *priorities(self.run)]
        until = time.monotonic() + GONE_WAIT_S
        while any(holder(self.run.dir, name) for name in names) and time.monotonic() < until:
            time.sleep(POLL_S)

    def add_program(self, name: str) -> None:
        """Let supervisord run one more actor of the run; nothing else is touched."""
        self._write(f"{PROGRAMS}/{name}.conf", program(self.run, name))
        self.supervisor.update()

    def remove_program(self, name: str) -> None:
        (self.run.dir / PROGRAMS / f"{name}.conf").unlink(missing_ok=True)
        self.supervisor.update()

    def kept_passphrase_file(self) -> Path | None:
        """The file in memory that the house's processes read their passphrase from, if it was asked for."""
        note = self.run.dir / PASSPHRASE_NOTE
        return Path(note.read_text().strip()) if note.exists() else None

    def keep_passphrase_file(self, path: Path | None) -> Path | None:
        """Note where that file is, for `down` to remove it."""
        if path is not None:
            open_dir(self.run.dir)
            self._write(PASSPHRASE_NOTE, f"{path}\n")
        else:
            (self.run.dir / PASSPHRASE_NOTE).unlink(missing_ok=True)
        return path

    def _write(self, name: str, text: str) -> None:
        check_private(self.run.dir)
        path = self.run.dir / name
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        fresh.rename(path)

    def _tell_failure(self, code: int) -> None:
        said = (self.run.dir / "logs" / "supervisord.out").read_text(errors="replace").strip().splitlines()
        text = said[-1].removeprefix("tickbus: ") if said else f"supervisord ended with exit code {code}"
        raise (AlreadyRunning if code == AlreadyRunning.exit_code else TickbusError)(text)
