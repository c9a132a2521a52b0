"""`tickbus status`: the processes of a bot."""

import json
import time
from pathlib import Path

import click
import msgspec

from actors.run.run_file import Run
from protocol.errors import Unreachable
from tickbus.bot.bot import Bot
from tickbus.bot.supervisor_client import ProcessInfo
from tickbus.cli.options import named_run
from tickbus.process.backoff import Backoff

LISTEN_S = 1.5  # actors send a heartbeat each second


@click.command("status")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: up, run_dir, run_file, processes.")
def command(run_file: Path | None, as_json: bool) -> int:
    """Show the processes of a bot, and the state that each actor reports. Exit code 69 if the bot does not run.

    RUN_FILE is its run file or run folder; not needed if only one bot runs.
    """
    run = named_run(run_file)
    supervisor = Bot(run).supervisor
    try:
        processes = supervisor.processes()
    except Unreachable:
        if not as_json:
            raise
        click.echo(json.dumps({"up": False, "run_dir": str(run.dir), "processes": []}))
        return Unreachable.exit_code
    if as_json:
        rows = _rows(run, processes)
        click.echo(json.dumps({"up": True, "run_dir": str(run.dir), "run_file": str(run.path), "processes": rows}))
    else:
        for line in _lines(run):
            click.echo(line)  # without colors where the output is not a terminal
    return 0


def _lines(run: Run) -> list[str]:
    from actors.tap import Tap
    from monitor import view
    from tickbus.watch.watch import Watch

    with Tap(run.dir) as tap:
        watch = Watch(run, tap, Bot(run).supervisor)
        watch.poll(LISTEN_S)
        watch.refresh_processes()
        head = [f"{run.path} in {run.dir}", view.clock_line(watch.state)]
        lines = head + view.process_lines(watch.state, watch.rows, time.time_ns())
    return [view.painted(line) for line in lines]


def _rows(run: Run, processes: list[ProcessInfo]) -> list[dict[str, object]]:
    """Returns one row for each process: supervisord's fields, and those of the actor's next heartbeat."""
    reported = _heartbeats(run)
    return [
        msgspec.to_builtins(one) | _crashes(run, one.name) | reported.get(one.name, {}) for one in processes
    ]  # fmt: skip


def _crashes(run: Run, name: str) -> dict[str, object]:
    crashes = Backoff(run.dir, name).crashes()
    return {"crashes": crashes.number, "crash_loop": crashes.is_loop, "last_error": crashes.error}


def _heartbeats(run: Run) -> dict[str, dict[str, object]]:
    from actors.tap import Tap
    from protocol import Heartbeat

    found: dict[str, dict[str, object]] = {}
    until = time.monotonic() + LISTEN_S
    with Tap(run.dir, Heartbeat) as tap:
        while time.monotonic() < until:
            for tapped in tap.poll(0.1):
                if isinstance(tapped.body, Heartbeat):
                    beat = tapped.body
                    found[tapped.sender] = {
                        "epoch": tapped.epoch, "ticks": beat.ticks, "lost": beat.lost,
                        "invalid_frames": beat.invalid_frames, "refused_frames": beat.refused_frames,
                        "actor_state": beat.state, "detail": beat.detail, "loop": beat.loop,
                    }  # fmt: skip
    return found
