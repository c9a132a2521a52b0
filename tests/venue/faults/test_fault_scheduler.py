"""FaultScheduler alone: windows, chances, counts and numbers, without an exchange."""

import pytest

from venue.base.units import NEVER_NS, SECOND_NS
from venue.faults.active_fault import Transition
from venue.faults.kinds.catalogue import BadFault
from venue.faults.kinds.request_kinds import PresetAnswer, Reset, ServerError
from venue.faults.scheduler import MAX_ACTIVE, FaultScheduler


def happened(scheduler, now_ns):
    return [(active.name, transition) for active, transition in scheduler.transitions(now_ns)]


def test_a_window_opens_and_closes_at_its_times_and_the_fault_is_dropped():
    scheduler = FaultScheduler(seed=1)
    scheduler.add([ServerError(after_s=2, for_s=3)], now_ns=0)
    assert scheduler.next_ns == 2 * SECOND_NS
    assert happened(scheduler, SECOND_NS) == []
    assert happened(scheduler, 2 * SECOND_NS) == [("server_error", Transition.OPENED)]
    assert scheduler.next_ns == 5 * SECOND_NS
    assert happened(scheduler, 5 * SECOND_NS) == [("server_error", Transition.CLOSED)]
    assert (scheduler.active, scheduler.next_ns) == ([], NEVER_NS)


def test_the_first_open_fault_of_a_kind_matches_until_its_count_is_used_up():
    scheduler = FaultScheduler(seed=1)
    first, second = scheduler.add([ServerError(count=1), Reset()], now_ns=0)
    assert scheduler.match(ServerError, lambda fault: True) is None, "no window is open yet"
    happened(scheduler, 0)
    assert scheduler.match(ServerError, lambda fault: False) is None
    assert scheduler.match(ServerError, lambda fault: True).number == first
    assert scheduler.match(ServerError, lambda fault: True) is None
    assert scheduler.match(Reset, lambda fault: True).number == second
    assert (scheduler.counters["server_error"], scheduler.counters["reset"]) == (1, 1)


def test_chance_decides_by_the_seed_and_the_number_of_the_fault():
    def hits(seed):
        scheduler = FaultScheduler(seed)
        scheduler.add([Reset(chance=0.5)], now_ns=0)
        happened(scheduler, 0)
        return [scheduler.match(Reset, lambda fault: True) is not None for _ in range(100)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 70


def test_removed_faults_are_returned_if_their_window_was_open():
    scheduler = FaultScheduler(seed=1)
    numbers = scheduler.add([Reset(), ServerError(after_s=1)], now_ns=0)
    happened(scheduler, 0)
    assert [active.name for active in scheduler.remove(numbers)] == ["reset"]
    assert scheduler.active == []


def test_faults_beyond_the_maximum_are_rejected():
    scheduler = FaultScheduler(seed=1)
    scheduler.add([Reset()] * MAX_ACTIVE, now_ns=0)
    with pytest.raises(BadFault, match="remove some first"):
        scheduler.add([Reset()], now_ns=0)
    assert len(scheduler.active) == MAX_ACTIVE


def test_preset_answers_are_neither_listed_nor_counted_with_the_catalogue():
    scheduler = FaultScheduler(seed=1)
    scheduler.add([PresetAnswer(endpoint="GET /x", count=1)], now_ns=0)
    happened(scheduler, 0)
    assert scheduler.match(PresetAnswer, lambda fault: True) is not None
    assert scheduler.shown()["active"] == []
    assert not any(scheduler.counters.values())
