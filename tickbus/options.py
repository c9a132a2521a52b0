"""Arguments that several verbs share, and the run that they mean."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from actors.live.lock import holder
from actors.run.run_file import Run, load
from protocol.errors import Unreachable

RUN_FILE = "the run file (default: the only bot that `tickbus run` or `up` keeps running here)"


def run_options(required: bool = True) -> Callable[[Any], Any]:
    """`--run FILE` and `--dir FOLDER`, as supervisord's programs are called with."""

    def add(function: Any) -> Any:
        function = click.option(
            "--dir", "run_dir", type=click.Path(path_type=Path), help="The run folder, if not the run file's."
        )(function)
        return click.option(
            "--run", "run_file", type=click.Path(path_type=Path), required=required, help="The run file."
        )(function)

    return add


def named_run(run_file: Path | None) -> Run:
    """The run that a verb is meant for: by its file, by its folder, or the one that runs on this machine.

    Raises Unreachable if there is none, or more than one.
    """
    if run_file is not None and run_file.is_dir():
        return run_of_dir(run_file)
    if run_file is not None:
        return load(run_file)
    found = running_dirs()
    if len(found) == 1:
        return run_of_dir(found[0])
    if not found:
        raise Unreachable("no bot of yours runs on this machine: start one (tickbus run), or name its run file")
    raise Unreachable(f"several bots run ({', '.join(map(str, found))}): name a run file or one of these folders")


def lives(run: Run) -> bool:
    """Whether any process of the run is there, under whatever supervisor."""
    return run.dir.is_dir() and any(holder(run.dir, path.stem) for path in run.dir.glob("*.lock"))


def run_of_dir(folder: Path) -> Run:
    """The run whose folder this is. Raises Unreachable if nothing has run in it."""
    from tickbus.bot import run_file_of

    return load(run_file_of(folder), folder)


def running_dirs() -> list[Path]:
    """The folders of bots that run now, by the list that each leaves in the user's runtime folder."""
    from tickbus.registry import known_dirs

    return known_dirs()
