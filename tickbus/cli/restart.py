"""`tickbus restart`: restart one actor of a running bot."""

from pathlib import Path

import click

from protocol.errors import Unreachable
from tickbus.bot.bot import Bot
from tickbus.cli.options import bot_option, named_run


@click.command("restart")
@click.argument("name")
@bot_option()
def command(name: str, run_file: Path | None) -> int:
    """Stop the actor NAME in order and start it again, with its code as it is now. Its journals stay.

    A strategy cancels its open orders before it stops; its positions are at its connector.
    """
    bot = Bot(named_run(run_file))
    bot.run.actor(name)
    bot.supervisor.require_up(f"the bot of {bot.run.path} is not running: tickbus up {bot.run.path}")
    if name not in {one.name for one in bot.supervisor.processes()}:
        raise Unreachable(f"{name} is not started yet: tickbus up {bot.run.path}")
    bot.restart(name)
    click.echo(f"{name}: restarted")
    return 0
