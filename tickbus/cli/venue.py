"""`tickbus venue`: the local exchange of a run, in this process."""

from pathlib import Path
from typing import Any

import click

from actors.config import Run
from protocol.errors import BadRunFile
from tickbus.actor_process import run_process
from tickbus.options import run_options


@click.command("venue")
@run_options()
@click.option("--pretty", is_flag=True, help="Log lines for people instead of JSON.")
def command(run_file: Path, run_dir: Path | None, pretty: bool) -> int:
    """Run the local exchange of a run file's [venue] table until it is asked to stop."""
    return run_process("venue", run_file, run_dir, _serve, pretty)


def _serve(run: Run, epoch: int, log: Any) -> int:
    from tickbus.key_source import venue_settings
    from venue.main import run as serve

    if run.venue is None:
        raise BadRunFile(f"{run.path}: there is no [venue] table: add one (an empty one will do)")
    log.info("up", epoch=epoch)
    return serve(venue_settings(run))
