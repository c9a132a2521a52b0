"""The exchange's limits: several pools at once, a share kept for cancels, a pause when the exchange requires it."""

from connectors.core.throttle import Limit, Throttle

SECOND_NS = 1_000_000_000
LIMITS = [
    Limit("weight-1m", "weight", 100, 60 * SECOND_NS),
    Limit("count-10s", "orders", 10, 10 * SECOND_NS),
    Limit("count-1d", "orders", 20, 86_400 * SECOND_NS),
]
PLACE = {"weight": 1, "orders": 1}
CANCEL = {"weight": 1}


def spend(throttle: Throttle, costs, now_ns: int, urgent: bool = False) -> bool:
    taken = throttle.acquire(costs, now_ns, urgent)
    if taken:
        throttle.on_answer(costs, now_ns, {})
    return taken


def test_every_pool_must_have_room():
    throttle = Throttle(LIMITS)
    assert [spend(throttle, PLACE, 0) for _ in range(10)] == [True] * 9 + [False]
    assert spend(throttle, CANCEL, 0)
    assert spend(throttle, PLACE, 10 * SECOND_NS)
    assert [spend(throttle, PLACE, 20 * SECOND_NS) for _ in range(10)] == [True] * 8 + [False] * 2


def test_cancels_have_a_share_that_nothing_else_uses():
    throttle = Throttle(LIMITS)
    assert [spend(throttle, {"weight": 30}, 0) for _ in range(4)] == [True, True, True, False]
    assert not spend(throttle, {"weight": 1}, 0)
    assert [spend(throttle, CANCEL, 0, urgent=True) for _ in range(11)] == [True] * 10 + [False]


def test_the_exchanges_own_count_has_the_last_word():
    throttle = Throttle(LIMITS)
    assert throttle.acquire({"weight": 1}, 0)
    throttle.on_answer({"weight": 1}, 0, {"weight-1m": 89})
    assert throttle.acquire({"weight": 1}, 0)
    assert not throttle.acquire({"weight": 1}, 0)
    throttle.on_answer({"weight": 1}, 0, {"weight-1m": 5})
    assert throttle.acquire({"weight": 80}, 0)


def test_what_is_under_way_counts_too():
    throttle = Throttle(LIMITS)
    assert throttle.acquire({"weight": 60}, 0)
    assert not throttle.acquire({"weight": 60}, 0)
    throttle.release({"weight": 60})
    assert throttle.acquire({"weight": 60}, 0)


def test_a_request_under_way_at_the_turn_of_a_window_still_counts():
    throttle = Throttle(LIMITS)
    assert throttle.acquire({"weight": 80}, 59 * SECOND_NS)
    assert not throttle.acquire({"weight": 80}, 60 * SECOND_NS)
    throttle.on_answer({"weight": 80}, 61 * SECOND_NS, {"weight-1m": 0})
    assert throttle.acquire({"weight": 80}, 61 * SECOND_NS)


def test_nothing_leaves_during_a_pause_and_a_shorter_one_does_not_end_it():
    throttle = Throttle(LIMITS)
    throttle.pause(30 * SECOND_NS)
    throttle.pause(10 * SECOND_NS)
    assert not throttle.acquire(CANCEL, 29 * SECOND_NS, urgent=True)
    assert throttle.acquire(CANCEL, 30 * SECOND_NS, urgent=True)
    assert throttle.refused == 1
