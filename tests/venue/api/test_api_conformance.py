"""Every endpoint of the documents, over HTTP and the websocket API: the documented keys, types and weights.

A case is one request. Its answer must have the shape of one of the documented examples, recursively, and weigh what
the documents have. `{first}` and the like in parameters are ids of the scene that each case starts with.
"""

import json
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from venue.api.dispatch import BY_ROUTE
from venue.api.requests.allowed_params import PARAMS
from venue.api.requests.endpoint import PUBLIC
from venue.base.settings import MarketSettings, ReferenceSettings

# What is documented and not served (yet), and its method of the websocket API. An entry that is served is a failure:
# take it out, and its cases below are tried.
MISSING = {
    # No symbol has smart order routing
    "POST /api/v3/sor/order": "sor.order.place",
    "POST /api/v3/sor/order/test": "sor.order.test",
}
# Lists that may be empty, and keys that may be there or not, by the documents' own words.
OPTIONAL = frozenset(("sors", "exchangeFilters", "assetFilters", "rules", "filters", "symbolFilters", "permissionSets"))
NEVER_FILLED = {"GET /api/v3/historicalBlockTrades", "GET /api/v3/myAllocations"}
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "50000"}
PAIR = '["BTCUSDT","ETHUSDT"]'
BELOW = {"belowType": "LIMIT_MAKER", "belowPrice": "50000"}
ABOVE = {"aboveType": "STOP_LOSS_LIMIT", "aboveStopPrice": "62000", "abovePrice": "62100", "aboveTimeInForce": "GTC"}
OCO = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1", **ABOVE, **BELOW, "newOrderRespType": "RESULT"}
WORKING = {
    "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "50000", "workingQuantity": "1",
    "workingTimeInForce": "GTC", "newOrderRespType": "RESULT",
}  # fmt: skip
PENDING = {"pendingSide": "SELL", "pendingQuantity": "1"}
PENDING_ONE = {"pendingType": "LIMIT", "pendingPrice": "65000", "pendingTimeInForce": "GTC", "pendingSide": "SELL"}
PENDING_TWO = {
    "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "65000", "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "40000",
}  # fmt: skip
REPLACE = {**LIMIT, "price": "50001", "cancelReplaceMode": "STOP_ON_FAILURE"}


class Case(NamedTuple):
    """One request to an endpoint, and what it must weigh."""

    endpoint: str
    weight: int
    params: dict[str, str] = {}
    status: int = 200


