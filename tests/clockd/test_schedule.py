"""Ticks are due at start + n * period on a clock that never steps."""

from hypothesis import given
from hypothesis import strategies as st

from actors.sim.driver import Sim
from clockd import Clock
from clockd.schedule import Schedule


def test_the_first_tick_is_the_next_one_due():
    schedule = Schedule(start_ns=0, period_ns=100)
    schedule.begin(250)
    assert schedule.advance(299) is None
    assert schedule.advance(300) == (3, 0)


def test_a_tick_is_due_once():
    schedule = Schedule(start_ns=0, period_ns=100)
    assert schedule.advance(100) == (1, 1)
    assert schedule.advance(199) is None
    assert schedule.advance(200) == (2, 0)


@given(st.lists(st.integers(0, 5_000), min_size=1), st.integers(1, 700), st.integers(-10_000, 10_000))
def test_every_tick_is_returned_or_counted_as_skipped(steps, period_ns, start_ns):
    schedule = Schedule(start_ns, period_ns)
    schedule.begin(start_ns)
    now_ns, taken, numbers = start_ns, 0, []
    for step in steps:
        now_ns += step
        if (tick := schedule.advance(now_ns)) is not None:
            taken += 1
            numbers.append(tick[0])
            assert schedule.due_ns(tick[0]) <= now_ns < schedule.due_ns(tick[0] + 1)
    assert numbers == sorted(set(numbers))
    if numbers:
        assert numbers[-1] + 1 == taken + schedule.skipped


def test_in_virtual_time_every_tick_is_on_time():
    sim, told = Sim(), []
    clock = sim.add("clockd", Clock, Clock.Settings(tick_ms=100, start_ns=sim.now_ns))
    publish = clock.publish
    clock.publish = lambda topic, message: told.append((sim.now_ns, message)) or publish(topic, message)
    sim.run_for(5)
    assert [report.n for _, report in told] == list(range(51))
    assert all(when_ns == report.time_ns for when_ns, report in told)
