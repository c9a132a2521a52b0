"""`tickbus up`: start or update a bot in the background."""

import json
from pathlib import Path

import click

from actors.run.run_file import load
from tickbus.bot.bot import Bot

SHOWN = 3  # names of changed files in one line


@click.command("up")
@click.argument("run_file", type=click.Path(path_type=Path))
@click.option("--reload", is_flag=True, help="Restart the actors whose code has changed since they started.")
@click.option(
    "--json", "as_json", is_flag=True,
    help="Print one JSON object: run_dir, was_up, added, changed, removed, code_changed, restarted.",
)  # fmt: skip
def command(run_file: Path, reload: bool, as_json: bool) -> int:
    """Start the bot of RUN_FILE in the background, under supervisord.

    If it runs already, apply its changed run file: new actors start, changed ones restart, deleted ones stop. Actors
    whose code has changed are named; with --reload they restart, one after another.
    """
    from tickbus.keys.passphrase_store import note_file, noted_file, store_passphrase
    from tickbus.run_files.check import require_no_problems

    bot = Bot(load(run_file))
    folder = bot.run.dir
    require_no_problems(bot.run)
    changes: tuple[list[str], list[str], list[str]] = ([], [], [])
    was_up = bot.supervisor.is_up()
    stale = bot.changed_code() if was_up else {}
    restarted: list[str] = []
    bot.prepare(noted_file(folder) if was_up else note_file(folder, store_passphrase(bot.run)))
    if was_up:
        changes = bot.supervisor.update()
        stale = {name: files for name, files in stale.items() if name not in changes[1]}  # restarted by this
        if reload:
            restarted = list(stale)
            for name in restarted:
                bot.restart(name)
    else:
        bot.start(foreground=False)
    by_kind = dict(zip(("added", "changed", "removed"), changes, strict=True))
    if as_json:
        code_changed = {name: list(map(str, files)) for name, files in stale.items()}
        click.echo(
            json.dumps(
                {
                    "run_dir": str(folder),
                    "was_up": was_up,
                    **by_kind,
                    "code_changed": code_changed,
                    "restarted": restarted,
                }
            )
        )
    elif was_up:
        texts = [f"{kind} {', '.join(names)}" for kind, names in by_kind.items() if names]
        if restarted:
            texts.append(f"restarted {', '.join(restarted)}")
        elif stale:
            texts += [f"the code of {name} has changed ({_names(files)})" for name, files in stale.items()]
            texts.append("tickbus restart ACTOR or tickbus up --reload loads it")
        click.echo("; ".join(texts) or "up already, and nothing has changed")
    else:
        click.echo(f"up in {folder} (tickbus status, tap, down {run_file})")
    return 0


def _names(files: list[Path]) -> str:
    """Returns the names of at most SHOWN files."""
    names = ", ".join(file.name for file in files[:SHOWN])
    return names if len(files) <= SHOWN else f"{names} and {len(files) - SHOWN} more"