CASES = [
    Case("GET /api/v3/ping", 1),
    Case("GET /api/v3/time", 1),
    Case("GET /api/v3/exchangeInfo", 20),
    Case("GET /api/v3/exchangeInfo", 20, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/executionRules", 40),
    Case("GET /api/v3/executionRules", 40, {"symbolStatus": "TRADING"}),
    Case("GET /api/v3/executionRules", 2, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/executionRules", 4, {"symbols": PAIR}),
    Case("GET /api/v3/depth", 5, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/depth", 5, {"symbol": "BTCUSDT", "limit": "100"}),
    Case("GET /api/v3/depth", 25, {"symbol": "BTCUSDT", "limit": "500"}),
    Case("GET /api/v3/depth", 50, {"symbol": "BTCUSDT", "limit": "1000"}),
    Case("GET /api/v3/depth", 250, {"symbol": "BTCUSDT", "limit": "6000"}),
    Case("GET /api/v3/trades", 25, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/historicalTrades", 25, {"symbol": "BTCUSDT", "fromId": "1"}),
    Case("GET /api/v3/historicalBlockTrades", 25, {"symbol": "BTCUSDT", "fromId": "1"}),
    Case("GET /api/v3/aggTrades", 4, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/klines", 2, {"symbol": "BTCUSDT", "interval": "1m"}),
    Case("GET /api/v3/uiKlines", 2, {"symbol": "BTCUSDT", "interval": "1d", "timeZone": "5:45"}),
    Case("GET /api/v3/avgPrice", 2, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/ticker/24hr", 2, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/ticker/24hr", 2, {"symbol": "BTCUSDT", "type": "MINI"}),
    Case("GET /api/v3/ticker/24hr", 2, {"symbols": PAIR}),
    Case("GET /api/v3/ticker/24hr", 80, {"type": "MINI"}),
    Case("GET /api/v3/ticker/tradingDay", 4, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/ticker/tradingDay", 8, {"symbols": PAIR}),
    Case("GET /api/v3/ticker/tradingDay", 4, {"symbol": "BTCUSDT", "type": "MINI"}),
    Case("GET /api/v3/ticker/tradingDay", 8, {"symbols": PAIR, "type": "MINI"}),
    Case("GET /api/v3/ticker/price", 2, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/ticker/price", 4, {"symbols": PAIR}),
    Case("GET /api/v3/ticker/price", 4),
    Case("GET /api/v3/ticker/bookTicker", 2, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/ticker/bookTicker", 4, {"symbols": PAIR}),
    Case("GET /api/v3/ticker/bookTicker", 4),
    Case("GET /api/v3/ticker", 4, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/ticker", 8, {"symbols": PAIR, "windowSize": "7d"}),
    Case("GET /api/v3/ticker", 4, {"symbol": "BTCUSDT", "type": "MINI", "windowSize": "59m"}),
    Case("GET /api/v3/ticker", 8, {"symbols": PAIR, "type": "MINI", "windowSize": "23h"}),
    Case("GET /api/v3/referencePrice", 2, {"symbol": "ETHUSDT"}),
    Case("GET /api/v3/referencePrice", 2, {"symbol": "BTCUSDT"}, 400),
    Case("GET /api/v3/referencePrice/calculation", 2, {"symbol": "ETHUSDT"}),
    Case("GET /api/v3/referencePrice/calculation", 2, {"symbol": "BTCUSDT"}, 400),
    Case("POST /api/v3/order", 0, {**LIMIT, "newOrderRespType": "ACK"}),
    Case("POST /api/v3/order", 0, {**LIMIT, "newOrderRespType": "RESULT"}),
    Case("POST /api/v3/order", 0, {**LIMIT, "price": "60200"}),
    Case("POST /api/v3/order", 0, {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "600"}),
    Case("POST /api/v3/order/test", 1, LIMIT),
    Case("POST /api/v3/order/test", 20, {**LIMIT, "computeCommissionRates": "true"}),
    Case("DELETE /api/v3/order", 0, {"symbol": "BTCUSDT", "orderId": "{first}"}),
    Case("DELETE /api/v3/openOrders", 0, {"symbol": "BTCUSDT"}),
    Case("POST /api/v3/order/cancelReplace", 0, {**REPLACE, "cancelOrderId": "{first}"}),
    Case("POST /api/v3/order/cancelReplace", 1, {**REPLACE, "cancelOrderId": "99999"}, 400),
    Case(
        "POST /api/v3/order/cancelReplace", 1,
        {**REPLACE, "cancelOrderId": "99999", "cancelReplaceMode": "ALLOW_FAILURE", "newOrderRespType": "ACK"}, 409,
    ),
    Case(
        "POST /api/v3/order/cancelReplace", 1,
        {**REPLACE, "cancelOrderId": "{first}", "quantity": "100"}, 409,
    ),
    Case("PUT /api/v3/order/amend/keepPriority", 4, {"symbol": "BTCUSDT", "orderId": "{first}", "newQty": "0.5"}),
    Case("POST /api/v3/order/oco", 0, {
        "symbol": "BTCUSDT", "side": "BUY", "quantity": "1", "price": "50000", "stopPrice": "62000",
        "stopLimitPrice": "62100", "stopLimitTimeInForce": "GTC", "newOrderRespType": "RESULT",
    }),
    Case("POST /api/v3/orderList/oco", 0, OCO),
    Case("POST /api/v3/orderList/oto", 0, {**WORKING, **PENDING_ONE, "pendingQuantity": "1"}),
    Case("POST /api/v3/orderList/otoco", 0, {**WORKING, **PENDING, **PENDING_TWO}),
    Case("POST /api/v3/orderList/opo", 0, {**WORKING, **PENDING_ONE}),
    Case("POST /api/v3/orderList/opoco", 0, {**WORKING, "pendingSide": "SELL", **PENDING_TWO}),
    Case("DELETE /api/v3/orderList", 0, {"symbol": "BTCUSDT", "orderListId": "{list}"}),
    Case("POST /api/v3/sor/order", 0, LIMIT),
    Case("POST /api/v3/sor/order/test", 1, LIMIT),
    Case("GET /api/v3/account", 20),
    Case("GET /api/v3/order", 4, {"symbol": "BTCUSDT", "orderId": "{first}"}),
    Case("GET /api/v3/openOrders", 6, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/openOrders", 80),
    Case("GET /api/v3/allOrders", 20, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/orderList", 4, {"orderListId": "{list}"}),
    Case("GET /api/v3/allOrderList", 20),
    Case("GET /api/v3/openOrderList", 6),
    Case("GET /api/v3/myTrades", 20, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/myTrades", 5, {"symbol": "BTCUSDT", "orderId": "{filled}"}),
    Case("GET /api/v3/rateLimit/order", 40),
    Case("GET /api/v3/myPreventedMatches", 20, {"symbol": "BTCUSDT", "orderId": "{prevented}"}),
    Case("GET /api/v3/myPreventedMatches", 2, {"symbol": "BTCUSDT", "preventedMatchId": "1"}),
    Case("GET /api/v3/myAllocations", 20, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/account/commission", 20, {"symbol": "BTCUSDT"}),
    Case("GET /api/v3/order/amendments", 4, {"symbol": "BTCUSDT", "orderId": "{amended}"}),
    Case("GET /api/v3/myFilters", 40, {"symbol": "BTCUSDT"}),
]  # fmt: skip
SERVED = [pytest.param(case, id=f"{n}-{case.endpoint}") for n, case in enumerate(CASES) if case.endpoint not in MISSING]


@pytest.fixture
def scene(world):
    """Two markets with trades; ann has one open and one filled order; and the ids, by their name in the cases."""
    second = MarketSettings(
        symbol="ETH-USDT", flow=world().settings.markets[0].flow, reference_price=ReferenceSettings()
    )
    one = world(markets=[world().settings.markets[0], second])
    one.exchange.accounts.by_name["bob"].balance("ETH").free = 10**9
    for symbol in ("BTCUSDT", "ETHUSDT"):
        for price in ("60000", "60100", "60200"):
            assert one.order("SELL", "1", price, who="bob", symbol=symbol)[0] == 200
        one.order("BUY", "1", "55000", who="bob", symbol=symbol)
    first = one.order("BUY", "1", "50000", newClientOrderId="rests")[1]["orderId"]
    one.order("BUY", "0.1", "60000", symbol="ETHUSDT")
    filled = one.order("BUY", "1.2")[1]["orderId"]
    ids = {"first": first, "filled": filled}
    if ("PUT", "/api/v3/order/amend/keepPriority") in BY_ROUTE:
        ids["amended"] = one.order("BUY", "1", "50000")[1]["orderId"]
        one.signed("PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=ids["amended"], newQty="0.5")
    if ("GET", "/api/v3/myPreventedMatches") in BY_ROUTE:
        one.order("SELL", "1", "60150")
        ids["prevented"] = one.order("BUY", "3", "60150", selfTradePreventionMode="EXPIRE_MAKER")[1]["orderId"]
    if ("POST", "/api/v3/orderList/oco") in BY_ROUTE:
        ids["list"] = one.signed("POST", "orderList/oco", **OCO)[1]["orderListId"]
    one.advance(1000)
    return one, ids


def params_of(case: Case, ids: dict[str, int]) -> dict[str, str]:
    return {name: value.format(**ids) if value.startswith("{") else value for name, value in case.params.items()}


def weight_used(one: Any) -> int:
    return one.exchange.limits.peer("127.0.0.1").weight.now(one.now_ns)


def rest_examples(documented: dict, endpoint: str) -> list:
    """The REST examples; those of the websocket API where the REST page has none that is valid JSON."""
    found = next(row["examples"] for row in documented["rest"] if row["endpoint"] == endpoint)
    same = BY_ROUTE.get(tuple(endpoint.split()))
    return found + (ws_examples(documented, same.ws_method) if same and same.ws_method else [])


def ws_examples(documented: dict, method: str) -> list:
    rows = [row for row in documented["wsapi"] if row["method"] == method]
    return [one.get("result", one.get("error")) for row in rows for one in row["responses"]]


def test_every_documented_endpoint_has_a_case(documented):
    assert {row["endpoint"] for row in documented["rest"]} == {case.endpoint for case in CASES}
    assert {case.endpoint for case in CASES} - set(PARAMS) == {"POST /api/v3/sor/order", "POST /api/v3/sor/order/test"}


def test_what_is_listed_as_missing_is_missing():
    assert {f"{method} {path}" for method, path in BY_ROUTE} & set(MISSING) == set()


@pytest.mark.parametrize("case", SERVED)
def test_the_answer_and_its_weight_are_the_documented_ones(scene, documented, misfit, case):
    one, ids = scene
    method, path = case.endpoint.split()
    before, params = weight_used(one), params_of(case, ids)
    if BY_ROUTE[method, path].security == PUBLIC:
        answer = one.request(method, path, urlencode(params))
        status, body = answer.status, json.loads(answer.body)
    else:
        status, body = one.signed(method, path.removeprefix("/api/v3/"), **params)
    assert (status, weight_used(one) - before) == (case.status, case.weight), body
    if case.endpoint not in NEVER_FILLED:
        assert misfit(body, rest_examples(documented, case.endpoint), optional=OPTIONAL) is None


@pytest.mark.parametrize("case", SERVED)
def test_the_websocket_api_answers_the_same(scene, documented, misfit, case):
    one, ids = scene
    endpoint = BY_ROUTE[tuple(case.endpoint.split())]
    conn_id, params = one.open("/ws-api/v3"), params_of(case, ids)
    before = weight_used(one)
    params = {name: json.loads(value) if value.startswith("[") else value for name, value in params.items()}
    if endpoint.security != PUBLIC:
        params |= {"apiKey": "key-ann", "timestamp": one.now_ns // 1_000_000}
        params["signature"] = one.sign("&".join(f"{name}={params[name]}" for name in sorted(params)))
    *_, answer = one.send(conn_id, id="x", method=endpoint.ws_method, params=params)
    assert (answer["id"], answer["status"], weight_used(one) - before) == ("x", case.status, case.weight), answer
    examples = ws_examples(documented, endpoint.ws_method) + rest_examples(documented, case.endpoint)
    if case.endpoint not in NEVER_FILLED:
        assert misfit(answer.get("result", answer.get("error")), examples, optional=OPTIONAL) is None


@pytest.mark.parametrize("case", SERVED)
def test_a_plain_number_as_documented_weight_is_ours(documented, case):
    reported = next(row["weight"] for row in documented["rest"] if row["endpoint"] == case.endpoint)
    endpoint = BY_ROUTE[tuple(case.endpoint.split())]
    if reported is not None and reported.isdigit():
        assert case.weight == int(reported) or (endpoint.is_free and case.weight == 0)


def test_every_method_of_the_websocket_api_is_there(documented):
    """Sessions and subscriptions have tests of their own."""
    methods = {row["method"] for row in documented["wsapi"] if not row["method"].startswith(("session.", "userData"))}
    served = {endpoint.ws_method for endpoint in BY_ROUTE.values() if endpoint.ws_method}
    assert methods - served == set(MISSING.values())
    assert served <= methods


def test_a_misfit_is_seen(misfit):
    """The comparison itself: a key more or less, another type, an empty list, however deep."""
    example = {"a": 1, "b": [{"c": "x", "d": None}], "e": True}
    assert misfit({"a": 2, "b": [{"c": "", "d": None}], "e": False}, [{}, example]) is None
    for wrong in (
        {"a": 1, "b": [{"c": "x", "d": None}]},
        {**example, "f": 1},
        {**example, "a": "1"},
        {**example, "a": True},
        {**example, "b": []},
        {**example, "b": [{"c": "x", "d": None}, {"c": 1, "d": None}]},
        {**example, "b": [{"c": "x"}]},
        [example],
    ):
        assert misfit(wrong, [example])
