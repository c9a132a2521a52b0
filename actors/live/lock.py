"""One process per name: an exclusive lock on a file, and in it the epoch, which grows with every holder."""

import fcntl
import os
import time
from pathlib import Path

from protocol.errors import AlreadyRunning, TickbusError

MAX_EPOCH = 2**32 - 1
_POLL_S = 0.05


class Lock:
    """Held from `acquire` to `release` or the process's end: the kernel drops it with the last descriptor.

    It is no pid file: a zombie or a reused pid fools nobody; a holder that is stopped is not robbed.
    """

    def __init__(self, run_dir: str | Path, name: str) -> None:
        self.name = name
        self.path = Path(run_dir) / f"{name}.lock"
        self.epoch = 0
        self._fd = -1

    def acquire(self, wait_s: float = 0.0) -> int:
        """Take the name; the new epoch, one more than the last holder's, on disk before this returns.

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
        return self.epoch

    def release(self) -> None:
        """Let the name go; harmless if it is not held."""
        if self._fd >= 0:
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
                    raise AlreadyRunning(self._who(fd)) from None
                time.sleep(_POLL_S)

    def _who(self, fd: int) -> str:
        fields = os.pread(fd, 64, 0).split()
        pid = f" (pid {int(fields[1])})" if len(fields) == 2 and fields[1].isdigit() else ""
        return (
            f"{self.name} is already running{pid} in {self.path.parent}: "
            f"stop that one first, or give this run another `dir`"
        )

    def _read_epoch(self, fd: int) -> int:
        fields = os.pread(fd, 64, 0).split()
        if not fields:
            return 0
        if not fields[0].isdigit() or int(fields[0]) >= MAX_EPOCH:
            raise TickbusError(
                f"{self.path} holds no epoch (its first word is {fields[0][:12]!r}): write into it a number "
                f"greater than any epoch that this actor had, or start in a new run folder"
            )
        return int(fields[0])


def holder(run_dir: str | Path, name: str) -> int:
    """The pid that holds the name now; 0 if nobody does."""
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
