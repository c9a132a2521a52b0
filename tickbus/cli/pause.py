"""`tickbus pause`: let connectors place no new order."""

from pathlib import Path

import click

from tickbus.cli.options import bot_option, named_run


@click.command("pause")
@click.argument("names", nargs=-1, metavar="[CONNECTOR]...")
@click.option("--reason", default="paused by an operator", help="Shown as the detail of the state HALTED.")
@bot_option()
def command(names: tuple[str, ...], reason: str, run_file: Path | None) -> int:
    """Let connectors place no new order. Cancels, fills and reconciliation go on.

    It lasts until `tickbus resume` or the end of the connector's process. The kill switch stays on across restarts.
    Without CONNECTOR, all connectors with keys. Exit code 69 if one of them cannot be reached: all others are.
    """
    from tickbus.bot import operator

    run = named_run(run_file)
    targets = operator.connectors(run, names)
    operator.send_to_all(run, targets, "pause", reason, lambda name: click.echo(f"{name}: paused"))
    return 0
