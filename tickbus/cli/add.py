"""`tickbus add`: one more actor in a running bot."""

from pathlib import Path

import click

from protocol.errors import BadRunFile, Unreachable
from tickbus.bot.bot import Bot
from tickbus.bot.registry import lost_text
from tickbus.cli.options import bot_option, named_run

SET = "With --use: a setting, as in TOML: size_lots=2. May be repeated."
PATH = "With --use: the folder that contains the module of the class. Default: the current folder."


@click.command("add")
@click.argument("what")
@click.option("--use", help="The actor's class, module:Class. WHAT is then the actor's name.")
@click.option("--follows", multiple=True, help="With --use: an actor that it follows. May be repeated.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help=SET)
@click.option("--path", "folder", type=click.Path(path_type=Path), help=PATH)
@bot_option()
def command(
    what: str, use: str | None, follows: tuple[str, ...], settings: tuple[str, ...], folder: Path | None,
    run_file: Path | None,
) -> int:  # fmt: skip
    """Add an actor to a running bot. WHAT is a TOML file with an [actors.NAME] table, or with --use a name.

    The clock ticks it after all actors that it follows. No other process is restarted.
    """
    from tickbus.run_files.added_actors import add_table, table_of_file, table_of_options

    run = named_run(run_file)
    if use is None:
        text = table_of_file(Path(what))
    elif what.endswith(".toml"):
        raise BadRunFile(f"{what}: with --use, give the actor's name instead of a file")
    else:
        text = table_of_options(what, use, follows, settings, (folder or Path()).absolute())
    if lost := lost_text(run.dir):
        raise Unreachable(lost)
    name = add_table(run, text)
    bot = Bot(named_run(run.dir))
    if not bot.supervisor.is_up():
        bot.prepare()
        click.echo(f"{name}: added in {run.dir}; it starts with the bot (with your own supervisord: run its `update`)")
        return 0
    bot.add_program(name)
    click.echo(f"{name}: started")
    return 0
