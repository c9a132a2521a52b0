"""Lock: one process per name. An exclusive lock on a file; the file holds the epoch, which grows with every holder."""

import fcntl
import os
import time
from pathlib import Path

from protocol.errors import AlreadyRunning, TickbusError

MAX_EPOCH = 2**32 - 1
_POLL_S = 0.05
_held: set[int] = set()  # descriptors of the locks that this process holds


class Lock:
    """Held from `acquire` to `release` or the process's end: the kernel releases it with the last descriptor. A child
    that this process forks (a process pool of a strategy) closes its copy, so it does not keep the name.

    Unlike a pid file it cannot be wrong about a zombie or a reused pid, and a holder that is stopped keeps it.
    """

    def __init__(self, run_dir: str | Path, name: str) -> None:
        self.name = name
        self.path = Path(run_dir) / f"{name}.lock"
        self.epoch = 0
        self._fd = -1

    def acquire(self, wait_s: float = 0.0) -> int:
        """Acquires the name. Returns the new epoch: one more than the last holder's, and on disk before this returns.

        Raises AlreadyRunning if another process still holds it after `wait_s`.
        """
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(fd, wait_s)
            self.epoch = self._read_epoch(fd) + 1
            record = f"{self.epoch:010d} {os.getpid():010d}\n".encode()
            os.pwrite(fd, record, 0)
            os.ftruncate(fd, len(record))
            os.fsync(fd)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        _held.add(fd)
        return self.epoch

    def release(self) -> None:
        """Releases the name; has no effect if it is not held."""
        if self._fd in _held:  # not in a forked child, where the number may belong to another file
            _held.remove(self._fd)
            os.close(self._fd)
        self._fd = -1

    def _lock(self, fd: int, wait_s: float) -> None:
        give_up = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise AlreadyRunning(self._holder_text(fd)) from None
                time.sleep(_POLL_S)

    def _holder_text(self, fd: int) -> str:
        fields = os.pread(fd, 64, 0).split()
        pid = f" (pid {int(fields[1])})" if len(fields) == 2 and fields[1].isdigit() else ""
        return (
            f"{self.name} is already running{pid} in {self.path.parent}: "
            f"stop that process first, or give this run another `dir`"
        )

    def _read_epoch(self, fd: int) -> int:
        fields = os.pread(fd, 64, 0).split()
        if not fields:
            return 0
        if not fields[0].isdigit() or int(fields[0]) >= MAX_EPOCH:
            raise TickbusError(
                f"{self.path} holds no epoch (it begins with {fields[0][:12]!r}): write a number into it that is "
                f"greater than any epoch of this actor, or start in a new run folder"
            )
        return int(fields[0])


def _close_in_child() -> None:
    for fd in _held:
        os.close(fd)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)


def holder(run_dir: str | Path, name: str) -> int:
    """Returns the pid of the process that holds the name now; 0 if no process does, -1 if its pid is unknown."""
    path = Path(run_dir) / f"{name}.lock"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return 0
    except BlockingIOError:
        fields = os.pread(fd, 64, 0).split()
        return int(fields[1]) if len(fields) == 2 and fields[1].isdigit() else -1
    finally:
        os.close(fd)
