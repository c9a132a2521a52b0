"""The time of a run: one anchor for all of its processes, over a boot; a step of the wall clock moves nothing."""

import json
import os
import time

import pytest

from actors.live.run_time import FILE, RunTime

HOUR_NS = 3_600_000_000_000


def at_once(folder, count=8):
    """What `count` processes that start at the same moment take for the anchor."""
    gate_out, gate_in = os.pipe()
    told_out, told_in = os.pipe()
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            os.close(gate_in)
            os.read(gate_out, 1)
            one = RunTime(folder)
            os.write(told_in, f"{one.anchor_ns} {one.born_ns}\n".encode())
            os._exit(0)
        children.append(child)
    os.close(gate_out)
    os.close(gate_in)  # they all go
    os.close(told_in)
    with os.fdopen(told_out) as told:
        found = told.read().split("\n")[:-1]
    for child in children:
        os.waitpid(child, 0)
    return found


def test_every_process_of_a_run_has_the_same_time(tmp_path):
    first = RunTime(tmp_path)
    time.sleep(0.01)
    second = RunTime(tmp_path)
    assert (second.anchor_ns, second.born_ns) == (first.anchor_ns, first.born_ns)
    assert abs(first.now_ns() - time.time_ns()) < 60_000_000_000


def test_a_step_of_the_wall_clock_is_not_seen(tmp_path, monkeypatch):
    run_time = RunTime(tmp_path)
    before_ns = run_time.now_ns()
    wall_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + HOUR_NS)
    assert 0 <= run_time.now_ns() - before_ns < HOUR_NS // 10
    assert RunTime(tmp_path).anchor_ns == run_time.anchor_ns


def test_after_a_reboot_there_is_a_new_anchor_and_the_same_birth(tmp_path):
    born_ns = RunTime(tmp_path).born_ns
    kept = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(kept | {"boot": "another", "anchor_ns": 5}))
    after = RunTime(tmp_path)
    assert after.born_ns == born_ns
    assert after.anchor_ns != 5


@pytest.mark.parametrize("is_after_reboot", [False, True])
def test_processes_that_start_at_the_same_moment_agree(tmp_path, is_after_reboot):
    for number in range(25):
        folder = tmp_path / str(number)
        folder.mkdir()
        if is_after_reboot:
            (folder / FILE).write_text(json.dumps({"boot": "another", "anchor_ns": 5, "born_ns": 7}))
        found = at_once(folder)
        assert len(found) == 8
        assert len(set(found)) == 1
        assert sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock")) == [FILE]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"boot": 5}', "\x00" * 20])
def test_a_file_that_is_damaged_is_made_anew(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert abs(RunTime(tmp_path).now_ns() - time.time_ns()) < 60_000_000_000
