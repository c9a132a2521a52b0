"""Account endpoints: the filters of own trades and orders, balances, order counts."""

import pytest


@pytest.fixture
def traded(ann_and_bob):
    """Bob sells to ann in five orders of one trade each, a second apart."""
    world = ann_and_bob
    orders = []
    for _ in range(5):
        world.order("SELL", "0.1", "60000", who="bob")
        orders.append(world.order("BUY", "0.1", "60000")[1]["orderId"])
        world.advance(1000)
    return world, orders


def trades(world, **filters):
    status, rows = world.signed("GET", "myTrades", symbol="BTCUSDT", **filters)
    assert status == 200, rows
    return rows


def test_own_trades_by_order_give_that_orders_trades_only(traded):
    world, orders = traded
    for order_id in orders:
        assert [row["orderId"] for row in trades(world, orderId=order_id)] == [order_id]
    assert trades(world, orderId=orders[-1] + 1000) == []


def test_own_trades_from_an_id_and_within_a_time(traded):
    world, orders = traded
    rows = trades(world)
    ids = [row["id"] for row in rows]
    assert [row["orderId"] for row in rows] == orders
    assert [row["id"] for row in trades(world, fromId=ids[2])] == ids[2:]
    assert [row["id"] for row in trades(world, fromId=ids[1], limit=2)] == ids[1:3]
    assert [row["id"] for row in trades(world, limit=2)] == ids[-2:]
    assert [row["id"] for row in trades(world, startTime=rows[3]["time"])] == ids[3:]
    assert [row["id"] for row in trades(world, startTime=rows[1]["time"], limit=1)] == ids[1:2]
    assert [row["id"] for row in trades(world, endTime=rows[1]["time"])] == ids[:2]
    assert [row["id"] for row in trades(world, startTime=rows[1]["time"], endTime=rows[2]["time"])] == ids[1:3]


def test_combinations_that_own_trades_does_not_know(traded):
    world, orders = traded
    for filters in ({"fromId": 1, "startTime": 1}, {"orderId": orders[0], "startTime": 1}):
        assert world.signed("GET", "myTrades", symbol="BTCUSDT", **filters)[1]["code"] == -1128
    wide = {"startTime": 1, "endTime": 86_400_002}
    assert world.signed("GET", "myTrades", symbol="BTCUSDT", **wide)[1]["code"] == -1127
    assert world.signed("GET", "myTrades")[1]["code"] == -1102


def test_all_orders_from_an_id_and_open_ones(traded):
    world, orders = traded
    _, rows = world.signed("GET", "allOrders", symbol="BTCUSDT", orderId=orders[2])
    assert [row["orderId"] for row in rows] == orders[2:]
    assert all(row["status"] == "FILLED" for row in rows)
    _, resting = world.order("BUY", "1", "50000")
    _, found = world.signed("GET", "openOrders", symbol="BTCUSDT")
    assert [row["orderId"] for row in found] == [resting["orderId"]]
    assert world.signed("GET", "openOrders", who="bob") == (200, [])


def test_the_account_shows_what_it_owns(traded):
    world, _ = traded
    _, shown = world.signed("GET", "account")
    assert {row["asset"]: (row["free"], row["locked"]) for row in shown["balances"]} == {
        "BTC": ("10.49950000", "0.00000000"),
        "USDT": ("970000.00000000", "0.00000000"),
    }
    assert shown["commissionRates"]["maker"] == "0.00100000"
    assert shown["makerCommission"] == 10


def test_filled_orders_leave_the_order_count(ann_and_bob):
    world = ann_and_bob
    world.order("BUY", "0.1", "50000")
    world.order("SELL", "0.1", "60000")
    _, rows = world.signed("GET", "rateLimit/order")
    assert [(row["interval"], row["count"]) for row in rows] == [("SECOND", 2), ("DAY", 2)]
    world.order("BUY", "0.1", "60000", who="bob")
    _, rows = world.signed("GET", "rateLimit/order")
    assert [row["count"] for row in rows] == [1, 1]
