"""The processes that a process of the bot has started (a process pool of a strategy) end with it, however it ended."""

import contextlib
import os
import signal
from typing import Any

from supervisor.process import Subprocess

_finish = Subprocess.finish


def end_groups_with_their_leader() -> None:
    """To be called in supervisord's process, which makes each of its children the leader of a process group."""
    Subprocess.finish = _finish_group


def _finish_group(self: Any, pid: int, status: int) -> Any:
    """Kills what is left of the group of an ended process, whose number the kernel gives to no other until then."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return _finish(self, pid, status)
