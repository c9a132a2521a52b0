"""The delay after crashes."""

from errno import ENOSPC
from pathlib import Path

import pytest

from tickbus.process.backoff import FREE_RESTARTS, LONGEST_WAIT_S, NO_EXCEPTION, Backoff, Crashes


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
    start(100, 120, 140)
    backoff = Backoff(tmp_path, "maker")
    assert (backoff.crashes(141).number, backoff.crashes(141).is_loop) == (2, False)
    start(150)
    assert (backoff.crashes(151).number, backoff.crashes(151).is_loop) == (3, True)
    start(400)
    assert (backoff.crashes(401).number, backoff.crashes(401).is_loop) == (0, False)


def test_a_crash_loop_is_shown_with_its_last_error_while_the_process_waits_and_after_it_ended(tmp_path, start):
    backoff = Backoff(tmp_path, "maker")
    for n in range(3):
        start(100 + n)
        backoff.record_error(f"ValueError: number {n} (own.py:7 in on_tick)")
    assert backoff.crashes(103).text == "3 crashes in 60 s, last: ValueError: number 2 (own.py:7 in on_tick)"
    start(103)
    assert backoff.crashes(104) == backoff.crashes(103)


def test_a_kill_is_a_crash_without_an_exception(tmp_path, start):
    start(100, 101)
    assert Backoff(tmp_path, "maker").crashes(102) == Crashes(1, NO_EXCEPTION)


def test_a_delay_that_was_spent_in_a_process_run_of_its_own_is_not_waited_again(tmp_path, start):
    backoff = Backoff(tmp_path, "maker")
    assert start(100, 101, 102, 103, 104, 105)[-1] == 2
    backoff.record_rest()
    assert start(107.5) == [0]
    assert backoff.crashes(107.6).number == 5
    assert start(108) == [4], "the crash loop goes on"


def test_an_end_during_the_delay_counts_as_a_quick_end(start):
    start(100, 101, 102, 103, 104, 105)
    assert start(106) == [4]


def test_on_a_full_disk_there_is_no_delay_and_no_error(tmp_path):
    backoff = Backoff(tmp_path / "missing", "maker")
    assert [backoff.record_start(now) for now in (100, 101, 102, 103, 104)] == [0] * 5


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


def test_a_process_run_that_ends_before_its_delay_is_over_is_noticed(tmp_path, start):
    backoff = Backoff(tmp_path, "maker")
    assert not backoff.ended_in_delay(100)
    assert start(100, 101, 102, 103, 104, 105)[-1] == 2
    assert backoff.ended_in_delay(106)
    assert not backoff.ended_in_delay(108)
    backoff.record_rest()
    assert not backoff.ended_in_delay(106), "it spent its delay as it should"
