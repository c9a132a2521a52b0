"""A measuring process: it starts once, then measures one round for each line that it is sent.

Imports the standard library alone, since yardsticks run in an environment of their own.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START_S = 60.0
ROUND_S = 120.0
STOP_S = 5.0


class WorkerFailed(Exception):
    """The measuring process ended, or gave no answer in time; the text ends with what it printed last."""


class Worker:
    """The starting side: `round()` has the process measure once and returns its JSON object."""

    def __init__(self, argv: Sequence[str], errors: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self._errors = errors
        self._buffer = b""
        with errors.open("wb") as stderr:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                argv, stdin=pipe, stdout=pipe, stderr=stderr, cwd=ROOT, env=environment, bufsize=0
            )
        try:
            self.ready = self._answer(START_S)
        except WorkerFailed:
            self.close()
            raise

    def round(self) -> dict[str, Any]:
        """One more measurement."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"go\n")
        except BrokenPipeError:
            raise WorkerFailed(self._last_words("ended")) from None
        return self._answer(ROUND_S)

    def close(self) -> None:
        """End the process: by closing its input, by force if that does not do."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _answer(self, patience_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + patience_s
        while b"\n" not in self._buffer:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
                raise WorkerFailed(self._last_words(f"gave no answer in {patience_s:g} s"))
            piece = os.read(descriptor, 65536)
            if not piece:
                raise WorkerFailed(self._last_words("ended"))
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def _last_words(self, what: str) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return f"{what}: {lines[-1]}" if lines else what


def serve(measure: Callable[[], dict[str, Any]], **ready: Any) -> None:
    """The measuring side: say that it is ready, then answer each line with a measurement, until they end."""
    print(json.dumps({"ready": True, **ready}), flush=True)
    for _line in sys.stdin:
        print(json.dumps(measure()), flush=True)
