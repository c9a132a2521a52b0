"""Options that several commands share, and the run that they name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from actors.live.lock import holder
from actors.run.run_file import Run, load
from protocol.errors import Unreachable
from tickbus.bot.registry import lost_pid, running_dirs

BOT_HELP = "The bot's run file or run folder; needed only if several bots run."


def run_options(required: bool = True) -> Callable[[Any], Any]:
    """Adds `--run FILE` and `--dir FOLDER`, which supervisord's programs are called with."""

    def add(function: Any) -> Any:
        function = click.option(
            "--dir", "run_dir", type=click.Path(path_type=Path), help="The run folder, if not the run file's."
        )(function)
        return click.option(
            "--run", "run_file", type=click.Path(path_type=Path), required=required, help="The run file."
        )(function)

    return add


def bot_option() -> Callable[[Any], Any]:
    """Adds `--run FILE_OR_FOLDER`, which names a running bot."""
    return click.option("--run", "run_file", type=click.Path(path_type=Path), help=BOT_HELP)


def named_run(run_file: Path | None) -> Run:
    """Returns the run of a run file or of a run folder; for None, the one run of this machine.

    Raises Unreachable if for None no bot runs, or more than one.
    """
    if run_file is not None and (run_file.is_dir() or lost_pid(run_file.absolute())):
        return run_of_dir(run_file.absolute())
    if run_file is not None:
        return load(run_file)
    found = running_dirs()
    if len(found) == 1:
        return run_of_dir(found[0])
    if not found:
        raise Unreachable("no bot of yours runs on this machine: start one (tickbus run), or name its run file")
    raise Unreachable(f"several bots run ({', '.join(map(str, found))}): name a run file or one of these folders")


def is_running(run: Run) -> bool:
    """Returns whether any process of the run exists, with or without supervisord."""
    return run.dir.is_dir() and any(holder(run.dir, path.stem) for path in run.dir.glob("*.lock"))


def run_of_dir(folder: Path) -> Run:
    """Returns the run of a run folder. Raises Unreachable if no bot was ever started in it."""
    from tickbus.bot.bot import run_file_of

    return load(run_file_of(folder), folder)
