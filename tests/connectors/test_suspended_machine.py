"""A machine that was suspended: everything is stale at once, and the account is read before an order is placed."""

import pytest

from protocol import AnswerCode, OrdStatus, Side, StreamState

SECOND_NS = 1_000_000_000
FAR = 5_900_000
NEAR = 5_999_500


@pytest.fixture
def world(new_world):
    return new_world().ready()


def suspend(world, seconds=600):
    """The world outside goes on; our monotonic clock does not."""
    world.suspended_ns += seconds * SECOND_NS


def test_the_first_order_after_a_suspension_is_refused_and_placed_again_after_a_reconciliation(world):
    passes = world.connector.orders.reconciler.passes
    assert passes > 0
    suspend(world)
    order_ref = world.place(Side.BUY, FAR)
    world.run(0.01)
    assert world.trader.answers[order_ref].code is AnswerCode.REFUSED
    assert world.placements() == []
    assert world.state[0] in ("CONNECTING", "RECONCILING"), "the offset of the exchange's clock is unknown too"
    world.until(lambda: world.state == ("TRADING", ""), 10)
    world.until(lambda: world.connector.feed.book("BTC-USDT") is not None, 10)
    world.run(2)
    again = world.place(Side.BUY, FAR)
    world.run(1)
    assert world.last(again).status is OrdStatus.NEW
    world.check()


def test_books_are_stale_at_once_and_live_again_from_a_new_snapshot(world):
    market = world.connector.feed.markets["BTC-USDT"]
    connects = world.connector.feed.session.connects
    suspend(world)
    world.until(lambda: market.sync.state is StreamState.STALE, 0.3)
    world.run(5)
    assert world.connector.feed.session.connects == connects + 1
    assert market.sync.state is StreamState.LIVE


def test_fills_of_the_time_of_the_suspension_are_counted(world):
    order_ref = world.place(Side.BUY, NEAR)
    world.run(1)
    world.control("POST", "faults", add=[{"name": "user_event_lost"}])
    world.trade_by_hand("SELL", "59995", "0.01")
    world.run(0.2)
    world.control("POST", "faults", clear=True)
    suspend(world)
    world.run(3)
    assert world.last(order_ref).status is OrdStatus.FILLED
    world.check()


def test_a_short_difference_of_the_clocks_changes_nothing(world):
    world.suspended_ns += SECOND_NS // 2
    world.run(2)
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.NEW
