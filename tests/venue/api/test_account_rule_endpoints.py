"""Endpoints about an account's rules: answers in the documented shapes, by REST and websocket."""

import json
from decimal import Decimal as D

import pytest

from venue.base.settings import AccountSettings, FlowSettings, KeySettings, MarketSettings

STILL = FlowSettings(limit_rate=0, market_rate=0)


@pytest.fixture
def examples(recorded):
    """(REST examples by endpoint, websocket results by method)"""
    docs = json.loads(recorded("binance_docs/binance_docs_examples.json").read_text())
    rest = {row["endpoint"]: row["examples"] for row in docs["rest"]}
    answered = [row for row in docs["wsapi"] if row["responses"]]
    return rest, {row["method"]: [one.get("result") for one in row["responses"]] for row in answered}


@pytest.fixture
def one(world):
    """Ann may move so much BTC in one order; her own bid has kept her own sell order from trading."""
    key = KeySettings(api_key="key-ann", secret="secret-ann")
    balances = {"BTC": D(10), "USDT": D(1_000_000), "ETH": D(0)}
    ann = AccountSettings(name="ann", keys=[key], balances=balances, max_asset={"BTC": D(5)}, trade_group_id=1)
    made = world(markets=[MarketSettings(flow=STILL)], accounts=[ann], max_orders=1000)
    made.order("BUY", "1", "60000")
    made.order("SELL", "1", "60000", selfTradePreventionMode="EXPIRE_MAKER")
    return made


def kinds(value):
    """Keys and types; of a list of objects those of the first."""
    if isinstance(value, dict):
        return {key: kinds(inner) for key, inner in value.items()}
    return [kinds(value[0])] if isinstance(value, list) and value else type(value)


def ask(world, method, **params):
    """The result of a signed websocket request."""
    conn_id = world.open("/ws-api/v3")
    params |= {"apiKey": "key-ann", "timestamp": world.now_ns // 1_000_000}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    (answer,) = world.send(conn_id, id=1, method=method, params={**params, "signature": world.sign(payload)})
    assert answer["status"] == 200, answer
    return answer["result"]


def both(world, path, method, **params):
    """The answer by REST, which the one by websocket equals."""
    status, body = world.signed("GET", path, **params)
    assert status == 200, body
    assert ask(world, method, **params) == body
    return body


def test_commission_has_the_documents_shape(one, examples):
    rest, ws = examples
    body = both(one, "account/commission", "account.commission", symbol="BTCUSDT")
    assert kinds(body) == kinds(rest["GET /api/v3/account/commission"][0]) == kinds(ws["account.commission"][0])
    assert body["standardCommission"]["maker"] == "0.00100000"
    assert one.signed("GET", "account/commission")[1]["code"] == -1102


def test_a_test_order_has_the_documents_shape_and_weighs_more_with_rates(one, examples):
    rest, ws = examples
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "6e4"}
    order["price"] = "60000"
    weight = one.exchange.limits.peer("127.0.0.1").weight
    used = weight.now(one.now_ns)
    assert one.signed("POST", "order/test", **order) == (200, rest["POST /api/v3/order/test"][0])
    assert weight.now(one.now_ns) == used + 1
    body = one.signed("POST", "order/test", computeCommissionRates="true", **order)[1]
    assert weight.now(one.now_ns) == used + 21
    assert kinds(body) == kinds(rest["POST /api/v3/order/test"][1]) == kinds(ws["order.test"][1])
    assert ask(one, "order.test", computeCommissionRates="true", **order) == body


def test_my_filters_has_the_documents_shape(one, examples):
    rest, ws = examples
    body = both(one, "myFilters", "myFilters", symbol="BTCUSDT")
    (example,) = rest["GET /api/v3/myFilters"]
    assert example == ws["myFilters"][0]
    assert body.keys() == example.keys()
    assert kinds(body["exchangeFilters"]) == kinds(example["exchangeFilters"])
    assert kinds(body["assetFilters"]) == kinds(example["assetFilters"])
    assert body["assetFilters"] == [{"filterType": "MAX_ASSET", "asset": "BTC", "limit": "5.00000000"}]
    (info,) = one.get("exchangeInfo")["symbols"]
    assert body["symbolFilters"], "those that count or limit what the account has"
    assert all(row in info["filters"] and row["filterType"].startswith("MAX_") for row in body["symbolFilters"])


def test_prevented_matches_have_the_documents_shape(one, examples):
    _, ws = examples
    body = both(one, "myPreventedMatches", "myPreventedMatches", symbol="BTCUSDT", orderId=2)
    assert kinds(body) == kinds(ws["myPreventedMatches"][0])
    assert (body[0]["takerOrderId"], body[0]["makerOrderId"], body[0]["tradeGroupId"]) == (2, 1, 1)


def test_prevented_matches_weigh_more_by_order(one):
    weight = one.exchange.limits.peer("127.0.0.1").weight
    used = weight.now(one.now_ns)
    one.signed("GET", "myPreventedMatches", symbol="BTCUSDT", preventedMatchId=1)
    assert weight.now(one.now_ns) == used + 2
    one.signed("GET", "myPreventedMatches", symbol="BTCUSDT", orderId=1)
    assert weight.now(one.now_ns) == used + 22


def test_there_are_no_allocations_without_smart_order_routing(one):
    assert both(one, "myAllocations", "myAllocations", symbol="BTCUSDT", orderId=1) == []
    assert one.signed("GET", "myAllocations", symbol="BTCUSDT", startTime=1, endTime=2) == (200, [])
    assert one.signed("GET", "myAllocations", symbol="BTCUSDT", startTime=1, endTime=10**9)[1]["code"] == -1127
    assert one.signed("GET", "myAllocations", symbol="BTCUSDT", startTime=1, orderId=1)[1]["code"] == -1128
    assert one.signed("GET", "myAllocations", symbol="NONE")[1]["code"] == -1121


def test_the_account_has_the_documents_shape_and_may_leave_out_what_is_zero(one, examples):
    rest, _ = examples
    body = both(one, "account", "account.status")
    assert body.pop("tradeGroupId") == 1
    assert kinds(body) == kinds(rest["GET /api/v3/account"][0])
    assert {row["asset"] for row in body["balances"]} == {"BTC", "USDT", "ETH"}
    body = both(one, "account", "account.status", omitZeroBalances="true")
    assert {row["asset"] for row in body["balances"]} == {"BTC", "USDT"}


def test_order_counts_have_the_documents_shape(one, examples):
    _, ws = examples
    body = both(one, "rateLimit/order", "account.rateLimits.orders")
    assert kinds(body) == kinds(ws["account.rateLimits.orders"][0])
