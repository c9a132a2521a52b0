"""A log file that rotates by size and never stops its actor: lines that cannot be written are counted."""

import os
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024
KEPT = 3
CLOSED = -1


class LogFile:
    """Append lines to `path`; at MAX_BYTES it becomes `path.1`, and so on up to KEPT.

    It is the actor's own file, not a pipe: a supervisor that is stopped or dead does not block the actor. A file that
    was removed or moved is made anew, with its folder, at the next line. `dropped` counts the lines that were not
    written whole; no error is raised, because a full disk must not stop the cancelling of orders.
    """

    def __init__(self, path: str | Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = Path(path)
        self.dropped = 0
        self._max_bytes = max_bytes
        self._fd = CLOSED
        self._inode = 0
        self._size = 0
        self._is_torn = False  # the file ends within a line
        with suppress(OSError):
            self._open()

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace")
        try:
            self._prepare(len(data))
            done = os.write(self._fd, b"\n" + data if self._is_torn else data) - self._is_torn
        except OSError:
            self.dropped += 1
            return
        self._size += done + self._is_torn
        self._is_torn = done < len(data)
        self.dropped += self._is_torn

    def close(self) -> None:
        """Closes the file; the next line opens it again."""
        fd, self._fd = self._fd, CLOSED
        if fd != CLOSED:
            os.close(fd)

    def _prepare(self, coming_bytes: int) -> None:
        """Opens the file if it is closed, removed or moved, and rotates it if the line does not fit."""
        if self._fd == CLOSED or not self._is_in_place():
            self._open()
        if self._size and self._size + coming_bytes > self._max_bytes:
            with suppress(OSError):  # a file that cannot be rotated grows on
                self._rotate()

    def _is_in_place(self) -> bool:
        try:
            return os.stat(self.path).st_ino == self._inode
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        for n in range(KEPT - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{n}")
            if older.exists():
                older.rename(self.path.with_name(f"{self.path.name}.{n + 1}"))
        self.path.rename(self.path.with_name(f"{self.path.name}.1"))
        self._open()

    def _open(self) -> None:
        """Opens the file at `path`; the descriptor in use changes only once that has succeeded."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            fd = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self.path, flags, 0o600)
        self.close()
        found = os.fstat(fd)
        self._fd, self._inode, self._size, self._is_torn = fd, found.st_ino, found.st_size, False
