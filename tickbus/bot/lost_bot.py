"""The stop of a bot whose supervisord cannot be reached through its folder, since files were removed from it."""

import contextlib
import os
import signal
import time
from pathlib import Path

from protocol.errors import TickbusError
from tickbus.bot.registry import supervisords
from tickbus.bot.supervisor_config import STOP_WAIT_S

POLL_S = 0.05
END_WAIT_S = 4 * STOP_WAIT_S


def end_in_order(folder: Path, pid: int) -> None:
    """Has a supervisord stop its processes in the order of their priorities, and returns when it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    until_s = time.monotonic() + END_WAIT_S
    while supervisords().get(folder) == pid:
        if time.monotonic() > until_s:
            raise TickbusError(f"supervisord (pid {pid}) of {folder} did not end in {END_WAIT_S} s")
        time.sleep(POLL_S)
