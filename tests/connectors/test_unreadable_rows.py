"""One row that cannot be read costs that row: it is shown and counted, and the rows beside it count as always."""

from decimal import Decimal

import pytest

from protocol import OrdStatus, Side
from venue.base import demo

BID, FAR_BID = 5_999_500, 5_900_000


@pytest.fixture
def world(new_world):
    return new_world().ready()


def restart(world):
    world.kill_connector()
    world.run(1)
    world.start_connector()


@pytest.mark.parametrize("restarts", [False, True])
def test_an_external_order_with_an_unknown_status_is_shown_and_the_bot_trades_on(world, restarts):
    def status_of_next_year(rows):
        for row in rows:
            if not row["clientOrderId"].startswith("t"):
                row["status"] = "PENDING_REVIEW"

    ours = world.place(Side.BUY, FAR_BID)
    world.trade_by_hand("BUY", "55000", "0.001", key=demo.MAKER_KEY)
    world.run(0.5)
    world.change("openOrders", status_of_next_year)
    if restarts:
        restart(world)
    passes = world.connector.orders.reconciler.passes
    world.run(60)
    assert world.connector.orders.reconciler.passes > passes
    assert world.state[0] == "TRADING"
    assert "PENDING_REVIEW" in world.state[1]
    assert [one.status for one in world.connector.orders.reports.external.open.values()] == [OrdStatus.NEW]
    again = world.place(Side.BUY, FAR_BID - 100)
    world.run(1)
    assert {world.last(one).status for one in (ours, again)} == {OrdStatus.NEW}


def test_our_order_with_an_unknown_status_stays_open_until_the_exchange_reports_one_that_is_known(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(1)
    is_odd = True

    def under_review(row):
        if is_odd:
            row["status"] = "UNDER_REVIEW"

    world.change("openOrders", lambda rows: [under_review(row) for row in rows])
    world.change("/order?", under_review)
    world.change_events(lambda event: event.update(X="UNDER_REVIEW") if is_odd else None)
    world.cancel(order_ref)
    world.run(40)
    assert not world.last(order_ref).status.is_final
    assert "UNDER_REVIEW" in world.state[1]
    is_odd = False
    world.run(40)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    world.run(61)
    assert world.state == ("TRADING", "")


@pytest.mark.parametrize(("commission", "fee"), [("-0.00000100", Decimal("-0.000001")), (None, Decimal(0))])
@pytest.mark.parametrize("by", ["stream", "own trades"])
def test_a_rebate_and_a_missing_commission_are_no_reason_to_lose_a_fill(world, commission, fee, by):
    def change_trades(rows):
        for row in rows:
            row["commission"] = commission

    def change_event(event):
        if event["x"] == "TRADE":
            event["n"] = commission

    world.change("myTrades", change_trades)
    world.change_events(change_event)
    order_ref = world.place(Side.BUY, BID)
    world.run(1)
    if by == "own trades":
        world.control("POST", "faults", add=[{"name": "user_event_lost", "for_s": 3}])
    world.trade_by_hand("SELL", "59995", "0.01")
    world.run(60)
    assert world.last(order_ref).status is OrdStatus.FILLED
    assert [fill.fee for fill in world.trader.fills.values()] == [fee]
    restart(world)
    world.run(10)
    assert world.state == ("TRADING", "")


def test_an_unreadable_trade_is_counted_once_it_can_be_read_and_the_others_at_once(world):
    is_odd = True

    def first_without_a_price(rows):
        if is_odd:
            for row in rows:
                if row["qty"].startswith("0.004"):
                    row["price"] = "many"

    world.change("myTrades", first_without_a_price)
    world.control("POST", "faults", add=[{"name": "user_event_lost", "for_s": 0}])
    order_ref = world.place(Side.BUY, BID)
    world.run(1)
    world.trade_by_hand("SELL", "59995", "0.004")
    world.trade_by_hand("SELL", "59995", "0.006")
    world.run(60)
    assert [fill.last_lots for fill in world.trader.fills.values()] == [600]
    assert world.last(order_ref).status is OrdStatus.PARTIALLY_FILLED, "the exchange has counted more"
    assert "trade BTC-USDT" in world.state[1]
    world.run(1_200)  # both trades are older than late_trades_ms now
    is_odd = False
    world.run(60)
    assert sorted(fill.last_lots for fill in world.trader.fills.values()) == [400, 600]
    assert world.last(order_ref).status is OrdStatus.FILLED


def test_an_unreadable_balance_keeps_its_last_value_and_costs_no_other_balance(world):
    def bnb_is_odd(account):
        for row in account["balances"]:
            if row["asset"] == "BNB":
                row["free"] = "-1"

    before = {row[0]: row[1:] for row in world.trader.balances.rows}
    world.change("/account", bnb_is_odd)
    world.place(Side.BUY, FAR_BID)
    world.run(40)
    after = {row[0]: row[1:] for row in world.trader.balances.rows}
    assert after["BNB"] == before["BNB"]
    assert after["USDT"][1] == Decimal(590)
    assert world.state[0] == "TRADING"
    assert "balance BNB" in world.state[1]


def test_an_event_that_cannot_be_read_is_queried_and_the_stream_goes_on(world):
    def without_side(event):
        if event["x"] == "CANCELED":
            event["S"] = "BOTH"

    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(1)
    world.change_events(without_side)
    world.net.next_http["DELETE", "order"] = ["unanswered"]
    world.cancel(order_ref)
    world.run(2)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.connector.orders.user_stream.session.recycles == 0
    assert "BOTH" in world.state[1]
