"""`tickbus check`: all mistakes of a run file at once."""

import json
from pathlib import Path

import click

from actors.run.run_file import load, problems
from protocol.errors import BadRunFile


@click.command("check")
@click.argument("run_file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: ok, problems.")
def command(run_file: Path, as_json: bool) -> int:
    """Find all mistakes of RUN_FILE: tables, class names, settings, `follows`, keys. Exit code 2 if there are any."""
    found = _problems(run_file)
    if as_json:
        click.echo(json.dumps({"ok": not found, "problems": found}))
    else:
        for text in found:
            click.echo(text, err=True)
        if not found:
            click.echo(f"{run_file} is valid")
    return BadRunFile.exit_code if found else 0


def _problems(run_file: Path) -> list[str]:
    from tickbus.run_files.check import all_problems
    from venue.base.settings import VenueSettings

    try:
        return all_problems(load(run_file))
    except BadRunFile:
        return problems(run_file, None, VenueSettings)
