"""The delay after crashes."""

from errno import ENOSPC
from pathlib import Path

import pytest

from tickbus.process.backoff import FREE_RESTARTS, LONGEST_WAIT_S, Backoff


@pytest.fixture
def start(tmp_path):
    """Record starts at given seconds; returns the delays."""

    def starts_at(*starts):
        return [Backoff(tmp_path, "maker").record_start(one) for one in starts]

    return starts_at


def test_a_kill_causes_no_delay_and_neither_does_the_next(start):
    assert start(100.0, 101.0, 102.0)[: FREE_RESTARTS + 1] == [0, 0, 0]


def test_the_delay_of_a_crash_loop_doubles_up_to_a_bound(start):
    now, waits = 100.0, []
    for _ in range(14):
        waits += start(now)
        now += waits[-1] + 0.4
    assert waits[:8] == [0, 0, 0, 0.5, 1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT_S


def test_a_long_process_run_resets_the_delay(start):
    assert start(100, 101, 102, 103, 104)[-1] == 1
    assert start(150) == [0]


def test_a_clean_exit_resets_the_delay(tmp_path, start):
    start(100, 101, 102, 103)
    Backoff(tmp_path, "maker").clear()
    assert start(104) == [0]


def test_three_crashes_within_a_minute_are_a_loop(tmp_path, start):
    start(100, 120)
    backoff = Backoff(tmp_path, "maker")
    backoff.record_start(140)
    assert (backoff.recent, backoff.is_loop) == (2, False)
    backoff.record_start(150)
    assert (backoff.recent, backoff.is_loop) == (3, True)
    backoff.record_start(400)
    assert (backoff.recent, backoff.is_loop) == (0, False)


@pytest.mark.parametrize("content", ["", "{", '{"starts": "x"}', '{"starts": [1e999], "streak": 1}', "null"])
def test_a_damaged_file_counts_as_no_starts(tmp_path, content):
    (tmp_path / "maker.starts").write_text(content)
    assert Backoff(tmp_path, "maker").record_start(100) == 0


def test_times_before_a_reboot_do_not_count(start):
    start(5000, 5001, 5002, 5003, 5004)
    assert start(30) == [0]


def test_actors_have_delays_of_their_own(tmp_path, start):
    start(100, 101, 102, 103, 104)
    assert Backoff(tmp_path, "binance").record_start(105) == 0


def test_a_process_is_troubled_shortly_after_a_quick_end_and_not_later(tmp_path, start):
    start(100)
    assert not Backoff(tmp_path, "maker").is_troubled(101)
    start(102)
    assert Backoff(tmp_path, "maker").is_troubled(103)
    assert not Backoff(tmp_path, "maker").is_troubled(140)


def test_a_start_on_a_full_disk_is_not_delayed_and_raises_nothing(tmp_path, start, monkeypatch):
    start(100, 101)

    def full(*_args, **_more):
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        assert start(102) == [0]
    assert [one.name for one in tmp_path.iterdir()] == ["maker.starts"]
    assert start(103) == [0], "the start that was not stored does not count"
