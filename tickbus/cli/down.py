"""`tickbus down`: end a bot that runs in the background."""

from pathlib import Path

import click

from protocol.errors import Unreachable
from tickbus.bot import House
from tickbus.options import named_run


@click.command("down")
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
def command(run_file: Path | None) -> int:
    """Stop a bot in order: strategies, connectors (which cancel open orders), the clock, the exchange.

    RUN_FILE is its run file or run folder; not needed if only one bot runs.
    """
    house = House(named_run(run_file))
    if not house.supervisor.is_up():
        raise Unreachable(f"no bot runs in {house.run.dir}")
    house.stop_in_order(lambda names: click.echo(f"stopping {names}"))
    house.shut_down()
    kept = house.kept_passphrase_file()
    if kept is not None:
        kept.unlink(missing_ok=True)
    click.echo("down")
    return 0
