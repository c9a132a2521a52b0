"""`tickbus remove`: remove an added actor from a running bot."""

from pathlib import Path

import click

from protocol.errors import Unreachable
from tickbus.bot.bot import Bot
from tickbus.bot.registry import lost_text
from tickbus.cli.options import bot_option, named_run


@click.command("remove")
@click.argument("name")
@bot_option()
def command(name: str, run_file: Path | None) -> int:
    """Stop the added actor NAME and delete its table. The clock and the other actors keep running."""
    from tickbus.run_files.added_actors import remove_table

    bot = Bot(named_run(run_file))
    if text := lost_text(bot.run.dir):
        raise Unreachable(text)
    remove_table(bot.run, name)
    if bot.supervisor.is_up():
        bot.remove_program(name)
    click.echo(f"{name}: removed")
    return 0
