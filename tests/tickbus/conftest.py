"""Run files, the command line as a user calls it, and bots that are stopped after each test."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tickbus.bot.supervisor_client import Supervisor

OWN_ACTORS = '''\
"""Actors of a user: a file beside the run file."""

from actors.actor import Actor
from protocol import Settings


class Source(Actor):
    """Publishes nothing."""


class Follower(Actor):
    """Follows the source."""

    class Settings(Settings):
        size_lots: int = 1
        market: str = ""
'''

RUN_FILE = """\
path = ["."]
[clock]
tick_ms = 100
[actors.source]
use = "own_actors:Source"
[actors.follower]
use = "own_actors:Follower"
follows = ["source"]
"""


@pytest.fixture
def folder(monkeypatch):
    """A short folder of its own; the list of running bots and the default bot's folders are in it too."""
    path = Path(tempfile.mkdtemp(prefix="tb-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path))
    for name in ("TICKBUS_KEYS", "TICKBUS_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    yield path
    for socket in path.rglob("supervisord.sock"):
        with contextlib.suppress(Exception):
            Supervisor(socket.parent).shutdown()
    until = time.monotonic() + 20
    while processes_of(path) and time.monotonic() < until:
        time.sleep(0.1)
    for pid in processes_of(path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def run_file(folder):
    """A run file with two actors of the user's own, and no exchange."""
    (folder / "own_actors.py").write_text(OWN_ACTORS)
    path = folder / "h.toml"
    path.write_text(RUN_FILE)
    return path


@pytest.fixture
def tickbus():
    """Call the command line; returns the finished process with its output."""

    def call(*args, timeout=60, **given):
        command = [sys.executable, "-m", "tickbus.main", *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **given)

    return call


def processes_of(folder):
    """Returns the pids of all processes of runs in this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if str(folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def wait_for(what, timeout_s=20.0):
    """Waits until `what()` is true; returns its value."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not come true in {timeout_s} s")


@pytest.fixture(name="wait_for")
def _wait_for():
    return wait_for


@pytest.fixture(name="processes_of")
def _processes_of():
    return processes_of
