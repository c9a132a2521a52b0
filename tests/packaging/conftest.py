"""Installations of tickbus to test: the checkout, a wheel; without a C compiler, a wheel and the sources."""

import fcntl
import os
import re
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
COMPILER = re.compile(r"(.*-)?(gcc|g\+\+|cc|c\+\+|clang|clang\+\+|cpp|tcc|ccache|c89|c99)(-[0-9.]+)?")

Run = Callable[..., subprocess.CompletedProcess[str]]
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
"""Of all processes here: nothing that leads to the checkout."""


def without_compiler(folder: Path) -> dict[str, str]:
    """The environment of a machine without a C compiler: every other program of this one is on its PATH."""
    links = folder / "programs"
    links.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else []:
            if not COMPILER.fullmatch(program.name) and not (links / program.name).is_symlink():
                (links / program.name).symlink_to(program)
    kept = {name: value for name, value in ENVIRONMENT.items() if name not in ("CC", "CXX", "LDSHARED")}
    return kept | {"PATH": str(links)}


def new_environment(venv: Path) -> Path:
    """The Python of a new virtual environment, which sees the packages that tickbus needs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)
    target = next((venv / "lib").glob("python*")) / "site-packages"
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # the tested environment's own
    return venv / "bin" / "python"


def build(folder: Path, environment: dict[str, str]) -> None:
    """Build a wheel from a copy of the sources, and install it in `venv`."""
    source, wheels = folder / "source", folder / "wheels"
    shutil.copytree(ROOT, source, ignore=SKIPPED)
    made = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
    subprocess.run(made, check=True, timeout=BUILD_TIMEOUT_S, env=environment, capture_output=True)
    python = new_environment(folder / "venv")
    found = [*PIP, "--python", str(python), "install", "--no-deps", *map(str, wheels.glob("*.whl"))]
    subprocess.run(found, check=True, timeout=60, env=ENVIRONMENT, capture_output=True)
    shutil.rmtree(source)


def install(folder: Path, environment: dict[str, str]) -> None:
    """Install a copy of the sources in `venv`, as `pip install .` does in a checkout."""
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=SKIPPED)
    python = new_environment(folder / "venv")
    made = [*PIP, "--python", str(python), "install", "--no-deps", "--no-build-isolation", "."]
    subprocess.run(made, check=True, timeout=BUILD_TIMEOUT_S, env=environment, capture_output=True, cwd=source)
    shutil.rmtree(source)


def installed(kind: str, make: Callable[[Path], None], shared: Path) -> Path:
    """The Python of an installation that all test processes of this session share."""
    folder = shared / kind
    folder.mkdir(exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    with (shared / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make(folder)
            (folder / "done").touch()
    return python


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def wheel(shared: Path) -> Path:
    """The Python of an environment with the wheel, compiled (without optimisation: that takes a minute)."""
    return installed("wheel", lambda folder: build(folder, ENVIRONMENT | {"TICKBUS_CFLAGS": "-O0"}), shared)


@pytest.fixture(scope="session")
def uncompiled_wheel(shared: Path) -> Path:
    """The Python of an environment with a wheel that was built where no C compiler is."""
    return installed("uncompiled", lambda folder: build(folder, without_compiler(folder)), shared)


@pytest.fixture(scope="session")
def uncompiled_sources(shared: Path) -> Path:
    """The Python of an environment where `pip install .` was run in the sources, without a C compiler."""
    return installed("sources", lambda folder: install(folder, without_compiler(folder)), shared)


@pytest.fixture(scope="session")
def no_compiler(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine without a C compiler."""
    return without_compiler(tmp_path_factory.mktemp("path"))


@pytest.fixture
def other_python(tmp_path: Path, no_compiler: dict[str, str]) -> Callable[[str], Path]:
    """`other_python("3.13")` installs the sources with that Python, without a compiler; skips the test if it is absent.

    Its dependencies come from the package index, as at a user's.
    """

    def make(version: str) -> Path:
        found = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), shutil.which(f"python{version}")]
        interpreter = next((one for one in found if one and _version(one) == version), None)
        if interpreter is None:
            pytest.skip(f"Python {version} is not here")
        source, venv = tmp_path / "source", tmp_path / "venv"
        shutil.copytree(ROOT, source, ignore=SKIPPED)
        subprocess.run([interpreter, "-m", "venv", str(venv)], check=True, timeout=60)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "-q", "--disable-pip-version-check"]
        reach = [*pip, "download", "--no-deps", "-d", str(tmp_path), "click"]
        if subprocess.run(reach, check=False, timeout=60).returncode:
            pytest.skip("no package index can be reached")
        subprocess.run([*pip, "install", "."], check=True, timeout=BUILD_TIMEOUT_S, env=no_compiler, cwd=source)
        return venv / "bin" / "python"

    return make


def _version(interpreter: str | Path) -> str:
    """Returns the version as "3.13"; empty if it does not run."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([interpreter, "-c", program], check=False, capture_output=True, text=True, timeout=20)
    return done.stdout.strip()


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
