"""A measuring process: it starts once, then measures one round for each line that it receives.

Imports the standard library only, since yardsticks run in an environment of their own.
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
    """The measuring process ended, or did not respond in time; the text ends with the last line that it printed."""


class Worker:
    """The process as its starter sees it: `round()` has it measure once, and returns its JSON object."""

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
            self.ready = self._response(START_S)
        except WorkerFailed:
            self.close()
            raise

    def round(self) -> dict[str, Any]:
        """Measures one more round."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"go\n")
        except BrokenPipeError:
            raise WorkerFailed(self._with_last_line("ended")) from None
        return self._response(ROUND_S)

    def close(self) -> None:
        """Ends the process: closes its input, and kills it after STOP_S."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _response(self, timeout_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
                raise WorkerFailed(self._with_last_line(f"did not respond in {timeout_s:g} s"))
            piece = os.read(descriptor, 65536)
            if not piece:
                raise WorkerFailed(self._with_last_line("ended"))
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def _with_last_line(self, what: str) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return f"{what}: {lines[-1]}" if lines else what


def serve(measure: Callable[[], dict[str, Any]], **ready: Any) -> None:
    """The measuring side: prints that it is ready, then a measurement for each line of its input, until that ends."""
    print(json.dumps({"ready": True, **ready}), flush=True)
    for _line in sys.stdin:
        print(json.dumps(measure()), flush=True)
