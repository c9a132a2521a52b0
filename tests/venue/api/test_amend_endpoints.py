"""Amend keep-priority: the exchange's FAQ of it played, refusals, reports, history, and a restart."""

import json
from decimal import Decimal

import pytest

from venue.base.settings import AccountSettings, FlowSettings, KeySettings, MarketSettings

STILL = FlowSettings(limit_rate=0, market_rate=0)


def account(name):
    key = KeySettings(api_key=f"key-{name}", secret=f"secret-{name}")
    balances = {"BTC": Decimal(100), "USDT": Decimal(10_000_000)}
    return AccountSettings(name=name, keys=[key], balances=balances)


@pytest.fixture
def faq(world):
    """The book of the FAQ: users a, you, b at one price, c below; ids by user."""
    market = MarketSettings(start_price=Decimal(87000), flow=STILL)
    one = world(markets=[market], accounts=[account(name) for name in ("a", "you", "b", "c", "eve")])
    orders = {}
    for who, size, price in (("a", "1", "87000"), ("you", "5.5", "87000"), ("b", "4", "87000"), ("c", "2", "86999")):
        orders[who] = one.order("BUY", size, price, who=who, newClientOrderId=f"of-{who}")[1]["orderId"]
    return one, orders


def amend(world, who="you", **params):
    return world.signed("PUT", "order/amend/keepPriority", who, symbol="BTCUSDT", **params)


def status(world, order_id, who="you"):
    return world.signed("GET", "order", who, symbol="BTCUSDT", orderId=order_id)[1]


def filled(world, orders):
    return {who: Decimal(status(world, order_id, who)["executedQty"]) for who, order_id in orders.items()}


def test_an_amended_order_keeps_its_place_in_the_queue(faq):
    world, orders = faq
    answered, body = amend(world, orderId=orders["you"], newQty="5")
    assert answered == 200, body
    assert (body["amendedOrder"]["orderId"], body["amendedOrder"]["qty"]) == (orders["you"], "5.00000000")
    assert world.get("depth", symbol="BTCUSDT")["bids"][0] == ["87000.00000000", "10.00000000"]
    assert world.balance("USDT", "you") == (10_000_000 - 435_000, 435_000)
    world.order("SELL", "5.5", "87000", who="eve")
    assert filled(world, orders) == {"a": 1, "you": Decimal("4.5"), "b": 0, "c": 0}


def test_cancel_and_replace_loses_the_place(faq):
    world, orders = faq
    params = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": orders["you"]}
    order = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "5", "price": "87000"}
    _, body = world.signed("POST", "order/cancelReplace", "you", symbol="BTCUSDT", **params, **order)
    orders["you"] = body["newOrderResponse"]["orderId"]
    world.order("SELL", "5.5", "87000", who="eve")
    assert filled(world, orders) == {"a": 1, "you": Decimal("0.5"), "b": 4, "c": 0}


def test_an_amendment_counts_as_no_order_and_has_a_weight(faq):
    world, orders = faq
    before = world.signed("GET", "rateLimit/order", "you")[1]
    used = world.exchange.limits.peer("127.0.0.1").weight.now(world.now_ns)
    amend(world, orderId=orders["you"], newQty="5")
    assert world.exchange.limits.peer("127.0.0.1").weight.now(world.now_ns) == used + 4
    assert world.signed("GET", "rateLimit/order", "you")[1] == before


def test_the_client_order_id_is_new_kept_or_random(faq):
    world, orders = faq
    _, body = amend(world, origClientOrderId="of-you", newQty="5")
    first = body["amendedOrder"]
    assert (first["origClientOrderId"], len(first["clientOrderId"])) == ("of-you", 22)
    assert amend(world, origClientOrderId="of-you", newQty="4")[1]["code"] == -2038
    _, body = amend(world, origClientOrderId=first["clientOrderId"], newQty="4", newClientOrderId="mine")
    assert body["amendedOrder"]["clientOrderId"] == "mine"
    _, body = amend(world, origClientOrderId="mine", newQty="3", newClientOrderId="mine")
    assert (body["amendedOrder"]["origClientOrderId"], body["amendedOrder"]["clientOrderId"]) == ("mine", "mine")
    world.order("BUY", "1", "80000", who="you", newClientOrderId="other")
    taken = amend(world, origClientOrderId="mine", newQty="2", newClientOrderId="other")
    assert taken == (400, {"code": -2038, "msg": "Duplicate order sent."})
    assert world.order("BUY", "1", "80000", who="you", newClientOrderId="of-you")[0] == 200, "the old id is free again"
    assert world.signed("DELETE", "order", "you", symbol="BTCUSDT", origClientOrderId="mine")[0] == 200
    assert status(world, orders["you"])["clientOrderId"] == "mine"


