"""A house of real processes around a real clock."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.tap import Tap

CAST = Path(__file__).with_name("cast.py")
ROOT = Path(__file__).parents[2]


class House:
    """Processes in one run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, kind: str, settings: dict[str, Any] | None = None, **options: Any) -> None:
        conf = json.dumps({"settings": settings or {}, "options": options})
        self.processes[name] = subprocess.Popen(
            [sys.executable, str(CAST), str(self.folder), name, kind, conf],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def signal(self, name: str, number: int) -> None:
        self.processes[name].send_signal(number)

    def stop(self, name: str) -> int:
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(20)

    def wait(self, name: str, timeout_s: float) -> int:
        return self.processes.pop(name).wait(timeout_s)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)

    def tap(self, *wanted: Any) -> Tap:
        wait_for((self.folder / "run.time").exists)
        return Tap(self.folder, *wanted)


def wait_for(found: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """What `found` gives once it gives something; fails after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {timeout_s} s")


@pytest.fixture
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="tb-") as folder:
        built = House(Path(folder))
        try:
            yield built
        finally:
            built.close()
