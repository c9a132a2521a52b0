"""A log file that rotates by size and never stops its actor: lines that cannot be written are counted."""

import os
from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024
KEPT = 3


class LogFile:
    """Append lines to `path`; at MAX_BYTES it becomes `path.1`, and so on up to KEPT.

    It is the actor's own file, not a pipe: a supervisor that is stopped or dead does not block the actor.
    """

    def __init__(self, path: str | Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = Path(path)
        self.dropped = 0
        self._max_bytes = max_bytes
        self._fd = self._open()
        self._size = os.fstat(self._fd).st_size

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace")
        try:
            if self._size + len(data) > self._max_bytes and self._size:
                self._rotate()
            self._size += os.write(self._fd, data)
        except OSError:
            self.dropped += 1  # a full disk must not stop the cancelling of orders

    def _rotate(self) -> None:
        for n in range(KEPT - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{n}")
            if older.exists():
                older.rename(self.path.with_name(f"{self.path.name}.{n + 1}"))
        self.path.rename(self.path.with_name(f"{self.path.name}.1"))
        os.close(self._fd)
        self._fd = self._open()
        self._size = 0

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
