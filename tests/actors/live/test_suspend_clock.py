"""SuspendClock: counts what CLOCK_BOOTTIME has more than CLOCK_MONOTONIC."""

import time

from actors.live.suspend_clock import SuspendClock

SECOND_NS = 1_000_000_000


def test_a_suspension_counts_and_time_that_both_clocks_count_does_not():
    boot, mono = [50 * SECOND_NS], [20 * SECOND_NS]
    clock = SuspendClock(lambda: boot[0], lambda: mono[0])
    assert clock() == 0
    boot[0] += 7 * SECOND_NS
    mono[0] += 7 * SECOND_NS
    assert clock() == 0
    boot[0] += 3_600 * SECOND_NS
    assert clock() == 3_600 * SECOND_NS


def test_a_machine_that_runs_is_not_suspended():
    clock = SuspendClock()
    time.sleep(0.01)
    assert abs(clock()) < SECOND_NS / 10
