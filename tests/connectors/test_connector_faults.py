"""How the connector handles the local exchange's faults, one at a time."""

from decimal import Decimal

import pytest

from market.scale import Scale
from protocol import OrdStatus, Side

SYMBOL = "BTC-USDT"
FAR = 5_900_000


@pytest.fixture
def world(new_world):
    return new_world().ready()


def placed(world, price_ticks=FAR):
    """Place an order; its status after a second."""
    order_ref = world.place(Side.BUY, price_ticks)
    world.run(1)
    return world.last(order_ref).status


def fault(world, name, **fields):
    world.control("POST", "faults", add=[{"name": name, **fields}])


def fair(world):
    """Faults end; and the connector had time to reconcile."""
    world.control("POST", "faults", clear=True)
    world.run(60)
    assert world.state[0] == "TRADING", world.state


@pytest.mark.parametrize("user_event", ["received", "lost"])
def test_an_order_that_is_rejected_after_its_acknowledgement_has_ended(world, user_event):
    fault(world, "reject_after_ack", count=1)
    if user_event == "lost":
        fault(world, "user_event_lost", event="executionReport", after_s=0.1, for_s=5)
    order_ref = world.place(Side.BUY, FAR)
    world.run(0.02)
    assert world.last(order_ref).status is OrdStatus.NEW
    world.run(5)
    world.cancel(order_ref)
    fair(world)
    assert world.last(order_ref).status is OrdStatus.EXPIRED
    world.check()


def test_a_market_that_stood_still_is_traded_in_again_soon_after_it_opens(world):
    fault(world, "symbol_halt", for_s=20)
    assert placed(world) is OrdStatus.REJECTED
    world.run(1)
    assert not world.connector.feed.markets[SYMBOL].rules.trading
    world.run(30)
    assert world.connector.feed.markets[SYMBOL].rules.trading
    assert placed(world) is OrdStatus.NEW
    world.check()


def test_orders_of_a_market_that_is_delisted_end_and_it_may_come_back(world):
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    fault(world, "user_event_lost")
    fault(world, "delisted", for_s=30)
    world.run(40)
    fair(world)
    assert world.last(order_ref).status is OrdStatus.EXPIRED
    world.make_book()
    world.run(1)
    assert placed(world) is OrdStatus.NEW
    world.check()


def test_replicas_that_lag_bring_no_order_back_and_end_none(world):
    order_refs = [world.place(Side.BUY, FAR - 1000 * n) for n in range(4)]
    world.run(10)
    fault(world, "stale_reads", lags_ms=[0, 3000, 20_000])
    fault(world, "user_event_lost")
    for order_ref in order_refs[:2]:
        world.cancel(order_ref)
    young = world.place(Side.BUY, FAR - 9000)
    for _ in range(120):
        world.run(0.5)
        assert world.last(young).status is OrdStatus.NEW
        assert {world.last(one).status for one in order_refs[2:]} == {OrdStatus.NEW}
    assert {world.last(one).status for one in order_refs[:2]} == {OrdStatus.CANCELED}
    fair(world)
    world.check()


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("user_event", ["sent", "late", "lost"])
@pytest.mark.parametrize("name", ["timeout", "backend_timeout"])
def test_a_placement_without_an_answer_is_placed_once_or_not_at_all(world, name, accepted, user_event):
    fault(world, name, endpoint="POST /api/v3/order", count=1, accepted=accepted, user_event=user_event)
    order_ref = world.place(Side.BUY, FAR)
    world.run(120)
    assert world.last(order_ref).status is (OrdStatus.NEW if accepted else OrdStatus.NOT_PLACED)
    assert len(world.placements()) == 1
    fair(world)
    world.check()


def test_external_activity_in_the_account_is_seen_and_not_touched(world):
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    fault(world, "external_order", side="SELL", for_s=600)
    fault(world, "balance_moved", amount="250")
    world.run(2)
    ledger = world.ledger
    assert len(ledger["open_orders"]) == 2
    assert world.last(order_ref).status is OrdStatus.NEW
    received = {asset: free for asset, free, _ in world.trader.balances.rows}
    assert received["USDT"] == Decimal(ledger["balances"]["USDT"]["free"])
    fault(world, "external_cancel")
    world.run(2)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert len(world.ledger["open_orders"]) == 1, "the external order still rests"
    world.check()


@pytest.mark.parametrize("ms", [8_000, -8_000])
def test_orders_pass_again_soon_after_the_exchanges_clock_has_stepped(world, ms):
    fault(world, "clock_step", ms=ms, for_s=100)
    for _ in range(12):
        world.place(Side.BUY, FAR)
        world.run(10)
    assert placed(world) is OrdStatus.NEW
    fair(world)
    world.check()


def test_a_coarser_tick_is_taken_over_and_given_back_and_trades_of_before_stop_nothing(world):
    for price in ("59990.01", "60010.01"):
        world.trade_by_hand("BUY" if price < "6" else "SELL", price, "0.1")
    order_ref = world.place(Side.BUY, 5_999_003)
    world.run(1)
    world.trade_by_hand("SELL", "59990.03", "0.1")
    world.run(2)
    assert world.last(order_ref).status is OrdStatus.FILLED
    world.cancel_all()
    world.run(2)
    fault(world, "filters_changed", tick_size="0.05", for_s=120)
    world.connector.feed.rules.request([SYMBOL])
    world.run(70)
    assert world.connector.orders.markets.instruments[SYMBOL].tick_size == Decimal("0.05")
    assert world.connector.tracker.scales[SYMBOL] == Scale(2, 5)
    assert not world.connector.orders.halts.symbols
    fair(world)
    world.connector.feed.rules.request([SYMBOL])
    world.run(5)
    assert placed(world) is OrdStatus.NEW
    world.check()
