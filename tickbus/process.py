"""What a process of the house asks of the kernel: to end with its supervisor, and to leave no secrets behind."""

import ctypes
import os
import resource
import select
import signal
import threading
import time

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
GRACE_S = 12.0  # to cancel orders and leave, after the supervisor has died

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """SIGTERM when the parent dies, so that orders are cancelled; SIGKILL if that has not helped in GRACE_S."""
    parent = os.getppid()
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew of our wish
        os.kill(os.getpid(), signal.SIGTERM)
        return
    try:
        watched = os.pidfd_open(parent)
    except OSError:
        return  # an old kernel: the signal alone must do
    threading.Thread(target=_kill_late, args=(watched,), name="parent-watch", daemon=True).start()


def _kill_late(parent: int) -> None:
    poll = select.poll()
    poll.register(parent, select.POLLIN)
    poll.poll()
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def keep_secrets() -> None:
    """No core dumps, and no reading of this process's memory by others of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
