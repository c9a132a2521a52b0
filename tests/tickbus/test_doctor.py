"""`tickbus doctor`: a healthy machine, and each fault that it has to find, with what to do about it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tickbus.doctor import machine
from tickbus.doctor.check import BAD, OK, WARN
from tickbus.doctor.installation import NEEDED
from tickbus.main import main

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"transport", "runtime", "frames", "stage timers", "parser", "book", "levels", "matching"}


@pytest.fixture
def doctor(tickbus, folder):
    """Run `tickbus doctor --json`; (exit code, {what: (verdict, detail)})."""

    def run(**given):
        done = tickbus("doctor", "--json", **given)
        assert done.stderr == ""
        found = json.loads(done.stdout)
        assert found["ok"] == (done.returncode == 0)
        return done.returncode, {one["what"]: (one["verdict"], one["detail"]) for one in found["checks"]}

    return run


@pytest.fixture
def without(folder, monkeypatch):
    """Make modules fail at import, in the processes that the test starts."""

    def hide(*modules):
        (folder / "hidden").mkdir(exist_ok=True)
        for name in modules:
            (folder / "hidden" / f"{name}.py").write_text(f'raise ModuleNotFoundError("No module named {name!r}")\n')
        monkeypatch.setenv("PYTHONPATH", str(folder / "hidden"))

    return hide


@pytest.fixture
def facts():
    """A machine without problems."""
    return machine.read_facts()._replace(open_files=4096, disk_free_bytes=10**10, memory_free_bytes=10**10)


def test_a_healthy_machine_has_nothing_bad_and_exit_code_0(doctor, tickbus):
    code, checks = doctor()
    assert code == 0
    assert not [what for what, (verdict, _) in checks.items() if verdict == BAD]
    assert PARTS | {"python", "packages", "websocket", "supervisord", "clock", "disk", "key file"} <= checks.keys()
    lines = tickbus("doctor").stdout.splitlines()
    assert len(lines) == len(checks)
    assert all(line.split()[0] in (OK, WARN) for line in lines)


def test_every_needed_package_is_a_dependency_and_the_other_way_round():
    text = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert listed is not None
    names = set(re.findall(r'^\s*"([\w-]+)', listed[1], re.MULTILINE))
    assert names - {"picows", "websockets", "cython"} == set(NEEDED)


@pytest.mark.parametrize("package", ["httptools", "aiohttp", "uvloop"])
def test_a_missing_package_is_bad_and_named(doctor, without, package):
    without(package)
    code, checks = doctor()
    verdict, detail = checks["packages"]
    assert (code, verdict) == (1, BAD)
    assert f"{package} (No module named '{package}')" in detail
    assert "pip install" in detail


def test_without_picows_websockets_serves_and_the_slower_parts_are_named(doctor, without):
    without("picows")
    code, checks = doctor()
    verdict, detail = checks["websocket"]
    assert (code, verdict) == (0, WARN)
    assert detail.startswith("websockets ")
    assert "slower: market data and orders" in detail
    assert "pip install picows" in detail


def test_without_any_websocket_package_nothing_can_trade(doctor, without):
    without("picows", "websockets")
    code, checks = doctor()
    assert (code, checks["websocket"][0]) == (1, BAD)


def test_a_missing_supervisor_and_a_missing_libzmq_are_bad(doctor, without):
    without("supervisor", "zmq")
    code, checks = doctor()
    assert (code, checks["supervisord"][0], checks["libzmq"][0]) == (1, BAD, BAD)


def test_portable_implementations_by_request_are_no_problem_and_shown(doctor, monkeypatch):
    monkeypatch.setenv("TICKBUS_PLAIN", "1")
    code, checks = doctor()
    assert code == 0
    for part in PARTS:
        assert checks[part][0] == OK
        portable = "libzmq" if part == "transport" else "Python"
        assert checks[part][1].startswith(f"{portable}, by TICKBUS_PLAIN=1; slower: ")
    assert checks["websocket"][1].startswith("websockets ")


def test_a_part_that_is_not_compiled_is_a_warning_with_what_is_slower(doctor, without, folder):
    without()
    names = ("market._book", "market._levels", "market._matching", "actors.live._transport")
    hook = f"import sys\nfor name in {names}:\n    sys.modules[name] = None\n"
    (folder / "hidden" / "sitecustomize.py").write_text(hook)
    code, checks = doctor()
    assert code == 0
    assert checks["book"][0] == WARN
    assert checks["book"][1].startswith("Python; slower: book updates and queries; a C compiler")
    assert checks["transport"][0] == WARN
    assert checks["transport"][1].startswith("libzmq; slower: every message between two processes; a C compiler")


def test_a_run_list_that_cannot_be_kept_is_a_warning_and_no_traceback(doctor, tickbus, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc")
    code, checks = doctor()
    assert (code, checks["running bots"][0]) == (0, WARN)
    assert "set XDG_RUNTIME_DIR" in checks["running bots"][1]
    done = tickbus("status")
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_a_warning(doctor, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/proc")
    _, checks = doctor(cwd="/proc")
    assert checks["folder"] == (WARN, "/proc cannot be written (No such file or directory): keep run files elsewhere")
    assert checks["sockets"][0] == WARN
    assert checks["sockets"][1].startswith("TMPDIR=/proc cannot be used; ")


def test_a_temporary_folder_with_a_long_path_has_no_room_for_sockets(doctor, folder, monkeypatch):
    long = folder / ("d" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    code, checks = doctor()
    assert (code, checks["sockets"][0]) == (1, BAD)
    assert "set TMPDIR to a short local path" in checks["sockets"][1]


def test_a_key_file_that_others_may_read_is_bad(doctor, folder):
    (folder / "tickbus").mkdir()
    path = folder / "tickbus" / "keys"
    path.write_bytes(b"TBKEYS\x01")
    path.chmod(0o644)
    code, checks = doctor()
    assert code == 1
    assert checks["key file"] == (BAD, f"{path} is open to others (0644): chmod 600 {path}")


def test_too_few_open_files_are_bad(folder):
    command = f"ulimit -n 200; exec {sys.executable} -m tickbus.main doctor"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "BAD   open files         limit 200: raise it (ulimit -n 1024)" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("change", "what", "verdict", "detail"),
    [
        ({"disk_free_bytes": 1_000_000}, "disk", BAD, "0.0 GB free in "),
        ({"now_s": 1e9}, "clock", BAD, "2001-09-09 01:46:40 UTC is before this installation was made: "),
        ({"memory_free_bytes": 10**8}, "memory", WARN, "0.1 GB available: "),
        ({"open_files": 300}, "open files", WARN, "limit 300: enough for a small bot"),
    ],
)
def test_a_machine_with_a_problem_is_reported(facts, folder, monkeypatch, capsys, change, what, verdict, detail):
    monkeypatch.setattr(machine, "read_facts", lambda: facts._replace(**change))
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    found = {one["what"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert found[what]["verdict"] == verdict
    assert found[what]["detail"].startswith(detail)
    assert ended.value.code == (1 if verdict == BAD else 0)
