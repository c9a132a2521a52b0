"""`tickbus check`: all mistakes of a run file at once."""

import json
from pathlib import Path

import click

from actors.run.run_file import load, problems
from protocol.errors import BadRunFile


@click.command("check")
@click.argument("run_file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: ok, problems.")
@click.option("--online", is_flag=True, help="Also request the rules and prices of the markets from the exchange.")
def command(run_file: Path, as_json: bool, online: bool) -> int:
    """Find all mistakes of RUN_FILE. Exit code 2 if there are any.

    With --online also markets that the exchange does not have, and orders that it would refuse.
    """
    found = _problems(run_file, online)
    if as_json:
        click.echo(json.dumps({"ok": not found, "problems": found}))
    else:
        for text in found:
            click.echo(text, err=True)
        if not found:
            click.echo(f"{run_file} is valid")
    return BadRunFile.exit_code if found else 0


def _problems(run_file: Path, online: bool) -> list[str]:
    from tickbus.run_files.check import all_problems
    from tickbus.run_files.online_check import online_problems
    from venue.base.settings import VenueSettings

    try:
        run = load(run_file)
        found = all_problems(run)
        return found or (online_problems(run) if online else [])
    except BadRunFile:
        return problems(run_file, None, VenueSettings)
