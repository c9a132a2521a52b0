"""The usual side of a row: a measuring process on given cores."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.placement import on_cores
from benchmarks.result import NotMeasured
from benchmarks.worker import ROOT, Worker, WorkerFailed

CLIENTS_PYTHON = ROOT / ".venv-clients" / "ccxt" / "bin" / "python"


class WorkerSide:
    """`python -m module *arguments` as a Worker; `value`: the field of its result that is the number."""

    def __init__(
        self,
        module: str,
        *arguments: object,
        value: str,
        cores: Sequence[int] = (),
        python: str | Path = sys.executable,
    ) -> None:
        if not Path(python).exists():
            raise NotMeasured(f"{python} is missing: `make clients`")
        self._value = value
        self._folder = tempfile.TemporaryDirectory(prefix="tickbus-bench-")
        command = [str(python), "-m", module, *map(str, arguments)]
        try:
            with on_cores(*cores):
                self._worker = Worker(command, Path(self._folder.name) / "stderr")
        except WorkerFailed as reason:
            self._folder.cleanup()
            raise NotMeasured(f"{module} {reason}") from reason
        self.detail: dict[str, Any] = dict(self._worker.ready.get("detail", {}))

    def round(self) -> float:
        """Measures one round in the process."""
        try:
            answer = self._worker.round()
        except WorkerFailed as reason:
            raise NotMeasured(str(reason)) from reason
        self.detail.update(answer.get("detail", {}))
        return float(answer[self._value])

    def close(self) -> None:
        """Ends the process."""
        self._worker.close()
        self._folder.cleanup()
