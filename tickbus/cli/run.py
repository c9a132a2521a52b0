"""`tickbus run`: a bot in the foreground, with a live view, stopped in order."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

import click

from actors.log.lossy_stream import LossyStream
from actors.run.run_file import Run, load
from monitor import view
from protocol.errors import TickbusError, Unreachable
from tickbus.bot.bot import Bot, default_run
from tickbus.bot.registry import lost_text
from tickbus.summary.summary import Summary
from tickbus.watch.log_follower import LogFollower
from tickbus.watch.screen import Screen
from tickbus.watch.watch import Watch

REFRESH_S = 0.25
STOP_POLL_S = 0.05
LOST = "files of the run folder {} were removed while the bot ran: it was stopped in order, without a summary"
SUPERVISOR_END_S = 30.0  # then supervisord is killed


@click.command("run")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
@click.option("--for", "seconds", type=float, default=0.0, help="Stop after this number of seconds.")
@click.option("--json", "as_json", is_flag=True, help="Show no view; the last line is the summary as one JSON object.")
@click.option("--pretty", is_flag=True, help="Print the log lines of all actors instead of the view.")
@click.option("--keep", is_flag=True, help="Keep the default bot's folder after a clean end too.")
@click.option("--dir", "run_dir", type=click.Path(path_type=Path), help="The run folder, if not the run file's.")
def command(
    run_file: Path | None, seconds: float, as_json: bool, pretty: bool, keep: bool, run_dir: Path | None
) -> int:
    """Run a bot in the foreground under supervisord, with a live view. Without RUN_FILE, run the default bot.

    Ctrl-C stops it: first strategies, then connectors (which cancel open orders), the clock, the local exchange.
    """
    run = load(run_file, run_dir) if run_file is not None else default_run()
    clean = False
    try:
        summary = Foreground(run, seconds, as_json, pretty).run_it()
        clean = summary.is_clean
    finally:
        if run_file is None and clean and not keep:
            shutil.rmtree(run.dir, ignore_errors=True)
    return 0 if clean else 1


class Foreground:
    """One run from its start to its summary."""

    def __init__(self, run: Run, seconds: float, as_json: bool, pretty: bool) -> None:
        self._run = run
        self._seconds = seconds
        self._as_json = as_json
        self._pretty = pretty
        self._bot = Bot(run)
        self._stop_requested = False
        self._notes: list[str] = []
        self._begun_s = time.monotonic()

    def run_it(self) -> Summary:
        """Starts, shows and stops the bot; returns its summary. Raises TickbusError if it does not start."""
        from tickbus.keys.passphrase_store import store_passphrase
        from tickbus.run_files.check import require_no_problems

        self._bot.check_not_running()
        require_no_problems(self._run)
        passphrase_file = store_passphrase(self._run)
        with self._signals():
            try:
                self._bot.prepare(passphrase_file)
                summary = Summary(self._run)
                child = self._bot.start(foreground=True)
                assert child is not None
                try:
                    self._watch(summary, child)
                finally:
                    self._end(child)
            finally:
                if passphrase_file is not None:
                    passphrase_file.unlink(missing_ok=True)
        self._print(summary)
        return summary

    def _watch(self, summary: Summary, child: "subprocess.Popen[bytes]") -> None:
        from actors.tap import Tap

        with Tap(self._run.dir) as tap:
            watch = Watch(self._run, tap, self._bot.supervisor)
            summary.watch_bot(watch)
            until_s = time.monotonic() + self._seconds if self._seconds else float("inf")

            def lines(width: int, height: int) -> list[str]:
                title = f"tickbus  {self._run.path}  up {time.monotonic() - self._begun_s:.0f} s  (Ctrl-C stops it)"
                now_ns = time.time_ns()
                return view.lines(watch.state, watch.rows, title, now_ns, width, height, self._notes)

            def line() -> str:
                return view.status_line(watch.state, watch.rows, time.monotonic() - self._begun_s)

            out: TextIO = sys.stderr if self._as_json else sys.stdout
            if not out.isatty():  # a pipe without a reader or a full disk does not end the bot
                out = cast(TextIO, LossyStream(out.fileno()))
            with LogFollower(self._run.dir, out) if self._pretty else Screen(lines, line, out) as screen:
                while not self._stop_requested and time.monotonic() < until_s:
                    if child.poll() is not None:
                        raise TickbusError(f"supervisord has ended: see {self._run.dir}/logs/supervisord.log")
                    watch.poll(REFRESH_S, lambda: not self._stop_requested)
                    screen.show()
                self._stop(summary, watch, screen)

    def _stop(self, summary: Summary, watch: Watch, screen: Screen | LogFollower) -> None:
        """Stops all but the local exchange, whose ledger is compared with the journals before it ends too."""
        summary.trading_ended(time.monotonic() - self._begun_s)

        def on_stopping(names: str) -> None:
            self._notes = ["", f"stopping {names}"]
            watch.poll(STOP_POLL_S)
            screen.show()

        try:
            self._bot.stop_in_order(on_stopping, keep=("venue",), while_waiting=lambda: watch.poll(STOP_POLL_S))
        except Unreachable:
            if lost_text(self._run.dir):
                raise TickbusError(LOST.format(self._run.dir)) from None
            raise
        summary.compare()

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        """Ends every process of the bot, whatever happened before."""
        if self._bot.supervisor.trouble():
            child.terminate()  # it stops its processes in order
        else:
            self._bot.shut_down()
        try:
            child.wait(SUPERVISOR_END_S)
        except subprocess.TimeoutExpired:
            child.kill()  # the kernel then stops its children too
            child.wait()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal cause an orderly stop."""
        kept = {one: signal.signal(one, self._request_stop) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for one, handler in kept.items():
                signal.signal(one, handler)

    def _request_stop(self, *_: Any) -> None:
        self._stop_requested = True

    def _print(self, summary: Summary) -> None:
        if self._as_json:
            print(json.dumps(summary.as_dict()))
        else:
            print("\n".join(summary.lines()))
