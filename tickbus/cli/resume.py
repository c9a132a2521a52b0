"""`tickbus resume`: let connectors place orders again."""

from pathlib import Path

import click

from tickbus.cli.options import bot_option, named_run


@click.command("resume")
@click.argument("names", nargs=-1, metavar="[CONNECTOR]...")
@bot_option()
def command(names: tuple[str, ...], run_file: Path | None) -> int:
    """Let connectors place orders again, after `pause` or a halt. Check the reason of the halt first.

    Without CONNECTOR, all connectors with keys. Exit code 69 if one of them cannot be reached: all others are.
    """
    from tickbus.bot import operator

    run = named_run(run_file)
    targets = operator.connectors(run, names)
    operator.send_to_all(run, targets, "resume", "", lambda name: click.echo(f"{name}: resumed"))
    return 0
