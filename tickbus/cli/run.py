"""`tickbus run`: a bot in the foreground, watched, and stopped in order."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from actors.run.run_file import Run, load
from monitor import view
from protocol.errors import TickbusError
from tickbus.bot import House, default_run
from tickbus.log_tail import LogTail
from tickbus.screen import Screen
from tickbus.summary import Summary

REFRESH_S = 0.25


@click.command("run")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
@click.option("--for", "seconds", type=float, default=0.0, help="Stop by itself after so many seconds.")
@click.option("--json", "as_json", is_flag=True, help="No view; the last line is the summary as one JSON object.")
@click.option("--pretty", is_flag=True, help="Instead of the view, what all actors log, as lines for people.")
@click.option("--keep", is_flag=True, help="Keep the default bot's folder also after a clean end.")
@click.option("--dir", "run_dir", type=click.Path(path_type=Path), help="The run folder, if not the run file's.")
def command(
    run_file: Path | None, seconds: float, as_json: bool, pretty: bool, keep: bool, run_dir: Path | None
) -> int:
    """Run a bot in the foreground under supervisord and watch it; without RUN_FILE the default bot.

    Ctrl-C stops it: strategies first, then connectors (which cancel open orders), the clock, the exchange.
    """
    run = load(run_file, run_dir) if run_file is not None else default_run()
    clean = False
    try:
        summary = Foreground(run, seconds, as_json, pretty).run_it()
        clean = summary.is_clean
    finally:
        if run_file is None and clean and not keep:
            shutil.rmtree(run.dir)
    return 0 if clean else 1


class Foreground:
    """One run from its start to its summary."""

    def __init__(self, run: Run, seconds: float, as_json: bool, pretty: bool) -> None:
        self._run = run
        self._seconds = seconds
        self._as_json = as_json
        self._pretty = pretty
        self._house = House(run)
        self._stop_asked = False
        self._notes: list[str] = []
        self._begun_s = time.monotonic()

    def run_it(self) -> Summary:
        """Start, watch, stop, sum up. Raises TickbusError if it does not start."""
        from tickbus.checks import refuse_mistakes
        from tickbus.keys.passphrase_store import passphrase_for

        self._house.refuse_second()
        refuse_mistakes(self._run)
        passphrase_file = passphrase_for(self._run)
        with self._signals():
            try:
                self._house.prepare(passphrase_file)
                summary = Summary(self._run)
                child = self._house.start(foreground=True)
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
        from tickbus.watch import Watch

        with Tap(self._run.dir) as tap:
            watch = Watch(self._run, tap, self._house.supervisor)
            summary.watch = watch
            until_s = time.monotonic() + self._seconds if self._seconds else float("inf")

            def lines(width: int, height: int) -> list[str]:
                title = f"tickbus  {self._run.path}  up {time.monotonic() - self._begun_s:.0f} s  (Ctrl-C stops it)"
                now_ns = time.time_ns()
                return view.lines(watch.state, watch.rows, title, now_ns, width, height, self._notes)

            def line() -> str:
                return view.status_line(watch.state, watch.rows, time.monotonic() - self._begun_s)

            out = sys.stderr if self._as_json else sys.stdout
            with LogTail(self._run.dir, out) if self._pretty else Screen(lines, line, out) as screen:
                while not self._stop_asked and time.monotonic() < until_s:
                    if child.poll() is not None:
                        raise TickbusError(f"supervisord has ended: see {self._run.dir}/logs/supervisord.log")
                    watch.poll(REFRESH_S, lambda: not self._stop_asked)
                    screen.show()
                self._stop(summary, screen)

    def _stop(self, summary: Summary, screen: Screen | LogTail) -> None:
        """All but the exchange, which is asked for the truth when its clients are gone; then that too."""
        assert summary.watch is not None
        watch, house = summary.watch, self._house
        summary.trading_ended(time.monotonic() - self._begun_s)

        def told(names: str) -> None:
            self._notes = ["", f"stopping {names}"]
            watch.poll(0.05)
            screen.show()

        house.stop_in_order(told, keep=("venue",), while_waiting=lambda: watch.poll(0.05))
        summary.compare()

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        """No process is left behind, whatever came before."""
        self._house.shut_down()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()  # its children end with it, by the kernel
            child.wait()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM ask for an orderly end; so does the closing of the terminal."""
        kept = {one: signal.signal(one, self._ask_stop) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for one, handler in kept.items():
                signal.signal(one, handler)

    def _ask_stop(self, *_: Any) -> None:
        self._stop_asked = True

    def _print(self, summary: Summary) -> None:
        found = summary.as_dict()
        if self._as_json:
            print(json.dumps(found))
        else:
            print("\n".join(summary.lines()))
