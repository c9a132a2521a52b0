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

    A connector refuses a market that it does not have. Without CONNECTOR, all connectors with keys. Exit code 69 if one
    of them cannot be reached: all others are.
    """
    from tickbus.bot import operator

    run = named_run(run_file)
    text = "cancels are wanted; `tickbus status` shows when none is left"
    targets = operator.connectors(run, names)
    operator.send_to_all(run, targets, "cancel_all", market, lambda name: click.echo(f"{name}: {text}"))
    return 0
