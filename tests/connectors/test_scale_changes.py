"""A connector through changes of tick and lot: nothing is locked, rounded or dropped, and a restart changes nothing."""

from decimal import Decimal

import pytest

from market.scale import Scale
from protocol import OrdStatus, OrdType, Side, StreamState, TimeInForce

SYMBOL = "BTC-USDT"
FAR_BID = 5_900_000


@pytest.fixture
def world(new_world):
    return new_world().ready()


def change_filters(world, **filters) -> None:
    """The exchange has these filters from now on, and the connector reads them."""
    world.control("POST", "faults", clear=True)
    if filters:
        world.control("POST", "faults", add=[{"name": "filters_changed", "for_s": 0, **filters}])
    world.connector.feed.rules.request([SYMBOL])
    world.run(2)


def restart(world) -> None:
    world.kill_connector()
    world.run(1)
    world.start_connector()
    world.until(lambda: world.state[0] == "TRADING")


def book(world) -> tuple[StreamState, str]:
    sync = world.connector.feed.markets[SYMBOL].sync
    return sync.state, sync.reason


def test_old_levels_between_the_new_ticks_are_levels_like_any_other(world):
    for side, price in (("BUY", "59990.03"), ("BUY", "59980.01"), ("SELL", "60009.97")):
        world.trade_by_hand(side, price, "0.1")
    change_filters(world, tick_size="0.10")
    restart(world)
    assert book(world) == (StreamState.LIVE, "")
    assert world.connector.feed.book(SYMBOL).bid_ticks == 5_999_003
    order = world.place(Side.BUY, FAR_BID)
    world.run(1)
    assert world.last(order).status is OrdStatus.NEW
    assert world.connector.feed.counters.invalid == 0
    world.check()


def test_a_fill_at_an_old_price_between_the_new_ticks_counts(world):
    world.trade_by_hand("SELL", "60009.97", "0.1")
    change_filters(world, tick_size="0.10")
    taker = world.place(Side.BUY, 6_001_000, 1_000, OrdType.LIMIT, TimeInForce.IOC)
    world.run(2)
    assert world.last(taker).status is OrdStatus.FILLED
    (fill,) = world.trader.fills.values()
    assert Scale(fill.price_digits, fill.size_digits).tick * fill.last_ticks == Decimal("60009.97")
    assert world.state == ("TRADING", "")
    world.check()


@pytest.mark.parametrize("finer", [False, True])
def test_a_lot_that_changes_under_orders_locks_nothing(world, finer):
    if finer:
        change_filters(world, lot_size="0.0001")
    world.place(Side.BUY, 6_001_000, 1_000, OrdType.LIMIT, TimeInForce.IOC)
    resting = world.place(Side.BUY, FAR_BID, 1_000)
    world.run(2)
    change_filters(world, **({} if finer else {"lot_size": "0.0001"}))
    off = world.place(Side.BUY, FAR_BID, 1_007)
    world.run(1)
    if finer:
        assert world.last(off).status is OrdStatus.NEW
    else:
        assert "not a multiple of the lot size 0.0001" in world.trader.answers[off].text
    restart(world)
    again = world.place(Side.BUY, FAR_BID, 1_010)
    world.run(1)
    assert world.last(again).status is OrdStatus.NEW
    world.cancel(resting)
    world.run(1)
    assert world.last(resting).status is OrdStatus.CANCELED
    assert world.connector.tracker.owner("maker").position(SYMBOL).net_lots == 1_000
    world.check()


def test_prices_and_position_are_those_of_the_exchange_through_changes_and_restarts(world):
    resting = world.place(Side.BUY, 5_999_503, 1_000)
    world.run(1)
    for filters in ({"tick_size": "0.50"}, {"tick_size": "0.05", "lot_size": "0.001"}, {"tick_size": "1"}, {}):
        change_filters(world, **filters)
        assert world.connector.tracker.scales[SYMBOL] == Scale(2, 5), "it never becomes coarser"
        restart(world)
        (order,) = world.connector.tracker.open.values()
        assert order.terms.price_ticks == 5_999_503
        assert [row["price"] for row in world.ledger["open_orders"]] == ["59995.03000000"]
    world.trade_by_hand("SELL", "59995.03", "0.01")
    world.run(2)
    assert world.last(resting).status is OrdStatus.FILLED
    position = world.connector.tracker.owner("maker").position(SYMBOL)
    assert position.bought_notional == Decimal("599.9503")
    world.check()


def test_a_halt_by_an_impossible_report_outlives_a_kill_and_ends_by_the_operator(world):
    def overfilled(event) -> None:
        if event["x"] == "TRADE":
            event["l"] = "99.00000000"

    world.change_events(overfilled)
    world.place(Side.BUY, FAR_BID)
    world.run(1)
    world.trade_by_hand("SELL", "59000", "0.51")
    world.run(2)
    assert "overfill" in world.state[1]
    world.change_events(lambda event: None)
    for _ in range(2):
        restart_halted(world)
        assert "overfill" in world.state[1]
    world.command("resume")
    world.run(1)
    restart(world)
    assert world.state == ("TRADING", "")
    world.check()


def restart_halted(world) -> None:
    world.kill_connector()
    world.run(1)
    world.start_connector()
    world.run(5)
