"""`tickbus resume`: let connectors place orders again."""

from pathlib import Path

import click

from tickbus.cli.options import bot_option, named_run


@click.command("resume")
@click.argument("names", nargs=-1, metavar="[CONNECTOR]...")
@bot_option()
def command(names: tuple[str, ...], run_file: Path | None) -> int:
    """Let connectors place orders again, after `pause` or a halt. Check the reason of the halt first.

    Without CONNECTOR, all connectors with keys. Exit code 69 if one of them cannot be reached.
    """
    from tickbus.bot import operator

    run = named_run(run_file)
    for name in operator.connectors(run, names):
        operator.send(run, name, "resume", "")
        click.echo(f"{name}: resumed")
    return 0
