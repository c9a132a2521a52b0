"""A bot on a machine with few descriptors."""

import resource

import pytest

pytestmark = pytest.mark.process


def limited(number):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def test_a_bot_runs_with_512_descriptors(tickbus, run_file, wait_for):
    done = tickbus("up", run_file, preexec_fn=limited(512))
    assert done.returncode == 0, done.stderr
    folder = run_file.parent / ".tickbus" / "h"
    wait_for((folder / "follower.cmd").exists)
    assert tickbus("status", run_file, preexec_fn=limited(512)).returncode == 0
    assert tickbus("down", run_file, preexec_fn=limited(512)).stdout.endswith("down\n")


def test_too_few_descriptors_are_named_in_one_line(tickbus, run_file):
    done = tickbus("up", run_file, preexec_fn=limited(64))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "number of file descriptors" in done.stderr
