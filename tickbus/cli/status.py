"""`tickbus status`: which processes of a bot run."""

import json
import time
from pathlib import Path

import click
import msgspec

from actors.run.run_file import Run
from protocol.errors import Unreachable
from tickbus.bot import House
from tickbus.options import named_run
from tickbus.supervisor_client import Process

LISTEN_S = 1.5  # an actor tells of itself each second


@click.command("status")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object: up, run_dir, processes.")
def command(run_file: Path | None, as_json: bool) -> int:
    """Say which processes of a bot run, and what each says of itself. Exit code 69 if none does.

    RUN_FILE is its run file or run folder; not needed if only one bot runs.
    """
    run = named_run(run_file)
    supervisor = House(run).supervisor
    try:
        processes = supervisor.processes()
    except Unreachable:
        if not as_json:
            raise
        click.echo(json.dumps({"up": False, "run_dir": str(run.dir), "processes": []}))
        return Unreachable.exit_code
    if as_json:
        says = _heard(run)
        rows = [msgspec.to_builtins(one) | says.get(one.name, {}) for one in processes]
        click.echo(json.dumps({"up": True, "run_dir": str(run.dir), "run_file": str(run.path), "processes": rows}))
    else:
        for line in _lines(run, processes):
            click.echo(line)
    return 0


def _lines(run: Run, processes: list[Process]) -> list[str]:
    from actors.tap import Tap
    from monitor import view
    from tickbus.watch import Watch

    with Tap(run.dir) as tap:
        watch = Watch(run, tap, House(run).supervisor)
        watch.poll(LISTEN_S)
        watch.look()
        head = [f"{run.path} in {run.dir}", view.clock_line(watch.state)]
        return head + view.process_lines(watch.state, watch.rows, time.time_ns())


def _heard(run: Run) -> dict[str, dict[str, object]]:
    """What each actor says of itself, in its next heartbeat."""
    from actors.tap import Tap
    from protocol import Heartbeat

    found: dict[str, dict[str, object]] = {}
    until = time.monotonic() + LISTEN_S
    with Tap(run.dir, Heartbeat) as tap:
        while time.monotonic() < until:
            for heard in tap.poll(0.1):
                if isinstance(heard.body, Heartbeat):
                    beat = heard.body
                    found[heard.sender] = {
                        "epoch": heard.epoch, "ticks": beat.ticks, "lost": beat.lost, "garbage": beat.invalid_frames,
                        "says": beat.state, "detail": beat.detail, "loop": beat.loop,
                    }  # fmt: skip
    return found
