"""`tickbus up`: start or update a bot in the background."""

import json
from pathlib import Path

import click

from actors.run.run_file import load
from tickbus.bot.bot import Bot


@click.command("up")
@click.argument("run_file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: run_dir, added, changed, removed.")
def command(run_file: Path, as_json: bool) -> int:
    """Start the bot of RUN_FILE in the background, under supervisord.

    If it runs already, apply its changed run file: new actors start, changed ones restart, deleted ones stop.
    """
    from tickbus.keys.passphrase_store import note_file, noted_file, store_passphrase
    from tickbus.run_files.check import require_no_problems

    bot = Bot(load(run_file))
    folder = bot.run.dir
    require_no_problems(bot.run)
    changes: tuple[list[str], list[str], list[str]] = ([], [], [])
    was_up = bot.supervisor.is_up()
    bot.prepare(noted_file(folder) if was_up else note_file(folder, store_passphrase(bot.run)))
    if was_up:
        changes = bot.supervisor.update()
    else:
        bot.start(foreground=False)
    by_kind = dict(zip(("added", "changed", "removed"), changes, strict=True))
    if as_json:
        click.echo(json.dumps({"run_dir": str(folder), "was_up": was_up, **by_kind}))
    elif was_up:
        texts = [f"{kind} {', '.join(names)}" for kind, names in by_kind.items() if names]
        click.echo("; ".join(texts) or "up already, and nothing has changed")
    else:
        click.echo(f"up in {folder} (tickbus status, tap, down {run_file})")
    return 0
