"""A view that is repainted in place on a terminal, in plain ANSI; elsewhere one status line every few seconds."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from monitor.view import painted

ENTER = "\x1b[?1049h\x1b[?25l"  # to the alternate screen, cursor off
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
STATUS_EVERY_S = 5.0


class Screen:
    """A context manager. `lines(width, height)` returns the text of the view, `line()` the status line."""

    def __init__(
        self, lines: Callable[[int, int], list[str]], line: Callable[[], str], out: TextIO = sys.stdout
    ) -> None:
        self._lines = lines
        self._line = line
        self._out = out
        self._is_terminal = out.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._next_s = 0.0

    def __enter__(self) -> "Screen":
        if self._is_terminal:
            self._out.write(ENTER)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._out.write(LEAVE)
            self._out.flush()

    def show(self) -> None:
        """Paints the view at the terminal's current size; without a terminal, prints the status line if it is due."""
        if self._is_terminal:
            width, height = shutil.get_terminal_size()
            text = [painted(line) + CLEAR_LINE for line in self._lines(width - 1, height - 1)]
            self._out.write(HOME + "\r\n".join(text) + CLEAR_BELOW)
        elif time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + STATUS_EVERY_S
            self._out.write(self._line() + "\n")
        self._out.flush()
