"""`tickbus actor NAME`: one actor of a run, in this process."""

from pathlib import Path
from typing import Any

import click

from actors.run.run_file import Run
from tickbus.actor_process import run_process
from tickbus.options import run_options


@click.command("actor")
@click.argument("name")
@run_options()
@click.option("--pretty", is_flag=True, help="Log lines for people instead of JSON.")
def command(name: str, run_file: Path, run_dir: Path | None, pretty: bool) -> int:
    """Run the actor NAME of a run until it is asked to stop (SIGTERM, Ctrl-C)."""
    return run_process(name, run_file, run_dir, lambda *given: _live(name, *given), pretty)


def _live(name: str, run: Run, epoch: int, log: Any) -> int:
    from actors.live.driver import run_actor

    keys = None
    if run.actor(name).keys:
        from tickbus.keys.source import key_of

        keys = key_of(run, name)
    return run_actor(run, name, epoch, keys=keys, log=log)
