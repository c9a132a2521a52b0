"""The name lock: one holder, an epoch that grows with each, and no lock left behind by a killed process."""

import os
import signal
import subprocess
import sys

import pytest

from actors.live.lock import Lock, holder
from protocol.errors import AlreadyRunning, TickbusError

pytestmark = pytest.mark.process

HOLD = """
import sys
from actors.live.lock import Lock
lock = Lock({!r}, 'maker')
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the name `maker`."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(str(tmp_path))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    yield child
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def test_the_epoch_grows_with_every_holder(tmp_path):
    for expected in (1, 2, 3):
        lock = Lock(tmp_path, "maker")
        assert lock.acquire() == expected
        lock.release()


def test_the_error_of_a_second_copy_names_the_holder_and_what_to_do(tmp_path, other):
    with pytest.raises(AlreadyRunning, match=rf"maker is already running \(pid {other.pid}\).*`dir`") as refused:
        Lock(tmp_path, "maker").acquire()
    assert refused.value.exit_code == 75
    assert holder(tmp_path, "maker") == other.pid


def test_the_name_is_free_the_moment_its_holder_is_killed(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    assert Lock(tmp_path, "maker").acquire(wait_s=10) == 2


def test_a_holder_that_is_stopped_keeps_the_name(tmp_path, other):
    other.send_signal(signal.SIGSTOP)
    with pytest.raises(AlreadyRunning):
        Lock(tmp_path, "maker").acquire(wait_s=0.2)
    other.send_signal(signal.SIGCONT)


def test_a_child_process_does_not_inherit_the_lock(tmp_path):
    lock = Lock(tmp_path, "maker")
    lock.acquire()
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, close_fds=False
    )
    lock.release()
    assert Lock(tmp_path, "maker").acquire(wait_s=10) == 2
    child.communicate()


def test_other_names_are_independent(tmp_path, other):
    assert Lock(tmp_path, "binance").acquire() == 1
    assert holder(tmp_path, "binance") == os.getpid()
    assert holder(tmp_path, "nobody") == 0


def test_an_epoch_that_cannot_be_read_is_never_guessed(tmp_path):
    (tmp_path / "maker.lock").write_text("what?\n")
    with pytest.raises(TickbusError, match=r"maker.lock holds no epoch"):
        Lock(tmp_path, "maker").acquire()
    assert (tmp_path / "maker.lock").read_text() == "what?\n"


FORK = """
import multiprocessing, os, sys, time
from actors.live.lock import Lock
lock = Lock({!r}, 'maker')
lock.acquire()
child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))
child.start()
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(tmp_path, wait_until):
    with subprocess.Popen(
        [sys.executable, "-c", FORK.format(str(tmp_path))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        child_pid = int(parent.stdout.readline())
        try:
            assert holder(tmp_path, "maker") == parent.pid
            parent.kill()
            parent.wait()
            os.kill(child_pid, 0)
            wait_until(lambda: holder(tmp_path, "maker") == 0)
            assert Lock(tmp_path, "maker").acquire() == 2
        finally:
            os.kill(child_pid, signal.SIGKILL)


def test_a_release_in_a_forked_child_changes_nothing_in_its_parent(tmp_path):
    lock = Lock(tmp_path, "maker")
    lock.acquire()
    pid = os.fork()
    if not pid:
        lock.release()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert holder(tmp_path, "maker") == os.getpid()
    lock.release()
