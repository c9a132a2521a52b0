"""Levels that follow an external market: traded size stays traded, cancels are distributed by the model."""

from hypothesis import given
from hypothesis import strategies as st

from venue.sources.queue_level import QueueLevel, shares

ORDERS = st.lists(st.integers(1, 10**12), min_size=1, max_size=8).map(lambda sizes: dict(enumerate(sizes, 1)))


def test_shares_by_model():
    orders = {1: 60, 2: 30, 3: 10}
    assert shares(orders, 50, "proportional") == {1: 30, 2: 15, 3: 5}
    assert shares(orders, 50, "back") == {1: 10, 2: 30, 3: 10}
    assert shares(orders, 50, "front") == {1: 50, 2: 0, 3: 0}
    assert shares({1: 1, 2: 1, 3: 1}, 1, "proportional") == {1: 0, 2: 0, 3: 1}, "what rounding leaves is from the back"


@given(ORDERS, st.data(), st.sampled_from(["proportional", "back", "front"]))
def test_shares_add_up_and_no_order_loses_more_than_it_has(orders, data, model):
    lots = data.draw(st.integers(0, sum(orders.values())))
    found = shares(orders, lots, model)
    assert sum(found.values()) == lots
    assert all(0 <= cut <= orders[order_id] for order_id, cut in found.items())
    if model == "proportional":
        exact = {order_id: lots * leaves / sum(orders.values()) for order_id, leaves in orders.items()}
        assert found[1] <= exact[1] + 1 + len(orders), "who is ahead does not vanish out of turn"


def level(recorded_lots, taken_lots=0, traded_lots=0):
    one = QueueLevel()
    one.recorded_lots, one.taken_lots, one.traded_lots = recorded_lots, taken_lots, traded_lots
    return one


def test_what_we_took_stays_taken_until_the_level_has_lost_it():
    one = level(100, taken_lots=40)
    assert one.target_lots == 60
    one.record(130)
    assert one.target_lots == 90, "what is added is new"
    one.record(70)
    assert (one.taken_lots, one.target_lots) == (40, 30)
    one.record(25)
    assert (one.taken_lots, one.target_lots) == (25, 0), "all that is left there we have taken"
    one.record(75)
    assert one.target_lots == 50
    one.record(0)
    one.record(10)
    assert one.target_lots == 10, "a level that was gone begins anew"


def test_size_consumed_by_trades_is_not_consumed_again_when_the_book_shows_it():
    one = level(100, traded_lots=30)
    assert one.target_lots == 70
    one.record(80)
    assert (one.traded_lots, one.target_lots) == (10, 70)
    one.record(60)
    assert (one.traded_lots, one.target_lots) == (0, 60)
