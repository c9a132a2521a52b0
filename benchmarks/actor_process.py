"""One live actor in a process of its own, on a core of its own: what starts it, and what it runs.

Run as `python -m benchmarks.actor_process USE NAME FOLDER SETTINGS EPOCH`, it prints the actor's `result` at its end.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from actors.classes import load_class
from actors.live import Live
from actors.log import make_log
from benchmarks.placement import on_cores
from benchmarks.result import NotMeasured
from benchmarks.worker import ROOT

STOP_S = 10.0
Self = TypeVar("Self", bound="ActorProcess")


class ActorProcess:
    """The starting side. `epoch` has to grow over the incarnations of one name."""

    def __init__(
        self, use: str, name: str, folder: Path, core: int, settings: dict[str, Any] | None = None, epoch: int = 1
    ) -> None:
        command = [sys.executable, "-m", "benchmarks.actor_process", use, name, str(folder)]
        self._name = name
        self._errors = folder / f"{name}.stderr"
        with on_cores(core), self._errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*command, json.dumps(settings or {}), str(epoch)], stdout=subprocess.PIPE, stderr=stderr, cwd=ROOT
            )

    def result(self, patience_s: float) -> dict[str, Any]:
        """What the actor measured, once it has stopped by itself. Raises NotMeasured if it does not, or fails."""
        try:
            output, _none = self._process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            raise NotMeasured(f"{self._name} was not done in {patience_s:g} s{self._last_words()}") from None
        if self._process.returncode or not output:
            raise NotMeasured(f"{self._name} ended with {self._process.returncode}{self._last_words()}")
        return json.loads(output)

    def close(self) -> None:
        """Stop it, by force if it does not by itself."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _last_words(self) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""


def main(use: str, name: str, folder: str, settings: str, epoch: str) -> int:
    kind = load_class(use)
    told = msgspec.convert(json.loads(settings), kind.Settings)
    log = make_log(name, level="warning")
    live = Live(name, kind, told, Path(folder), epoch=int(epoch), log=log)
    exit_code = live.run()
    result = getattr(live.runtime.actor, "result", None)
    if result is not None:
        print(json.dumps(result), flush=True)
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
