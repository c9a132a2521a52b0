"""`tickbus down`: stop a bot that runs in the background."""

from pathlib import Path

import click

from protocol.errors import Unreachable
from tickbus.bot.bot import Bot
from tickbus.cli.options import named_run
from tickbus.keys.passphrase_store import noted_file


@click.command("down")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
def command(run_file: Path | None) -> int:
    """Stop a bot in order: strategies, connectors (which cancel open orders), the clock, the local exchange.

    RUN_FILE is its run file or run folder; not needed if only one bot runs.
    """
    bot = Bot(named_run(run_file))
    if not bot.supervisor.is_up():
        raise Unreachable(f"no bot runs in {bot.run.dir}")
    bot.stop_in_order(lambda names: click.echo(f"stopping {names}"))
    bot.shut_down()
    stored = noted_file(bot.run.dir)
    if stored is not None:
        stored.unlink(missing_ok=True)
    click.echo("down")
    return 0
