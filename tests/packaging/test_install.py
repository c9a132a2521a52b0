"""A wheel and the sources trade from an empty folder, also where there is no C compiler."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.process

Run = Callable[..., subprocess.CompletedProcess[str]]
OtherPython = Callable[[str], Path]
RUN_S = "5"


@pytest.mark.parametrize("kind", ["wheel", "uncompiled_wheel", "uncompiled_sources"])
def test_a_bot_trades_from_an_empty_folder(kind: str, run: Run, request: pytest.FixtureRequest) -> None:
    trades(request.getfixturevalue(kind), run)


@pytest.mark.slow
@pytest.mark.parametrize("version", sorted({"3.11", "3.12", "3.13"} - {"{}.{}".format(*sys.version_info)}))
def test_without_a_compiler_another_python_installs_the_sources_and_a_bot_trades(
    version: str, run: Run, other_python: OtherPython
) -> None:
    python = other_python(version)
    assert "Python; slower: " in run(python.with_name("tickbus"), "doctor").stdout
    trades(python, run)


def trades(python: Path, run: Run) -> None:
    done = run(python.with_name("tickbus"), "run", "--for", RUN_S, "--json", timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["orders_sent"] > 0
    assert found["own_position_matches_venue"]
    assert found["processes_running"] == found["processes"] == 4


def test_no_compiler_is_found_where_there_is_none(no_compiler: dict[str, str]) -> None:
    path = no_compiler["PATH"]
    assert shutil.which("sh", path=path)
    assert not [name for name in ("cc", "gcc", "c++", "g++", "clang", "cpp") if shutil.which(name, path=path)]


@pytest.mark.parametrize("kind", ["uncompiled_wheel", "uncompiled_sources"])
def test_the_doctor_names_what_is_slower_without_a_compiler(
    kind: str, run: Run, request: pytest.FixtureRequest
) -> None:
    assert "Python; slower: " in run(request.getfixturevalue(kind).with_name("tickbus"), "doctor").stdout


def test_a_wheel_with_a_compiler_has_every_compiled_module(wheel: Path, run: Run) -> None:
    assert "; slower: " not in run(wheel.with_name("tickbus"), "doctor").stdout
    (path,) = (wheel.parents[2] / "wheels").glob("*.whl")
    names = ZipFile(path).namelist()
    typed = [name for name in names if name.endswith(".pxd") and name.replace(".pxd", ".py") in names]
    sources = [*typed, *(name for name in names if name.endswith(".pyx"))]  # other .pxd files are declarations
    compiled = {name.split(".")[0] for name in names if name.endswith(".so")}
    assert compiled == {name.split(".")[0] for name in sources}


def test_the_wheel_has_all_files_that_are_no_python(wheel: Path) -> None:
    (path,) = (wheel.parents[2] / "wheels").glob("*.whl")
    names = set(ZipFile(path).namelist())
    assert {"runs/default.toml", "venue/sources/profiles/btcusdt_spot.toml", "protocol/_tick_codec.pxd"} <= names
    packages = {name.split("/")[0] for name in names if name.endswith("/__init__.py")} - {"runs"}
    assert {f"{name}/py.typed" for name in packages} <= names
    assert not [name for name in names if name.endswith(".c") or name.startswith(("tests", "benchmarks", "examples"))]


def test_the_version_is_printed_by_the_module_and_by_the_command(wheel: Path, run: Run) -> None:
    by_module = run(wheel, "-m", "tickbus", "--version").stdout
    assert by_module == run(wheel.with_name("tickbus"), "--version").stdout == "tickbus 0.1.0\n"


def test_the_wheel_has_the_licence_and_requires_no_build_tool(wheel: Path) -> None:
    (path,) = (wheel.parents[2] / "wheels").glob("*.whl")
    archive = ZipFile(path)
    assert [name for name in archive.namelist() if name.endswith("/LICENSE")]
    (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    needed = [line for line in archive.read(metadata).decode().splitlines() if line.startswith("Requires-Dist:")]
    assert not [line for line in needed if "cython" in line and "extra" not in line]
