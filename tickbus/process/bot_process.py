"""One process of a bot from start to exit: its lock, its log, its delay after crashes, its exit code."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.live.lock import Lock
from actors.log.log import make_log
from actors.log.log_file import LogFile
from actors.log.lossy_stream import LossyStream
from actors.run.run_dir import check_socket_paths, open_dir
from actors.run.run_file import Run, load
from protocol.errors import TickbusError
from tickbus.process.backoff import LOOP_S, Backoff
from tickbus.process.kernel import protect_memory, stop_with_parent

BUILT_IN_NAMES = ("clockd", "venue")  # processes of every bot; they have no [actors] table
BUG_EXIT_CODE = 70
Body = Callable[[Run, int, Any], int]
"""(run, epoch, log) -> exit code: the work of the process."""


def is_supervised() -> bool:
    """Returns whether supervisord started this process."""
    return "SUPERVISOR_ENABLED" in os.environ


def run_process(name: str, run_file: Path, run_dir: Path | None, body: Body, pretty: bool = False) -> int:
    """Runs `body` while this process holds the lock of `name`; returns its exit code.

    Raises TickbusError, which the caller prints. An exception of any other kind is a bug: it is logged in full,
    printed in one line, and ends the process with BUG_EXIT_CODE, after which supervisord starts it again.
    """
    os.umask(0o077)
    protect_memory()
    if is_supervised():
        stop_with_parent()
    sys.stdout, sys.stderr = LossyStream(1), LossyStream(2)  # no reader of them, and no full disk, stops this process
    run = load(run_file, run_dir)
    if name not in BUILT_IN_NAMES:
        run.actor(name)
    check_socket_paths(run.dir, [name])
    open_dir(run.dir)
    lock = Lock(run.dir, name)
    epoch = lock.acquire()
    log_path = run.dir / "logs" / f"{name}.log"
    log = make_log(name, LogFile(log_path).write if is_supervised() else None, pretty=pretty)
    backoff = Backoff(run.dir, name)
    _delay_start(backoff, log, log_path)
    try:
        code = body(run, epoch, log)
    except TickbusError as error:
        if is_supervised():
            log.error("cannot run", reason=str(error))
        raise
    except Exception as error:
        log.exception("unexpected error (a bug)")
        sys.stderr.write(f"tickbus: {name} ended by a bug, {type(error).__name__}: {error}\n")
        return BUG_EXIT_CODE
    if code == 0:
        backoff.clear()
    return code


def _delay_start(backoff: Backoff, log: Any, log_path: Path) -> None:
    """Logs and waits the delay that follows from recent crashes."""
    wait_s = backoff.record_start()
    if backoff.is_loop:
        log.error(
            "the process crashes in a loop",
            crashes=backoff.recent,
            within_s=LOOP_S,
            waiting_s=wait_s,
            process_log=str(log_path),
        )
    elif wait_s:
        log.warning("start delayed after quick exits", waiting_s=wait_s)
    time.sleep(wait_s)
