"""`tickbus clockd`: the clock of a run, in this process."""

from pathlib import Path
from typing import Any

import click

from actors.run.run_file import CLOCK, Run
from tickbus.actor_process import run_process
from tickbus.options import run_options


@click.command("clockd")
@run_options()
@click.option("--pretty", is_flag=True, help="Log lines for people instead of JSON.")
def command(run_file: Path, run_dir: Path | None, pretty: bool) -> int:
    """Run the clock of a run until it is asked to stop."""
    return run_process(CLOCK, run_file, run_dir, _tick, pretty)


def _tick(run: Run, epoch: int, log: Any) -> int:
    from clockd.main import run_clock

    return run_clock(run, epoch, log=log)
