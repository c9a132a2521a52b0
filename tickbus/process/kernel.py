"""Kernel settings of a bot's process: it stops when its supervisor dies, and its memory stays private."""

import ctypes
import os
import resource
import select
import signal
import threading
import time

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
GRACE_S = 12.0  # time to cancel orders and exit after the supervisor has died; then SIGKILL

_libc = ctypes.CDLL(None, use_errno=True)


def stop_with_parent() -> None:
    """Has the kernel send SIGTERM when the parent dies, so that orders are cancelled; SIGKILL follows after GRACE_S."""
    parent = os.getppid()
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # the parent died before prctl took effect
        os.kill(os.getpid(), signal.SIGTERM)
        return
    try:
        parent_fd = os.pidfd_open(parent)
    except OSError:
        return  # kernels before 5.3 have no pidfd: SIGTERM alone has to do
    threading.Thread(target=_kill_late, args=(parent_fd,), name="parent-watch", daemon=True).start()


def _kill_late(parent_fd: int) -> None:
    poll = select.poll()
    poll.register(parent_fd, select.POLLIN)
    poll.poll()
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def protect_memory() -> None:
    """Allows no core dumps, and no reading of this process's memory by other processes of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
