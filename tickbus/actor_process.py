"""The life of one process of the house: its lock, its log, its wait after crashes, its exit code."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.live.lock import Lock
from actors.log.log import make_log
from actors.log.log_file import LogFile
from actors.run.run_dir import check_socket_paths, open_dir
from actors.run.run_file import Run, load
from protocol.errors import TickbusError
from tickbus.backoff import Backoff
from tickbus.main import BUG_EXIT_CODE
from tickbus.process import die_with_parent, keep_secrets

HOUSE_NAMES = ("clockd", "venue")  # processes of every house; they have no [actors] table
Body = Callable[[Run, int, Any], int]
"""(run, epoch, log) -> exit code: what the process is there for."""


def is_supervised() -> bool:
    """Whether supervisord has started this process."""
    return "SUPERVISOR_ENABLED" in os.environ


def run_process(name: str, run_file: Path, run_dir: Path | None, body: Body, pretty: bool = False) -> int:
    """Run `body` as the one holder of `name`; its exit code. Raises TickbusError for the caller to tell."""
    os.umask(0o077)
    keep_secrets()
    if is_supervised():
        die_with_parent()
    run = load(run_file, run_dir)
    if name not in HOUSE_NAMES:
        run.actor(name)
    check_socket_paths(run.dir, [name])
    open_dir(run.dir)
    lock = Lock(run.dir, name)
    epoch = lock.acquire()
    log = make_log(name, LogFile(run.dir / "logs" / f"{name}.log").write if is_supervised() else None, pretty=pretty)
    backoff = Backoff(run.dir, name)
    _wait(backoff, log, run.dir / "logs" / f"{name}.log")
    try:
        code = body(run, epoch, log)
    except TickbusError as error:
        if is_supervised():
            log.error("cannot run", reason=str(error))
        raise
    except Exception as error:  # a bug: told in full in the log, in one line here; the supervisor starts it afresh
        log.exception("bug")
        sys.stderr.write(f"tickbus: {name} ended by a bug, {type(error).__name__}: {error}\n")
        return BUG_EXIT_CODE
    if code == 0:
        backoff.end()
    return code


def _wait(backoff: Backoff, log: Any, log_path: Path) -> None:
    """After several quick ends in a row, wait before the next try, and say so."""
    wait_s = backoff.begin()
    if backoff.is_loop:
        log.error("crash loop", ended=backoff.recent, within_s=60, waiting_s=wait_s, look_at=str(log_path))
    elif wait_s:
        log.warning("waiting before another try", waiting_s=wait_s)
    time.sleep(wait_s)
