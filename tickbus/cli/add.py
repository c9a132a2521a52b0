"""`tickbus add`: one more actor in a running bot."""

from pathlib import Path

import click

from protocol.errors import BadRunFile
from tickbus.bot import House
from tickbus.options import named_run


@click.command("add")
@click.argument("what")
@click.option("--use", help="The actor's class, module:Class; then WHAT is its name.")
@click.option("--follows", multiple=True, help="An actor that it follows; may be given several times.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting, as in TOML: size_lots=2.")
@click.option("--path", "folder", type=click.Path(path_type=Path), help="The folder of its module, if not this one.")
@click.option(
    "--run", "run_file", type=click.Path(path_type=Path), help="The bot's run file or folder, if several run."
)
def command(
    what: str, use: str | None, follows: tuple[str, ...], settings: tuple[str, ...], folder: Path | None,
    run_file: Path | None,
) -> int:  # fmt: skip
    """Add an actor to a running bot: WHAT is a TOML file with its [actors.NAME] table, or its name (with --use).

    It joins the tick order after all that it follows; nothing is restarted.
    """
    from tickbus.extras import add_table, table_of_file, table_of_options

    run = named_run(run_file)
    if use is None:
        text = table_of_file(Path(what))
    elif what.endswith(".toml"):
        raise BadRunFile(f"{what}: with --use, give the actor's name instead of a file")
    else:
        text = table_of_options(what, use, follows, settings, (folder or Path()).absolute())
    name = add_table(run, text)
    house = House(named_run(run.dir))
    if not house.supervisor.is_up():
        house.prepare()
        click.echo(
            f"{name}: noted in {run.dir}; it starts with the bot (under a supervisord of your own: its `update`)"
        )
        return 0
    house.add_program(name)
    click.echo(f"{name}: started")
    return 0