REFUSED = [
    ({"newQty": "5.5"}, -2038, "The requested action would change no state; rejecting"),
    ({"newQty": "6"}, -2038, "Order amend (quantity increase) is not supported."),
    ({"newQty": "0"}, -1013, "Filter failure: LOT_SIZE"),
    ({"newQty": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    ({"newQty": "0.00002"}, -1013, "Filter failure: NOTIONAL"),
    ({"newQty": "5", "orderId": 999_999}, -2038, "Unknown order sent."),
    ({"newQty": "5", "origClientOrderId": "of-b"}, -2039, "Client order ID is not correct for this order ID."),
    ({"newQty": None}, -1102, "Mandatory parameter 'newQty' was not sent, was empty/null, or malformed."),
    ({"newQty": "5", "orderId": None}, -1102, "Param 'origClientOrderId' or 'orderId' must be sent"),
    ({"newQty": "5", "newClientOrderId": "a b"}, -1100, "Illegal characters found in parameter 'newClientOrderId'"),
]


@pytest.mark.parametrize(("change", "code", "text"), REFUSED)
def test_a_refused_amendment_leaves_the_order_as_it_is(faq, change, code, text):
    world, orders = faq
    before = status(world, orders["you"])
    params = {k: v for k, v in {"orderId": orders["you"], **change}.items() if v is not None}
    answered, refused = amend(world, **params)
    assert (answered, refused["code"]) == (400, code)
    assert refused["msg"].startswith(text)
    assert status(world, orders["you"]) == before
    assert world.signed("GET", "order/amendments", "you", symbol="BTCUSDT", orderId=orders["you"]) == (200, [])


def test_another_accounts_order_is_unknown(faq):
    world, orders = faq
    assert amend(world, "eve", orderId=orders["you"], newQty="1")[1]["code"] == -2038


def test_a_symbol_may_forbid_it_or_limit_it(world):
    never = world(markets=[MarketSettings(flow=STILL, amend_allowed=False)])
    order_id = never.order("BUY", "1", "50000")[1]["orderId"]
    refused = amend(never, "ann", orderId=order_id, newQty="0.5")
    assert refused == (400, {"code": -2038, "msg": "Order amend is not supported for this symbol."})
    assert never.get("exchangeInfo")["symbols"][0]["amendAllowed"] is False
    twice = world(markets=[MarketSettings(flow=STILL, max_order_amends=2)])
    order_id = twice.order("BUY", "1", "50000")[1]["orderId"]
    answers = [amend(twice, "ann", orderId=order_id, newQty=size) for size in ("0.9", "0.8", "0.7")]
    assert [answered for answered, _ in answers] == [200, 200, 400]
    assert answers[2][1] == {"code": -2038, "msg": "Filter failure: MAX_NUM_ORDER_AMENDS"}
    rows = twice.get("exchangeInfo")["symbols"][0]["filters"]
    assert {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 2} in rows


def test_the_report_has_the_type_replaced_and_both_ids(faq):
    world, orders = faq
    conn_id = world.subscribe_user("you")
    _, body = amend(world, orderId=orders["you"], newQty="5", newClientOrderId="mine")
    events = [received["event"] for received in world.received(conn_id) if "event" in received]
    assert [event["e"] for event in events] == ["executionReport", "outboundAccountPosition"]
    report = events[0]
    assert (report["x"], report["X"], report["c"], report["C"]) == ("REPLACED", "NEW", "mine", "of-you")
    assert (report["q"], report["I"], report["w"]) == ("5.00000000", body["executionId"], True)
    assert report["T"] == body["transactTime"]


def test_the_history_of_an_order(faq):
    world, orders = faq
    for size in ("5", "4", "3"):
        world.advance(10)
        amend(world, orderId=orders["you"], newQty=size)

    def requested(**params):
        found, rows = world.signed("GET", "order/amendments", "you", symbol="BTCUSDT", **params)
        assert found == 200, rows
        return rows

    rows = requested(orderId=orders["you"])
    assert [(row["origQty"], row["newQty"]) for row in rows] == [
        ("5.50000000", "5.00000000"),
        ("5.00000000", "4.00000000"),
        ("4.00000000", "3.00000000"),
    ]
    assert [row["origClientOrderId"] for row in rows[1:]] == [row["newClientOrderId"] for row in rows[:-1]]
    assert requested(orderId=orders["you"], fromExecutionId=rows[1]["executionId"]) == rows[1:]
    assert requested(orderId=orders["you"], limit=1) == rows[:1]
    assert requested(orderId=orders["a"]) == []
    assert world.signed("GET", "order/amendments", "you", symbol="BTCUSDT")[1]["code"] == -1102


def test_a_partly_filled_order_amended_to_what_it_has_ends_and_costs_no_weight(faq):
    world, orders = faq
    world.order("SELL", "3", "87000", who="eve")
    conn_id = world.subscribe_user("you")
    used = world.exchange.limits.peer("127.0.0.1").weight.now(world.now_ns)
    _, body = amend(world, orderId=orders["you"], newQty="2")
    assert world.exchange.limits.peer("127.0.0.1").weight.now(world.now_ns) == used
    assert (body["amendedOrder"]["status"], body["amendedOrder"]["executedQty"]) == ("EXPIRED", "2.00000000")
    assert world.balance("USDT", "you")[1] == 0
    assert [received["event"]["X"] for received in world.received(conn_id) if "x" in received.get("event", {})] == [
        "EXPIRED"
    ]
    assert world.get("depth", symbol="BTCUSDT")["bids"][0] == ["87000.00000000", "4.00000000"]


def test_amendments_outlive_the_exchange(world, faq):
    first, orders = faq
    first.order("SELL", "2", "87000", who="eve")
    amend(first, orderId=orders["you"], newQty="5", newClientOrderId="mine")
    requested = {"symbol": "BTCUSDT", "orderId": orders["you"]}
    for log in (first.log, list(first.exchange.recovery.state())):
        second = world(markets=first.settings.markets, accounts=first.settings.accounts, log=log)
        assert status(second, orders["you"]) == status(first, orders["you"])
        history = second.signed("GET", "order/amendments", "you", **requested)
        assert history == first.signed("GET", "order/amendments", "you", **requested)
        assert second.signed("GET", "order", "you", symbol="BTCUSDT", origClientOrderId="mine")[0] == 200
        assert amend(second, orderId=orders["you"], newQty="3")[1]["amendedOrder"]["qty"] == "3.00000000"
        second.order("SELL", "2.5", "87000", who="eve")
        assert filled(second, orders) == {"a": 1, "you": 3, "b": Decimal("0.5"), "c": 0}, "first in the queue still"


def test_it_is_there_by_websocket_too(faq):
    world, orders = faq
    conn_id = world.open("/ws-api/v3")

    def requested(method, **params):
        params |= {"apiKey": "key-you", "symbol": "BTCUSDT", "timestamp": world.now_ns // 1_000_000}
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
        (answer,) = world.send(conn_id, id=7, method=method, params={**params, "signature": world.sign(payload, "you")})
        return answer

    amended = requested("order.amend.keepPriority", orderId=orders["you"], newQty="5")
    assert (amended["status"], amended["result"]["amendedOrder"]["qty"]) == (200, "5.00000000")
    assert [row["rateLimitType"] for row in amended["rateLimits"]] == ["REQUEST_WEIGHT"]
    (row,) = requested("order.amendments", orderId=orders["you"])["result"]
    assert row["executionId"] == amended["result"]["executionId"]
    assert requested("order.amend.keepPriority", orderId=orders["you"], newQty="5")["error"]["code"] == -2038


def test_the_answers_have_the_documents_keys_and_types(faq, recorded):
    world, orders = faq
    rows = json.loads(recorded("binance_docs/binance_docs_examples.json").read_text())["wsapi"]
    examples = {row["method"]: row["responses"][0].get("result") for row in rows if row["responses"]}
    _, body = amend(world, orderId=orders["you"], newQty="5")
    history = world.signed("GET", "order/amendments", "you", symbol="BTCUSDT", orderId=orders["you"])[1]

    def kinds(value):
        if isinstance(value, dict):
            return {key: kinds(inner) for key, inner in value.items()}
        return [kinds(inner) for inner in value] if isinstance(value, list) else type(value)

    assert kinds(body) == kinds(examples["order.amend.keepPriority"])
    assert kinds(history) == kinds(examples["order.amendments"])
