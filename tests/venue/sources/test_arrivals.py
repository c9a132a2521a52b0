"""Arrivals and signs: the statistics that their parameters promise, and bounds."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venue.base.units import NEVER_NS, SECOND_NS
from venue.calibration import series
from venue.sources.arrivals import MAX_RATE_FACTOR, ArrivalProcess, OrderSigns
from venue.sources.profiles import Kernel


def arrivals(base_rate: float, kernels: list[Kernel], usual_rate: float, seconds: float, seed: int = 1) -> list[float]:
    bursts = ArrivalProcess(base_rate, kernels, usual_rate, Random(seed), 0)
    found, now_ns = [], bursts.next_ns(0)
    while now_ns < seconds * SECOND_NS:
        found.append(now_ns / SECOND_NS)
        bursts.excite(now_ns)
        now_ns = bursts.next_ns(now_ns)
    return found


def test_arrivals_without_children_come_at_their_rate_independently():
    times_s = arrivals(10, [], 10, 1000)
    assert len(times_s) == pytest.approx(10_000, rel=0.05)
    assert series.fano(series.counts(times_s, 1, 1000)) == pytest.approx(1, abs=0.15)


def test_children_raise_the_rate_and_gather_in_bursts():
    times_s = arrivals(10 * 0.4, [Kernel(0.4, 0.02), Kernel(0.2, 1.0)], 10, 2000)
    assert len(times_s) == pytest.approx(20_000, rel=0.1)
    found = series.fano(series.counts(times_s, 20, 2000))
    assert found == pytest.approx(1 / 0.4**2, rel=0.4), "as a Hawkes process: 1 / (1 - children) squared"


def test_excitement_has_a_ceiling():
    """More than one child each would never end; the ceiling ends it."""
    bursts = ArrivalProcess(1.0, [Kernel(5.0, 10.0)], 1.0, Random(1), 0)
    for _ in range(10_000):
        bursts.excite(0)
    assert sum(bursts.excess) <= MAX_RATE_FACTOR
    assert 0 < bursts.next_ns(0) < NEVER_NS


def test_nothing_comes_of_nothing():
    assert ArrivalProcess(0.0, [Kernel(0.5, 1.0)], 0.0, Random(1), 0).next_ns(5) == NEVER_NS


@settings(max_examples=50, deadline=None)
@given(
    rate=st.floats(0.01, 1000),
    children=st.floats(0, 0.9),
    decay_s=st.floats(0.001, 100),
    steps_ns=st.lists(st.integers(0, 10**12), max_size=30),
    seed=st.integers(0, 2**32),
)
def test_the_next_arrival_is_always_later_and_follows_from_the_seed(rate, children, decay_s, steps_ns, seed):
    def run() -> list[int]:
        bursts = ArrivalProcess(rate, [Kernel(children, decay_s)], rate, Random(seed), 0)
        now_ns, found = 0, []
        for step_ns in steps_ns:
            now_ns += step_ns
            bursts.excite(now_ns, 3.0)
            found.append(bursts.next_ns(now_ns))
            assert found[-1] > now_ns
        return found

    assert run() == run()


def test_signs_are_even_and_remember_for_long():
    signs = OrderSigns(0.9, 2, 1.3, Random(3))
    drawn = [float(signs.draw()) for _ in range(60_000)]
    found = [series.autocorrelation(drawn, lag) for lag in (1, 10, 50)]
    assert abs(series.mean(drawn)) < 0.1
    assert found[0] > 0.2
    assert found[0] > found[1] > found[2] > 0.01


def test_signs_without_threads_remember_nothing():
    signs = OrderSigns(0.0, 1, 1.3, Random(3))
    drawn = [float(signs.draw()) for _ in range(20_000)]
    assert abs(series.autocorrelation(drawn, 1)) < 0.03
    assert abs(signs.expected) < 1
