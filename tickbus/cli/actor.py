"""`tickbus actor NAME`: one actor of a run, in this process."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from actors.run.run_file import Run
from actors.safe_start import NORMAL, SafeStart
from tickbus.cli.options import run_options
from tickbus.process.bot_process import run_process


@click.command("actor")
@click.argument("name")
@run_options()
@click.option("--pretty", is_flag=True, help="Print readable log lines instead of JSON.")
def command(name: str, run_file: Path, run_dir: Path | None, pretty: bool) -> int:
    """Run the actor NAME of a run until SIGTERM or Ctrl-C."""
    return run_process(name, run_file, run_dir, partial(_run, name), pretty, partial(_run_safe, name))


def _run(name: str, run: Run, epoch: int, log: Any, safe_start: SafeStart = NORMAL) -> int:
    from actors.live.driver import run_actor

    keys = None
    if run.actor(name).keys:
        from tickbus.keys.actor_keys import key_of

        keys = key_of(run, name)
    return run_actor(run, name, epoch, keys=keys, log=log, safe_start=safe_start)


def _run_safe(name: str, run: Run, epoch: int, log: Any, safe_start: SafeStart) -> int | None:
    """Runs an actor after a crash loop: one with an account starts safe. For one that follows others its orders are
    cancelled without its own code; that was its delay, and None is returned."""
    from actors.live.driver import run_cancel_only

    if run.actor(name).keys:
        return _run(name, run, epoch, log, safe_start)
    run_cancel_only(run, name, epoch, log=log, safe_start=safe_start)
    return None
