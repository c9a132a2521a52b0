"""Order lists answer with the keys and types of the docs' examples: REST, the websocket API and user events."""

import json

import pytest

WORKING = {
    "workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": "BUY",
    "workingPrice": 39500, "workingQuantity": "0.2",
}  # fmt: skip
ABOVE = {"AboveType": "LIMIT_MAKER", "AbovePrice": 41000}
BELOW_LIMIT = {
    "BelowType": "STOP_LOSS_LIMIT", "BelowStopPrice": 39000, "BelowPrice": 38900, "BelowTimeInForce": "GTC",
}  # fmt: skip
BELOW = {"BelowType": "STOP_LOSS", "BelowStopPrice": 39000}
SELL_MARKET = {"pendingType": "MARKET", "pendingSide": "SELL"}


def pending(*parts, **more):
    joined = {f"pending{name}": value for part in parts for name, value in part.items()}
    return {**WORKING, **joined, "pendingSide": "SELL", **more}


def oco(*parts, **more):
    joined = {name[0].lower() + name[1:]: value for part in parts for name, value in part.items()}
    return {**joined, "side": "SELL", "quantity": "0.5", **more}


OLD = {"side": "SELL", "quantity": "0.5", "price": 41000, "stopPrice": 39000}
OLD |= {"stopLimitPrice": 38900, "stopLimitTimeInForce": "GTC"}
PLACED = [
    # method, path, what makes it look as in the REST docs, and in those of the websocket API
    ("orderList.place", "order/oco", None, OLD),
    ("orderList.place.oco", "orderList/oco", oco(ABOVE, BELOW_LIMIT, belowIcebergQty="0.1"), oco(ABOVE, BELOW_LIMIT)),
    ("orderList.place.oto", "orderList/oto", *[{**WORKING, **SELL_MARKET, "pendingQuantity": "0.1"}] * 2),
    (
        "orderList.place.otoco",
        "orderList/otoco",
        pending(ABOVE, BELOW_LIMIT, pendingQuantity="0.1"),
        pending(ABOVE, BELOW, pendingQuantity="0.1"),
    ),
    ("orderList.place.opo", "orderList/opo", *[{**WORKING, **SELL_MARKET}] * 2),
    ("orderList.place.opoco", "orderList/opoco", *[pending(ABOVE, BELOW_LIMIT)] * 2),
]


def shape(value):
    """Keys and types, all the way down; lists as the shapes of their items."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


@pytest.fixture
def docs(recorded):
    return json.loads(recorded("binance_docs/binance_docs_examples.json").read_text())


@pytest.fixture
def rest(docs):
    """The example of a REST endpoint."""
    return lambda name: next(row["examples"][0] for row in docs["rest"] if row["endpoint"] == name)


@pytest.fixture
def ws(docs):
    """The example of a result of the websocket API."""
    return lambda name: next(row["responses"][0]["result"] for row in docs["wsapi"] if row["method"] == name)


@pytest.mark.parametrize(("method", "path", "rest_params", "ws_params"), PLACED)
def test_placing_looks_as_in_the_docs(market, rest, ws, method, path, rest_params, ws_params):
    world = market()
    if rest_params is not None:  # the docs show no answer of the old endpoint
        status, placed = world.signed("POST", path, symbol="BTCUSDT", newOrderRespType="RESULT", **rest_params)
        assert status == 200, placed
        assert shape(placed) == shape(rest(f"POST /api/v3/{path}"))
    conn_id = world.open("/ws-api/v3")
    answer = world.call(conn_id, method, symbol="BTCUSDT", newOrderRespType="RESULT", **ws_params)
    assert answer["status"] == 200, answer
    assert shape(answer["result"]) == shape(ws(method))
    assert [row["rateLimitType"] for row in answer["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]


def test_canceling_and_looking_up_look_as_in_the_docs(market, rest, ws):
    world = market(max_algo_orders=50)
    conn_id = world.open("/ws-api/v3")

    def placed(**more):
        return world.signed("POST", "orderList/oco", symbol="BTCUSDT", **oco(ABOVE, BELOW_LIMIT, **more))[1]

    one = placed()
    assert shape(world.signed("GET", "orderList", orderListId=one["orderListId"])[1]) == shape(
        rest("GET /api/v3/orderList")
    )
    found = world.call(conn_id, "orderList.status", orderListId=one["orderListId"])["result"]
    assert shape(found) == shape(ws("orderList.status"))
    for path, method in (("openOrderList", "openOrderLists.status"), ("allOrderList", "allOrderLists")):
        assert shape(world.signed("GET", path)[1][0]) == shape(rest(f"GET /api/v3/{path}")[0])
        assert shape(world.call(conn_id, method)["result"][0]) == shape(ws(method)[0])
    _, canceled = world.signed("DELETE", "orderList", symbol="BTCUSDT", orderListId=one["orderListId"])
    assert shape(canceled) == shape(rest("DELETE /api/v3/orderList"))
    one = placed()
    answer = world.call(conn_id, "orderList.cancel", symbol="BTCUSDT", orderListId=one["orderListId"])["result"]
    for report in answer["orderReports"]:  # which the websocket docs alone leave out
        assert report.pop("origClientOrderId")
    assert shape(answer) == shape(ws("orderList.cancel"))
    world.order("SELL", "0.1", 42000)
    world.order("SELL", "0.1", 42000)
    placed(belowIcebergQty="0.1", aboveIcebergQty="0.1")
    assert shape(world.signed("DELETE", "openOrders", symbol="BTCUSDT")[1]) == shape(rest("DELETE /api/v3/openOrders"))


def test_the_user_event_looks_as_in_the_docs(market, docs):
    world = market()
    ear = world.subscribe_user()
    world.signed("POST", "orderList/oco", symbol="BTCUSDT", **oco(ABOVE, BELOW_LIMIT))
    [reported] = [message for message in world.received(ear) if message.get("event", {}).get("e") == "listStatus"]
    [example] = [row for row in docs["user"] if row["event"]["e"] == "listStatus"]
    assert shape(reported) == shape(example)
