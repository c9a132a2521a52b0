"""The kernel settings of a bot's process."""

import os
import signal
import subprocess
import sys

import pytest

from tickbus.process import kernel

pytestmark = pytest.mark.process

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(child.pid, flush=True)
time.sleep(60)
"""
OBEDIENT = """
import signal, sys, time
from tickbus.process.kernel import stop_with_parent
stop_with_parent()
def end(*_):
    open({path!r}, "w").write("shut down")
    sys.exit()
signal.signal(signal.SIGTERM, end)
open({path!r}, "w").write("ready")
time.sleep(60)
"""
STUCK = """
import signal, time
from tickbus.process import kernel
kernel.GRACE_S = 0.3
kernel.stop_with_parent()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({path!r}, "w").write("ready")
while True:
    pass
"""


def orphan(code, path, wait_for):
    """Starts a child of a child, and kills the one between; returns the pid that has to end."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, code.format(path=str(path))], stdout=subprocess.PIPE
    ) as parent:
        pid = int(parent.stdout.readline())
        wait_for(lambda: path.exists() and path.read_text() == "ready")
        parent.send_signal(signal.SIGKILL)
    return pid


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_child_shuts_down_when_its_parent_is_killed(tmp_path, wait_for):
    note = tmp_path / "note"
    pid = orphan(OBEDIENT, note, wait_for)
    wait_for(lambda: is_gone(pid))
    assert note.read_text() == "shut down"


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace_time(tmp_path, wait_for):
    pid = orphan(STUCK, tmp_path / "note", wait_for)
    wait_for(lambda: is_gone(pid))


def test_the_memory_of_a_process_is_protected():
    code = (
        "import os, resource\nfrom tickbus.process.kernel import protect_memory\nprotect_memory()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), os.stat('/proc/self/mem').st_uid == 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) True\n"
    assert kernel.GRACE_S > 8, "an actor may need 8 s to shut down"
    assert os.getpid()
