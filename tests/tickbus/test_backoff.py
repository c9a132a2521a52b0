"""The wait after crashes."""

import pytest

from tickbus.process.backoff import FREE_RESTARTS, LONGEST_WAIT_S, Backoff


@pytest.fixture
def live(tmp_path):
    """Begin lives at given seconds; the waits."""

    def lives(*starts):
        return [Backoff(tmp_path, "maker").record_start(one) for one in starts]

    return lives


def test_a_kill_costs_nothing_and_neither_does_the_next(live):
    assert live(100.0, 101.0, 102.0)[: FREE_RESTARTS + 1] == [0, 0, 0]


def test_a_crash_loop_waits_longer_and_longer_up_to_a_bound(live):
    now, waits = 100.0, []
    for _ in range(14):
        waits += live(now)
        now += waits[-1] + 0.4
    assert waits[:8] == [0, 0, 0, 0.5, 1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT_S


def test_a_life_that_lasted_clears_the_score(live):
    assert live(100, 101, 102, 103, 104)[-1] == 1
    assert live(150) == [0]


def test_a_clean_end_clears_the_score(tmp_path, live):
    live(100, 101, 102, 103)
    Backoff(tmp_path, "maker").clear()
    assert live(104) == [0]


def test_three_crashes_within_a_minute_are_a_loop(tmp_path, live):
    live(100, 120)
    backoff = Backoff(tmp_path, "maker")
    backoff.record_start(140)
    assert (backoff.recent, backoff.is_loop) == (2, False)
    backoff.record_start(150)
    assert (backoff.recent, backoff.is_loop) == (3, True)
    backoff.record_start(400)
    assert (backoff.recent, backoff.is_loop) == (0, False)


@pytest.mark.parametrize("content", ["", "{", '{"starts": "x"}', '{"starts": [1e999], "streak": 1}', "null"])
def test_a_damaged_note_counts_as_none(tmp_path, content):
    (tmp_path / "maker.starts").write_text(content)
    assert Backoff(tmp_path, "maker").record_start(100) == 0


def test_times_of_before_a_reboot_do_not_count(live):
    live(5000, 5001, 5002, 5003, 5004)
    assert live(30) == [0]


def test_actors_do_not_share_a_score(tmp_path, live):
    live(100, 101, 102, 103, 104)
    assert Backoff(tmp_path, "binance").record_start(105) == 0


def test_a_young_life_after_a_quick_end_is_in_trouble_and_an_old_one_is_not(tmp_path, live):
    live(100)
    assert not Backoff(tmp_path, "maker").is_troubled(101)
    live(102)
    assert Backoff(tmp_path, "maker").is_troubled(103)
    assert not Backoff(tmp_path, "maker").is_troubled(140)
