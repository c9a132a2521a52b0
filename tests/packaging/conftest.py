"""Installations of tickbus to test: the checkout, a wheel, and a wheel that was built without a C compiler."""

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = shutil.ignore_patterns(
    ".*", "build", "*.egg-info", "__pycache__", "*.so", "*.c", "tests", "docs", "benchmarks"
)
BUILD_TIMEOUT_S = 300


Run = Callable[..., subprocess.CompletedProcess[str]]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def build(folder: Path, compiler: dict[str, str]) -> Path:
    """Build a wheel from a copy of the sources and install it; the Python that has it."""
    source, wheels, venv = folder / "source", folder / "wheels", folder / "venv"
    shutil.copytree(ROOT, source, ignore=SKIPPED)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    made = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
    subprocess.run(made, check=True, timeout=BUILD_TIMEOUT_S, env=ENVIRONMENT | compiler, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)
    python = venv / "bin" / "python"
    target = next((venv / "lib").glob("python*")) / "site-packages"
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # the tested environment's own
    found = [*pip, "--python", str(python), "install", "--no-deps", *map(str, wheels.glob("*.whl"))]
    subprocess.run(found, check=True, timeout=60, env=ENVIRONMENT, capture_output=True)
    shutil.rmtree(source)
    return python


def installed(kind: str, compiler: dict[str, str], shared: Path) -> Path:
    """The Python of an installation that all test processes of this session share."""
    folder = shared / kind
    folder.mkdir(exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    with (shared / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            build(folder, compiler)
            (folder / "done").touch()
    return python


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def wheel(shared: Path) -> Path:
    """The Python of an environment with the wheel, compiled (without optimisation: that takes a minute)."""
    return installed("wheel", {"TICKBUS_CFLAGS": "-O0"}, shared)


@pytest.fixture(scope="session")
def uncompiled_wheel(shared: Path) -> Path:
    """The Python of an environment with a wheel that was built where no C compiler works."""
    return installed("uncompiled", {"CC": "/bin/false"}, shared)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, with a short path for sockets."""
    with tempfile.TemporaryDirectory(prefix="tb-") as path:
        yield Path(path)


@pytest.fixture
def run(folder: Path) -> Run:
    """Run a program in the empty folder, which sees nothing of the checkout; the finished process."""

    def call(*command: str | Path, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=ENVIRONMENT, text=True, capture_output=True, timeout=timeout, check=False
        )

    return call
