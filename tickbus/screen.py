"""A view that is refreshed in place on a terminal, in plain ANSI; elsewhere a line every few seconds."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, no cursor
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
PLAIN_EVERY_S = 5.0


class Screen:
    """`show` paints; `lines(width, height)` and `line()` make the text. Use it in a `with`."""

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
        """Paint anew, for the size that the terminal has now."""
        if self._is_terminal:
            width, height = shutil.get_terminal_size()
            text = [line + CLEAR_LINE for line in self._lines(width - 1, height - 1)]
            self._out.write(HOME + "\r\n".join(text) + CLEAR_BELOW)
        elif time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + PLAIN_EVERY_S
            self._out.write(self._line() + "\n")
        self._out.flush()
