"""Iceberg orders: the displayed part, the place of the next part, rejections, and a kill."""

import pytest


def iceberg(world, side, size, price, shown, **params):
    return world.order(side, size, price, icebergQty=shown, **params)


def asks(world):
    return world.get("depth", symbol="BTCUSDT")["asks"]


def test_the_book_shows_a_part_and_the_next_one_stands_last(market):
    world = market()
    ear = world.subscribe_user()
    status, placed = iceberg(world, "SELL", "1", 41000, "0.3", newOrderRespType="RESULT")
    assert (status, placed["icebergQty"], placed["origQty"]) == (200, "0.30000000", "1.00000000")
    world.order("SELL", "0.2", 41000, who="bob")
    assert asks(world) == [["41000.00000000", "0.50000000"]]
    assert world.balance("BTC")[1] == 1
    world.order("BUY", "0.4", 41000, who="cal")
    assert asks(world) == [["41000.00000000", "0.40000000"]]
    assert world.found(placed["orderId"])["executedQty"] == "0.30000000"
    world.order("BUY", "0.1", 41000, who="cal")
    assert world.found(placed["orderId"])["executedQty"] == "0.30000000", "the other one came first now"
    world.order("BUY", "0.7", 41000, who="cal")
    found = world.found(placed["orderId"])
    assert (found["status"], found["icebergQty"], world.balance("BTC")) == ("FILLED", "0.30000000", (9, 0))
    assert {one["F"] for one in world.events(ear)} == {"0.30000000"}


def test_a_market_order_by_quote_quantity_takes_what_is_hidden_too(market):
    world = market()
    iceberg(world, "SELL", "1", 41000, "0.1", who="bob")
    _, bought = world.order("BUY", None, quoteOrderQty=32800)
    assert (bought["status"], bought["executedQty"]) == ("FILLED", "0.80000000")
    _, bought = world.order("BUY", "0.3")
    assert (bought["status"], bought["executedQty"]) == ("EXPIRED", "0.20000000")


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"icebergQty": "1.1"}, -2010, "IcebergQty exceeds QTY."),
        ({"icebergQty": "0.009"}, -1013, "Filter failure: ICEBERG_PARTS"),
        ({"icebergQty": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"timeInForce": "IOC"}, -2010, "Unsupported order combination"),
        (
            {"type": "MARKET", "price": None, "timeInForce": None},
            -1106,
            "Parameter 'icebergQty' sent when not required.",
        ),
    ],
)
def test_a_bad_iceberg_gets_its_code(market, params, code, text):
    world = market()
    requested = {"price": 41000, "icebergQty": "0.1", **params}
    status, body = world.order("SELL", "1", **{"type": "LIMIT", "timeInForce": "GTC", **requested})
    assert (status, body) == (400, {"code": code, "msg": text})
    assert world.balance("BTC") == (10, 0)


def test_few_icebergs_may_be_open(market):
    world = market(max_iceberg_orders=1)
    assert iceberg(world, "SELL", "1", 41000, "0.3", type="LIMIT_MAKER", timeInForce=None)[0] == 200
    assert iceberg(world, "SELL", "1", 41000, "0.3")[1]["msg"] == "Filter failure: MAX_NUM_ICEBERG_ORDERS"
    assert world.order("SELL", "1", 41000)[0] == 200


def test_a_stop_may_be_an_iceberg(market):
    world = market()
    world.signed(
        "POST", "order", symbol="BTCUSDT", side="SELL", type="STOP_LOSS_LIMIT", quantity="1", price=39000,
        stopPrice=39500, timeInForce="GTC", icebergQty="0.25",
    )  # fmt: skip
    world.trade(39500)
    assert asks(world) == [["39000.00000000", "0.25000000"]]


def test_icebergs_keep_their_part_and_their_place_after_a_kill(market):
    """What two traders get is the same in a world without kills and in one that is killed before every order."""
    steady, log = market(), []

    def step(action):
        nonlocal log
        killed = market(log=log)
        for world in (steady, killed):
            action(world)
        log = killed.log
        assert asks(killed) == asks(steady) == asks(market(log=log))
        for who in ("ann", "bob", "cal"):
            assert market(log=log).balance("BTC", who) == steady.balance("BTC", who), who

    step(lambda world: iceberg(world, "SELL", "0.12", 41000, "0.05"))
    step(lambda world: iceberg(world, "SELL", "0.09", 41000, "0.02", who="bob"))
    step(lambda world: world.order("SELL", "0.03", 41000, who="bob"))
    for size in ("0.04", "0.02", "0.03", "0.01", "0.02", "0.05", "0.03"):
        step(lambda world, size=size: world.order("BUY", size, 41000, who="cal"))
    step(lambda world: world.signed("DELETE", "openOrders", symbol="BTCUSDT"))
    step(lambda world: world.order("BUY", "0.01", 41000, who="cal"))
