"""A user without HOME and without an entry in passwd: a container or a service with a numeric user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.run.home import expanded, home

ROOT = Path(__file__).resolve().parents[2]
USER = "12345"
# With the right to read all: the Python of this machine may be in a folder of another user.
CAPABILITY = "+dac_read_search"


def as_user(*args, cwd):
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    user += ["--inh-caps", CAPABILITY, "--ambient-caps", CAPABILITY]
    command = [*user, sys.executable, "-P", "-m", "tickbus.main", *map(str, args)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "TMPDIR": str(cwd)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment, cwd=cwd)


@pytest.mark.process
@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become another user")
@pytest.mark.parametrize("args", [("check", "{file}"), ("doctor",), ("keys", "list")])
def test_a_command_needs_no_home_and_no_name_of_the_user(run_file, folder, args):
    for path in (folder, *folder.iterdir()):
        os.chown(path, int(USER), int(USER))
    done = as_user(*(one.format(file=run_file) for one in args), cwd=folder)
    if "setpriv" in done.stderr:
        pytest.skip(f"another user is not permitted here: {done.stderr.strip()}")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_a_user_without_a_home_has_the_root_folder(monkeypatch):
    def unknown(_cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(unknown))
    assert home() == Path("/")
    assert expanded("~/keys") == Path("/keys")
    assert expanded("keys") == Path("keys")
