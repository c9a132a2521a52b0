"""`tickbus forget`: end an order that the exchange no longer has."""

from pathlib import Path

import click

from protocol.errors import Unreachable
from tickbus.cli.options import bot_option, named_run


@click.command("forget")
@click.argument("order")
@click.option("--connector", default="", help="The connector that has the order; needed only if the run has several.")
@bot_option()
def command(order: str, connector: str, run_file: Path | None) -> int:
    """End ORDER, which the exchange no longer has. ORDER is its client order id, or the exchange's id.

    The connector first queries the order, the open orders of the account and its trades. If the exchange still has it,
    the order stays. If not, it ends as EXPIRED with its known fills, and the evidence is written to the journal.
    """
    from tickbus.bot import operator

    run = named_run(run_file)
    names = operator.connectors(run, (connector,) if connector else ())
    if len(names) != 1:
        raise Unreachable(f"the run has {len(names)} connectors with keys: give --connector NAME")
    operator.send(run, names[0], "forget", order)
    click.echo(f"{names[0]}: queries the exchange about {order}; the log and the order's state show the outcome")
    return 0
