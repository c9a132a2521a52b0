"""`tickbus actor NAME`: one actor of a run, in this process."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from actors.run.run_file import Run
from actors.safe_start import NORMAL, SafeStart
from tickbus.cli.options import run_options
from tickbus.process.bot_process import run_process
from tickbus.process.loaded_code import LoadedCode

DEBUG_PATIENCE_MS = 3_600_000  # how long the clock waits for the turn of an actor in a debugger


@click.command("actor")
@click.argument("name")
@run_options()
@click.option("--pretty", is_flag=True, help="Print readable log lines instead of JSON.")
@click.option("--debug", is_flag=True, help="For a debugger: the clock waits up to an hour for this actor.")
def command(name: str, run_file: Path, run_dir: Path | None, pretty: bool, debug: bool) -> int:
    """Run the actor NAME of a run until SIGTERM or Ctrl-C.

    With --debug, breakpoint() opens the debugger in this terminal, and the tick waits meanwhile, for all actors. A
    connector cancels the orders of a strategy that is stopped for longer than its owner_silent_s.
    """
    run_it = partial(_run, name, debug=debug)
    return run_process(name, run_file, run_dir, run_it, pretty, partial(_run_safe, name), is_debugged=debug)


def _run(
    name: str, run: Run, epoch: int, log: Any, safe_start: SafeStart = NORMAL, *, debug: bool = False
) -> int:  # fmt: skip
    from actors.live.driver import run_actor

    run.actor_class(name)
    LoadedCode(run.dir, name).record()
    keys = None
    if run.actor(name).keys:
        from tickbus.keys.actor_keys import key_of

        keys = key_of(run, name)
    patience_ms = DEBUG_PATIENCE_MS if debug else None
    return run_actor(run, name, epoch, keys=keys, log=log, safe_start=safe_start, patience_ms=patience_ms)


def _run_safe(name: str, run: Run, epoch: int, log: Any, safe_start: SafeStart) -> int | None:
    """Runs an actor after a crash loop: one with an account starts safe. For one that follows others its orders are
    cancelled without its own code; that was its delay, and None is returned."""
    from actors.live.driver import run_cancel_only

    if run.actor(name).keys:
        return _run(name, run, epoch, log, safe_start)
    run_cancel_only(run, name, epoch, log=log, safe_start=safe_start)
    return None
