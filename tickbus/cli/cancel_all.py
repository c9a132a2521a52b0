"""`tickbus cancel-all`: cancel all open orders of a bot."""

from pathlib import Path

import click

from tickbus.cli.options import bot_option, named_run


@click.command("cancel-all")
@click.argument("names", nargs=-1, metavar="[CONNECTOR]...")
@click.option("--market", default="", help="Only the orders of this market, for example BTC-USDT.")
@bot_option()
def command(names: tuple[str, ...], market: str, run_file: Path | None) -> int:
    """Cancel all open orders, of all strategies. Strategies may place new ones: `tickbus pause` first.

    Without CONNECTOR, all connectors with keys. Exit code 69 if one of them cannot be reached.
    """
    from tickbus.bot import operator

    run = named_run(run_file)
    for name in operator.connectors(run, names):
        operator.send(run, name, "cancel_all", market)
        click.echo(f"{name}: cancels are wanted; `tickbus status` shows when none is left")
    return 0
