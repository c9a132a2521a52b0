"""LossyStream: a text stream that never blocks and never raises; what cannot be written at once is lost."""

import io
import os
import select

CHUNK_BYTES = 4096  # a pipe that is writable accepts this much without blocking (PIPE_BUF of Linux)


class LossyStream(io.TextIOBase):
    """A stand-in for sys.stdout or sys.stderr on the descriptor `fd`. `lost_writes` counts what was not written whole.

    A bot's process must not stop because no process reads its output, or because the disk of a redirected output is
    full.
    """

    def __init__(self, fd: int) -> None:
        self.lost_writes = 0
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "backslashreplace"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def write(self, text: str) -> int:
        """Writes as much as fits now. Returns the length of `text` in any case."""
        data = text.encode("utf-8", "backslashreplace")
        try:
            while data and self._accepts():
                data = data[os.write(self._fd, data[:CHUNK_BYTES]) :]
        except OSError:
            pass
        self.lost_writes += bool(data)
        return len(text)

    def _accepts(self) -> bool:
        return any(events == select.POLLOUT for _, events in self._poll.poll(0))
