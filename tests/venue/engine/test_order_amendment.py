"""Amendments of contingent orders, and of orders in order lists."""

import json
from decimal import Decimal

import pytest

BUY_OCO = {
    "side": "BUY", "quantity": "0.5",
    "aboveType": "STOP_LOSS", "aboveStopPrice": 41000, "belowType": "LIMIT_MAKER", "belowPrice": 39000,
}  # fmt: skip
WORKING = {
    "workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": "BUY",
    "workingPrice": 39500, "workingQuantity": "0.2",
}  # fmt: skip
PENDING = {"pendingType": "LIMIT", "pendingTimeInForce": "GTC", "pendingSide": "SELL", "pendingPrice": 42000}


def place(world, kind, **parts):
    status, placed = world.signed("POST", f"orderList/{kind}", symbol="BTCUSDT", **parts)
    assert status == 200, placed
    return placed, [row["orderId"] for row in placed["orders"]]


def amend(world, order_id, size, **params):
    return world.signed("PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=order_id, newQty=size, **params)


def sizes(world, ids):
    return [Decimal(world.found(order_id)["origQty"]) for order_id in ids]


@pytest.mark.parametrize("which", [0, 1])
def test_either_half_of_an_oco_amends_both(market, which):
    world = market()
    placed, ids = place(world, "oco", **BUY_OCO)
    conn_id = world.subscribe_user()
    status, body = amend(world, ids[which], "0.4", newClientOrderId="mine")
    assert (status, body["amendedOrder"]["qty"]) == (200, "0.40000000")
    assert sizes(world, ids) == [Decimal("0.4")] * 2
    assert world.balance("USDT")[1] == Decimal("0.4") * 41000
    assert world.get("depth", symbol="BTCUSDT")["bids"] == [["39000.00000000", "0.40000000"]]
    assert sorted(event["i"] for event in world.events(conn_id) if event["x"] == "REPLACED") == sorted(ids)
    (reported,) = world.events(conn_id, "listStatus")
    assert (reported["l"], reported["g"]) == ("UPDATED", placed["orderListId"])
    assert "mine" in {row["c"] for row in reported["O"]}
    assert {row["clientOrderId"] for row in body["listStatus"]["orders"]} == {row["c"] for row in reported["O"]}
    found = world.signed("GET", "orderList", orderListId=placed["orderListId"])[1]
    assert found["orders"] == body["listStatus"]["orders"]
    world.order("SELL", "0.4", 39000, who="bob")
    assert [world.found(order_id)["status"] for order_id in ids] == ["EXPIRED", "FILLED"]
    assert world.balance("USDT") == (1_000_000 - Decimal("0.4") * 39000, 0)


def test_the_half_that_is_left_of_an_oco_is_amended_alone(market):
    world = market()
    _, ids = place(world, "oco", **BUY_OCO)
    world.order("SELL", "0.1", 39000, who="bob")
    assert amend(world, ids[1], "0.3")[0] == 200
    assert sizes(world, ids) == [Decimal("0.5"), Decimal("0.3")]
    assert world.balance("USDT")[1] == Decimal("0.2") * 39000


def test_a_half_amended_to_what_was_prevented_ends_both(market):
    world = market()
    _, ids = place(world, "oco", **BUY_OCO)
    world.order("SELL", "0.3", 39000, selfTradePreventionMode="DECREMENT")
    status, body = amend(world, ids[1], "0.2")
    assert (status, body["amendedOrder"]["status"], body["amendedOrder"]["preventedQty"]) == (
        200,
        "EXPIRED",
        "0.30000000",
    )
    assert [world.found(order_id)["status"] for order_id in ids] == ["EXPIRED", "EXPIRED"]
    assert world.balance("USDT") == (1_000_000, 0)


def test_a_list_whose_client_ids_stay_is_not_reported(market):
    world = market()
    _, ids = place(world, "oco", **BUY_OCO, belowClientOrderId="below")
    conn_id = world.subscribe_user()
    assert amend(world, ids[1], "0.4", newClientOrderId="below")[0] == 200
    assert world.events(conn_id, "listStatus") == []


def test_the_orders_of_an_oto_are_amended_one_by_one(market):
    world = market()
    _, ids = place(world, "oto", **WORKING, **PENDING, pendingQuantity="0.1")
    status, body = amend(world, ids[1], "0.05")
    assert (status, body["amendedOrder"]["status"]) == (200, "PENDING_NEW")
    assert "workingTime" not in body["amendedOrder"]
    assert sizes(world, ids) == [Decimal("0.2"), Decimal("0.05")]
    assert amend(world, ids[0], "0.15")[0] == 200
    assert sizes(world, ids) == [Decimal("0.15"), Decimal("0.05")]
    assert world.balance("USDT")[1] == Decimal("0.15") * 39500
    world.order("SELL", "0.15", 39500, who="bob")
    assert world.get("depth", symbol="BTCUSDT")["asks"] == [["42000.00000000", "0.05000000"]]


def test_what_another_order_will_pay_for_cannot_be_amended(market):
    world = market()
    _, ids = place(world, "opo", **WORKING, **PENDING)
    text = "Order amend (pending OPO order) is not supported."
    assert amend(world, ids[1], "0.05") == (400, {"code": -2038, "msg": text})
    assert amend(world, ids[0], "0.05")[0] == 200


def test_a_stop_that_waits_is_amended_and_triggers_with_what_is_left(market):
    world = market()
    stop = world.order("BUY", "1", None, type="STOP_LOSS", stopPrice=41000)[1]["orderId"]
    assert world.balance("USDT")[1] == 41000
    status, body = amend(world, stop, "0.4")
    assert (status, body["amendedOrder"]["type"]) == (200, "STOP_LOSS")
    assert world.balance("USDT")[1] == Decimal("0.4") * 41000
    world.order("SELL", "2", 41000, who="bob")
    world.order("BUY", "0.1", 41000, who="cal")
    assert (world.found(stop)["status"], world.found(stop)["executedQty"]) == ("FILLED", "0.40000000")
    assert world.balance("USDT")[1] == 0


def test_an_iceberg_shows_as_much_as_before_while_it_has_as_much(market):
    world = market()
    order = world.order("BUY", "1", 39000, icebergQty="0.2")[1]["orderId"]
    shown = []
    for size in ("0.5", "0.1"):
        assert amend(world, order, size)[0] == 200
        shown += world.get("depth", symbol="BTCUSDT")["bids"]
        assert world.balance("USDT")[1] == Decimal(size) * 39000
    assert [size for _, size in shown] == ["0.20000000", "0.10000000"]


def test_amended_lists_outlive_the_exchange(market):
    first = market()
    placed, ids = place(first, "oco", **BUY_OCO)
    amend(first, ids[0], "0.4", newClientOrderId="mine")
    for log in (first.log, list(first.exchange.recovery.state())):
        second = market(log)
        assert sizes(second, ids) == [Decimal("0.4")] * 2
        requested = {"orderListId": placed["orderListId"]}
        assert second.signed("GET", "orderList", **requested) == first.signed("GET", "orderList", **requested)
        assert second.balance("USDT") == first.balance("USDT")
        assert amend(second, ids[1], "0.3")[0] == 200
        assert second.balance("USDT")[1] == Decimal("0.3") * 41000


def test_the_answer_has_the_documents_keys_and_types(market, recorded):
    docs = json.loads(recorded("binance_docs/binance_docs_examples.json").read_text())["wsapi"]
    (found,) = [row for row in docs if row["method"] == "order.amend.keepPriority"]
    world = market()
    _, ids = place(world, "oto", **WORKING, **PENDING, pendingQuantity="0.1")

    def kinds(value):
        if isinstance(value, dict):
            return {key: kinds(inner) for key, inner in value.items()}
        return [kinds(inner) for inner in value] if isinstance(value, list) else type(value)

    assert kinds(amend(world, ids[0], "0.1")[1]) == kinds(found["responses"][1]["result"])
