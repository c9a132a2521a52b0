"""Stage times: both implementations count alike; published once a second; nothing in virtual time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import stages as module
from actors.actor import Actor
from actors.sim.driver import Sim
from actors.stages import FastStages, NoStages, PlainStages, bucket, bucket_ns, rows, stages_of
from protocol import topics

NAMES = ("one", "two")
IMPLEMENTATIONS = [PlainStages] + ([FastStages] if FastStages is not None else [])


@given(st.integers(min_value=-5, max_value=2**62))
def test_a_bucket_is_within_an_eighth_of_its_durations(ns):
    at = bucket(ns)
    assert 0 <= at < 64 << module.FINE
    assert bucket_ns(at) <= max(ns, 0) < bucket_ns(at + 1)
    assert bucket_ns(at + 1) - bucket_ns(at) <= max(1, bucket_ns(at) / 8)


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(min_value=-100, max_value=2**60)), max_size=50))
def test_both_implementations_count_alike(durations):
    counted = []
    for implementation in IMPLEMENTATIONS:
        stages = implementation(NAMES, 0)
        for stage, ns in durations:
            stages.record(stage, ns)
        counted.append((stages.drain(), stages.drain()))
    assert all(one == counted[0] for one in counted)
    assert counted[0][1] == [{}, {}]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_laps_divide_the_time_since_the_chain_began(implementation):
    anchor_ns = 10**18
    stages = implementation(NAMES, anchor_ns)
    began_ns = time.monotonic_ns()
    stages.begin(began_ns + anchor_ns)
    stages.lap(0)
    stages.ensure(began_ns + anchor_ns)  # the same event: the chain continues
    time.sleep(0.002)
    stages.lap(1)
    took_ns = time.monotonic_ns() - began_ns
    (one,), (two,) = stages.drain()
    assert bucket_ns(two + 1) > 2_000_000
    assert bucket_ns(one) + bucket_ns(two) <= took_ns
    stages.ensure(anchor_ns + time.monotonic_ns())  # another event: a new chain
    stages.lap(0)
    assert bucket_ns(next(iter(stages.drain()[0]))) < 2_000_000


def test_rows_contain_the_median_and_the_99th_percentile():
    counts = {bucket(1_000): 98, bucket(50_000): 2}
    ((name, count, p50_us, p99_us),) = rows(NAMES, [counts, {}])
    assert (name, count) == ("one", 100)
    assert p50_us == pytest.approx(1.0, rel=0.13)
    assert p99_us == pytest.approx(50, rel=0.13)


class Timed(Actor):
    """Counts one stage."""

    ticks = False

    def on_start(self):
        self.stages = stages_of(self.effects, NAMES)
        self.stages.record(0, 1_000)


class Reader(Actor):
    """Keeps the stage times that it receives."""

    ticks = False

    def on_start(self):
        self.received = []
        self.subscribe(topics.stages("timed"))

    def on_stages(self, message):
        self.received.append(message)


def test_nothing_is_counted_in_virtual_time_so_that_reruns_are_alike():
    sim = Sim()
    timed = sim.add("timed", Timed)
    sim.run_for(3)
    assert isinstance(timed.stages, NoStages)


def test_stage_times_are_published_once_a_second_outside_of_marks_and_trace():
    sim = Sim()
    timed, reader = sim.add("timed", Timed), sim.add("reader", Reader)
    sim.run_for(0.1)
    timed.effects.real_time = True
    stages = stages_of(timed.effects, NAMES)
    stages.record(1, 7_000)
    timed.effects.outbox.drain_positions()
    sim.run_for(2.5)
    (message,) = reader.received  # a second without any stage publishes nothing
    assert [(name, count) for name, count, *_ in message.rows] == [("two", 1)]
    assert not timed.effects.outbox.drain_positions()
