"""The time of a run: one anchor for all of its processes, over a boot; a step of the wall clock has no effect."""

import json
import os
import subprocess
import sys
import time
from errno import ENOSPC
from pathlib import Path

import pytest

from actors.live.run_time import FILE, RunTime

HOUR_NS = 3_600_000_000_000


COUNT = 8  # processes that start at the same moment
ROUNDS = 25
# Each line of stdin is a folder; a byte of the pipe that all processes share lets one of them go on.
PROCESS = """
import os, sys
from pathlib import Path
from actors.live.run_time import RunTime
for line in sys.stdin:
    folder = Path(line.strip())
    print("ready", flush=True)
    os.read(int(sys.argv[1]), 1)
    one = RunTime(folder)
    print(one.anchor_ns, one.started_ns, flush=True)
"""


@pytest.fixture
def at_once():
    """`at_once(folder)`: the anchors that the processes find if all open the run's time at the same moment."""
    gate_out, gate_in = os.pipe()
    command = [sys.executable, "-c", PROCESS, str(gate_out)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "pass_fds": [gate_out], "text": True}
    children = [subprocess.Popen(command, **pipes) for _ in range(COUNT)]

    def go(folder):
        for child in children:
            print(folder, file=child.stdin, flush=True)
        assert {child.stdout.readline() for child in children} == {"ready\n"}
        os.write(gate_in, b"g" * COUNT)
        return [child.stdout.readline() for child in children]

    yield go
    for child in children:
        child.communicate(timeout=10)
    os.close(gate_out)
    os.close(gate_in)


def test_every_process_of_a_run_has_the_same_time(tmp_path):
    first = RunTime(tmp_path)
    time.sleep(0.01)
    second = RunTime(tmp_path)
    assert (second.anchor_ns, second.started_ns) == (first.anchor_ns, first.started_ns)
    assert abs(first.now_ns() - time.time_ns()) < 60_000_000_000


def test_a_step_of_the_wall_clock_has_no_effect(tmp_path, monkeypatch):
    run_time = RunTime(tmp_path)
    before_ns = run_time.now_ns()
    wall_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + HOUR_NS)
    assert 0 <= run_time.now_ns() - before_ns < HOUR_NS // 10
    assert RunTime(tmp_path).anchor_ns == run_time.anchor_ns


def test_after_a_reboot_there_is_a_new_anchor_and_the_same_start_of_the_run(tmp_path):
    started_ns = RunTime(tmp_path).started_ns
    kept = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(kept | {"boot": "another", "anchor_ns": 5}))
    after = RunTime(tmp_path)
    assert after.started_ns == started_ns
    assert after.anchor_ns != 5


@pytest.mark.process
@pytest.mark.parametrize("is_after_reboot", [False, True])
def test_processes_that_start_at_the_same_moment_agree(tmp_path, is_after_reboot, at_once):
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        if is_after_reboot:
            (folder / FILE).write_text(json.dumps({"boot": "another", "anchor_ns": 5, "born_ns": 7}))
        found = at_once(folder)
        assert len(found) == COUNT
        assert len(set(found)) == 1
        assert found[0].strip()
        assert sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock")) == [FILE]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"boot": 5}', "\x00" * 20])
def test_a_damaged_file_is_replaced(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert abs(RunTime(tmp_path).now_ns() - time.time_ns()) < 60_000_000_000


def test_after_a_boot_on_a_full_disk_the_file_of_the_earlier_boot_is_overwritten(tmp_path, monkeypatch):
    started_ns = RunTime(tmp_path).started_ns
    kept = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**kept, "boot": "earlier", "anchor_ns": kept["anchor_ns"] - HOUR_NS}))

    def full(*_args, **_more):
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        found = RunTime(tmp_path)
    assert abs(found.anchor_ns - kept["anchor_ns"]) < HOUR_NS / 10
    assert (found.started_ns, RunTime(tmp_path).anchor_ns) == (started_ns, found.anchor_ns)
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
