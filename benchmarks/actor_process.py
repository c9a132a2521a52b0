"""One live actor in a process and on a core of its own, as the process that started it handles it (see run_actor)."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.placement import on_cores
from benchmarks.result import NotMeasured
from benchmarks.worker import ROOT

STOP_S = 10.0


class ActorProcess:
    """A started actor. `epoch` has to grow from one process of a name to the next."""

    def __init__(
        self, use: str, name: str, folder: Path, core: int, settings: dict[str, Any] | None = None, epoch: int = 1
    ) -> None:
        command = [sys.executable, "-m", "benchmarks.run_actor", use, name, str(folder)]
        self._name = name
        self._errors = folder / f"{name}.stderr"
        with on_cores(core), self._errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*command, json.dumps(settings or {}), str(epoch)], stdout=subprocess.PIPE, stderr=stderr, cwd=ROOT
            )

    def result(self, timeout_s: float) -> dict[str, Any]:
        """Returns the actor's result after it has stopped by itself.

        Raises NotMeasured if it runs longer than `timeout_s`, or fails.
        """
        try:
            output, _none = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise NotMeasured(f"{self._name} did not finish in {timeout_s:g} s{self._last_line()}") from None
        if self._process.returncode or not output:
            raise NotMeasured(f"{self._name} ended with {self._process.returncode}{self._last_line()}")
        return json.loads(output)

    def close(self) -> None:
        """Stops the actor: by SIGTERM, after STOP_S by SIGKILL."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _last_line(self) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""
