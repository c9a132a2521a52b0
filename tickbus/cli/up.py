"""`tickbus up`: a bot in the background."""

import json
from pathlib import Path

import click

from actors.run.run_file import load
from tickbus.bot import House


@click.command("up")
@click.argument("run_file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object: run_dir, added, changed, removed.")
def command(run_file: Path, as_json: bool) -> int:
    """Start the bot of RUN_FILE in the background, under supervisord.

    If it is up already, it is brought up to its run file: new actors start, changed ones restart, others stop.
    """
    from tickbus.checks import refuse_mistakes
    from tickbus.keys.passphrase_store import passphrase_for

    house = House(load(run_file))
    refuse_mistakes(house.run)
    changes: tuple[list[str], list[str], list[str]] = ([], [], [])
    is_up = house.supervisor.is_up()
    house.prepare(house.kept_passphrase_file() if is_up else house.keep_passphrase_file(passphrase_for(house.run)))
    if is_up:
        changes = house.supervisor.update()
    else:
        house.start(foreground=False)
    if as_json:
        names = ("added", "changed", "removed")
        click.echo(
            json.dumps({"run_dir": str(house.run.dir), "was_up": is_up, **dict(zip(names, changes, strict=True))})
        )
    elif is_up:
        told = [
            f"{what} {', '.join(names)}"
            for what, names in zip(("added", "changed", "removed"), changes, strict=True)
            if names
        ]
        click.echo("; ".join(told) or "up already, and nothing has changed")
    else:
        click.echo(f"up in {house.run.dir} (tickbus status, tap, down {run_file})")
    return 0
