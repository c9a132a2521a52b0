"""`tickbus down`: stop a bot that runs in the background."""

from pathlib import Path

import click

from actors.run.run_file import load
from tickbus.bot.bot import Bot
from tickbus.bot.lost_bot import end_in_order
from tickbus.bot.registry import lost_pid, running_dirs
from tickbus.cli.options import named_run
from tickbus.keys.passphrase_store import noted_file


@click.command("down")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
def command(run_file: Path | None) -> int:
    """Stop a bot in order: strategies, connectors (which cancel open orders), the clock, the local exchange.

    RUN_FILE is its run file or run folder; not needed if only one bot runs.
    """
    folder = _folder(run_file)
    if pid := lost_pid(folder):
        click.echo("files of its folder were removed: stopping all processes in order")
        end_in_order(folder, pid)
        click.echo("down")
        return 0
    bot = Bot(named_run(run_file))
    bot.supervisor.require_up(f"no bot runs in {bot.run.dir}")
    bot.stop_in_order(lambda names: click.echo(f"stopping {names}"))
    bot.shut_down()
    stored = noted_file(bot.run.dir)
    if stored is not None:
        stored.unlink(missing_ok=True)
    click.echo("down")
    return 0


def _folder(run_file: Path | None) -> Path:
    """Returns the run folder of a run file, or a folder as it is; without one, the folder of the one bot that runs."""
    if run_file is None:
        found = running_dirs()
        return found[0] if len(found) == 1 else Path()
    return load(run_file).dir if run_file.is_file() else run_file.absolute()
