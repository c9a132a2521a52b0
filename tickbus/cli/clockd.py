"""`tickbus clockd`: the clock of a run, in this process."""

from pathlib import Path
from typing import Any

import click

from actors.run.run_file import CLOCK, Run
from tickbus.cli.options import run_options
from tickbus.process.bot_process import run_process


@click.command("clockd")
@run_options()
@click.option("--pretty", is_flag=True, help="Print readable log lines instead of JSON.")
def command(run_file: Path, run_dir: Path | None, pretty: bool) -> int:
    """Run the clock of a run until SIGTERM or Ctrl-C."""
    return run_process(CLOCK, run_file, run_dir, _run, pretty)


def _run(run: Run, epoch: int, log: Any) -> int:
    from clockd.main import run_clock

    return run_clock(run, epoch, log=log)
