"""Fixtures for all tests: the recorded market data, if it is present, and actors in processes of their own."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from actors.tap import Tap

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
COMPILED = ("protocol", "market", "actors", "clockd", "connectors")  # the packages with compiled modules


def pytest_configure() -> None:
    """Refuse compiled modules that are older than their source: they would be tested in the source's place."""
    for compiled in [so for package in COMPILED for so in (ROOT / package).rglob("*.so")]:
        stem = compiled.name.split(".")[0]
        for suffix in (".py", ".pyx", ".pxd"):
            source = compiled.with_name(stem + suffix)
            if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime:
                pytest.exit(f"{source.relative_to(ROOT)} is newer than its compiled form: run `make venv`", 2)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, help="run the tests in an order that depends on this number")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("--shuffle")
    if seed is not None:
        Random(seed).shuffle(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In a run without process tests, refuse processes: a test that lacks the mark is found."""
    if "not process" in item.config.option.markexpr:
        subprocess.Popen.__init__ = _refuse_process  # type: ignore[method-assign]


def _refuse_process(*_: Any, **__: Any) -> None:
    raise RuntimeError("this test starts a process: mark it with pytest.mark.process")


RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def recorded():
    """`recorded("binance_spot/btcusdt_20240808.gz")` gives the file's path, or skips the test where it is missing."""

    def find(name: str) -> Path:
        path = RECORDED / name
        if not path.exists():
            pytest.skip(f"recorded data {name} is not here")
        return path

    return find


class Processes:
    """Actors in processes of their own, in one run folder. Their classes are those of sample_actors.py."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, kind: str, settings: dict[str, Any] | None = None, **options: Any) -> None:
        """Start an actor of the class `kind`; `options` are those of the runtime."""
        conf = json.dumps({"settings": settings or {}, "options": options})
        program = str(TESTS / "actor_process.py")
        self.running[name] = subprocess.Popen(
            [sys.executable, program, str(self.folder), name, kind, conf],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def signal(self, name: str, number: int) -> None:
        self.running[name].send_signal(number)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait(10)

    def stop(self, name: str) -> int:
        """Stop an actor in good order; returns its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(20)

    def wait(self, name: str, timeout_s: float) -> int:
        """Wait until an actor has stopped by itself; returns its exit code."""
        return self.running.pop(name).wait(timeout_s)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)

    def tap(self, *wanted: Any) -> Tap:
        """A tap on these actors; waits until the first of them runs."""
        wait_until((self.folder / "run.time").exists)
        return Tap(self.folder, *wanted)


def wait_until(found: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """The first result of `found()` that is true; fails after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {timeout_s} s")


@pytest.fixture(name="wait_until")
def _wait_until() -> Callable[..., Any]:
    return wait_until


@pytest.fixture
def processes() -> Iterator[Processes]:
    """No process yet; those that a test starts are killed after it."""
    with tempfile.TemporaryDirectory(prefix="tb-") as folder:
        processes = Processes(Path(folder))
        try:
            yield processes
        finally:
            processes.close()


@pytest.fixture(scope="session")
def sample_actors() -> ModuleType:
    """The module sample_actors.py: with it, this process can decode its messages."""
    spec = importlib.util.spec_from_file_location("sample_actors", TESTS / "sample_actors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_actors"] = module
    spec.loader.exec_module(module)
    return module
