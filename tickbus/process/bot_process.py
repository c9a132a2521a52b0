"""One process of a bot from start to exit: its lock, its log, its delay after crashes, its exit code."""

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.live.lock import Lock
from actors.log.log import make_log, redact_text
from actors.log.log_file import LogFile
from actors.log.lossy_stream import LossyStream
from actors.run.run_dir import check_socket_paths, open_dir
from actors.run.run_file import Run, load
from actors.safe_start import SafeStart
from protocol.errors import TickbusError
from tickbus.process.backoff import LOOP_S, Backoff
from tickbus.process.kernel import protect_memory, stop_with_parent

BUILT_IN_NAMES = ("clockd", "venue")  # processes of every bot; they have no [actors] table
BUG_EXIT_CODE = 70
Body = Callable[[Run, int, Any], int]
"""(run, epoch, log) -> exit code: the work of the process."""
SafeBody = Callable[[Run, int, Any, SafeStart], int | None]
"""(run, epoch, log, safe start) -> exit code, or None if that was only the delay of the next process run."""
SAFE_REST_MAX_S = 5.0  # asleep before a safe start, if the last one crashed: each costs requests of the rate limit
SAFE_FROM_S = 2.0  # a shorter delay of an actor without an account is spent asleep: a process start takes as long


def is_supervised() -> bool:
    """Returns whether supervisord started this process."""
    return "SUPERVISOR_ENABLED" in os.environ


def run_process(
    name: str, run_file: Path, run_dir: Path | None, body: Body, pretty: bool = False,
    safe_body: SafeBody | None = None, is_debugged: bool = False,
) -> int:  # fmt: skip
    """Runs `body` while this process holds the lock of `name`; returns its exit code.

    `is_debugged`: stdin, stdout and stderr stay as they are, for a debugger.
    In a crash loop `safe_body` takes the place of the delay, so that orders do not wait for it.
    Raises TickbusError, which the caller prints. An exception of any other kind is a bug: it is logged in full,
    printed in one line, and ends the process with BUG_EXIT_CODE, after which supervisord starts it again.
    """
    os.umask(0o077)
    protect_memory()
    if is_supervised():
        stop_with_parent()
    if not is_debugged:  # no process that does not read them, and no full disk, stops this one
        sys.stdout, sys.stderr = LossyStream(1), LossyStream(2)
    run = load(run_file, run_dir)
    if name not in BUILT_IN_NAMES:
        run.actor(name)
    check_socket_paths(run.dir, [name])
    open_dir(run.dir)
    lock = Lock(run.dir, name)
    epoch = lock.acquire()
    log = make_log(name, LogFile(run.dir / "logs" / f"{name}.log").write if is_supervised() else None, pretty=pretty)
    backoff = Backoff(run.dir, name)
    try:
        code = _run_or_start_safe(run, name, epoch, log, backoff, body, safe_body)
    except TickbusError as error:
        backoff.record_error(redact_text(str(error)))
        if is_supervised():
            log.error("cannot run", reason=str(error))
        raise
    except Exception as error:
        backoff.record_error(redact_text(_error_text(error)))
        log.exception("unexpected error (a bug)")
        text = redact_text(f"{type(error).__name__}: {error}")
        sys.stderr.write(f"tickbus: {name} ended by a bug, {text}\n")
        return BUG_EXIT_CODE
    if code is None:
        backoff.record_rest()
    elif code == 0:
        backoff.clear()
    return code or 0


def _run_or_start_safe(
    run: Run, name: str, epoch: int, log: Any, backoff: Backoff, body: Body, safe_body: SafeBody | None
) -> int | None:
    """Waits the delay that follows from recent crashes, or spends it with the safe body; then runs the body.

    A safe body that crashes too is started after a part of the delay: without it, it would be started again and again.
    """
    is_safe_useless = backoff.ended_in_delay()
    wait_s = backoff.record_start()
    crashes = backoff.crashes()
    starts_safe = safe_body is not None and _starts_safe(run, name, wait_s)
    if crashes.is_loop:
        log.error(
            "the process crashes in a loop", crashes=crashes.number, within_s=LOOP_S, waiting_s=wait_s,
            starts_safe=starts_safe, error=crashes.error, process_log=str(run.dir / "logs" / f"{name}.log"),
        )  # fmt: skip
    elif wait_s:
        log.warning("start delayed after quick exits", waiting_s=wait_s, starts_safe=starts_safe)
    if safe_body is not None and starts_safe:
        time.sleep(min(wait_s, SAFE_REST_MAX_S) if is_safe_useless else 0.0)
        return safe_body(run, epoch, log, SafeStart(wait_s, crashes.text))
    time.sleep(wait_s)
    return body(run, epoch, log)


def _starts_safe(run: Run, name: str, wait_s: float) -> bool:
    """Whether the delay is spent with the actor's safe work. An actor with an account never leaves its orders alone."""
    if run.actor(name).keys:
        return wait_s > 0
    return wait_s >= SAFE_FROM_S and is_supervised()


def _error_text(error: BaseException) -> str:
    """Returns the exception with the place where it was raised."""
    text = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{text} ({Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name})" if frames else text
