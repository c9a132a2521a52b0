"""`tickbus actor NAME`: one actor of a run, in this process."""

from pathlib import Path
from typing import Any

import click

from actors.run.run_file import Run
from tickbus.cli.options import run_options
from tickbus.process.bot_process import run_process


@click.command("actor")
@click.argument("name")
@run_options()
@click.option("--pretty", is_flag=True, help="Print readable log lines instead of JSON.")
def command(name: str, run_file: Path, run_dir: Path | None, pretty: bool) -> int:
    """Run the actor NAME of a run until SIGTERM or Ctrl-C."""
    return run_process(name, run_file, run_dir, lambda *given: _run(name, *given), pretty)


def _run(name: str, run: Run, epoch: int, log: Any) -> int:
    from actors.live.driver import run_actor

    keys = None
    if run.actor(name).keys:
        from tickbus.keys.actor_keys import key_of

        keys = key_of(run, name)
    return run_actor(run, name, epoch, keys=keys, log=log)
