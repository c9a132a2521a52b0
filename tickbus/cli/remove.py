"""`tickbus remove`: take an added actor out of a running bot."""

from pathlib import Path

import click

from tickbus.bot import House
from tickbus.options import named_run


@click.command("remove")
@click.argument("name")
@click.option(
    "--run", "run_file", type=click.Path(path_type=Path), help="The bot's run file or folder, if several run."
)
def command(name: str, run_file: Path | None) -> int:
    """Stop the actor NAME that was added to a running bot, and forget it; the clock and the others go on."""
    from tickbus.extras import remove_table

    house = House(named_run(run_file))
    remove_table(house.run, name)
    if house.supervisor.is_up():
        house.remove_program(name)
    click.echo(f"{name}: removed")
    return 0
