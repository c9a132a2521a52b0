"""The websocket API: logon, user data, orders as methods, and user events."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from venue.base import demo


def signed(world, who="ann", **params):
    params |= {"apiKey": f"key-{who}", "timestamp": world.now_ns // 1_000_000}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return {**params, "signature": world.sign(payload, who)}


ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "1",
}


def test_an_order_is_placed_queried_and_canceled(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws-api/v3")
    (placed,) = world.send(conn_id, id="a", method="order.place", params=signed(world, **ORDER))
    assert (placed["id"], placed["status"], placed["result"]["status"]) == ("a", 200, "NEW")
    assert [row["rateLimitType"] for row in placed["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    named = {"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]}
    (found,) = world.send(conn_id, id=None, method="order.status", params=signed(world, **named))
    assert (found["id"], found["result"]["status"]) == (None, "NEW")
    (canceled,) = world.send(conn_id, id=3, method="v3/order.cancel", params=signed(world, **named))
    assert canceled["result"]["status"] == "CANCELED"
    (again,) = world.send(conn_id, id=4, method="order.cancel", params=signed(world, **named))
    assert (again["status"], again["error"]) == (400, {"code": -2011, "msg": "Unknown order sent."})


def test_public_methods_need_no_key(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws-api/v3", "returnRateLimits=false")
    assert world.send(conn_id, id=1, method="ping") == [{"id": 1, "status": 200, "result": {}}]
    (time,) = world.send(conn_id, id=2, method="time", params={"returnRateLimits": True})
    assert time["result"] == {"serverTime": world.now_ns // 1_000_000}
    assert time["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
    (book,) = world.send(conn_id, id=3, method="depth", params={"symbol": "BTCUSDT", "limit": 5})
    assert set(book["result"]) == {"lastUpdateId", "bids", "asks"}
    (many,) = world.send(conn_id, id=4, method="ticker.price", params={"symbols": ["BTCUSDT"]})
    assert [row["symbol"] for row in many["result"]] == ["BTCUSDT"]
    (unknown,) = world.send(conn_id, id=5, method="order.wish")
    assert unknown["status"] == 400


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"id":1}', '{"id":{},"method":"ping"}', "\x00", '{"id":1,"method":"ping","params":[]}'],
)
def test_invalid_frames_are_answered_and_change_nothing(ann_and_bob, text):
    world = ann_and_bob
    conn_id = world.open("/ws-api/v3")
    world.exchange.receive(conn_id, text, world.now_ns)
    world._settle()
    assert world.received(conn_id)[-1]["error"]["code"] == -1135
    assert world.send(conn_id, id=1, method="ping")[0]["status"] == 200


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"id":"x","method":"ping","params":[]}', "x"),
        ('{"id":7}', 7),
        ('{"id":{},"method":"ping"}', None),
        ("{", None),
    ],
)
def test_an_invalid_request_is_answered_with_its_id_if_it_has_one(ann_and_bob, text, name):
    world = ann_and_bob
    conn_id = world.open("/ws-api/v3")
    world.exchange.receive(conn_id, text, world.now_ns)
    world._settle()
    error = {"code": -1135, "msg": "Invalid JSON Request"}
    assert world.received(conn_id)[-1] == {"id": name, "status": 400, "error": error}


def test_an_unknown_method_is_not_supported(ann_and_bob):
    world = ann_and_bob
    (answer,) = world.send(world.open("/ws-api/v3"), id=1, method="userDataStream.start")
    assert answer["error"] == {"code": -1020, "msg": "This operation is not supported."}


def test_the_answers_about_sessions_have_the_documented_shape(world, documented, misfit):
    one = world(accounts=demo.accounts())
    conn_id, stamp = one.open("/ws-api/v3"), one.now_ns // 1_000_000
    requested = {"apiKey": demo.MAKER_KEY, "timestamp": stamp}
    payload = f"apiKey={demo.MAKER_KEY}&timestamp={stamp}"
    requested["signature"] = hmac.new(demo.MAKER_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    seen = set()
    for method, params in (
        ("session.logon", requested),
        ("session.status", {}),
        ("userDataStream.subscribe", {}),
        ("session.subscriptions", {}),
        ("userDataStream.unsubscribe", {}),
        ("userDataStream.subscribe.signature", requested),
        ("session.logout", {}),
    ):
        examples = [row for rows in documented["wsapi"] if rows["method"] == method for row in rows["responses"]]
        before = one.exchange.limits.peer("127.0.0.1").weight.now(one.now_ns)
        *events, answer = one.send(conn_id, id=method, method=method, params=params)
        assert answer.pop("rateLimits")
        assert misfit(answer, examples) is None
        assert one.exchange.limits.peer("127.0.0.1").weight.now(one.now_ns) - before == 2
        seen.add(method)
        if method == "userDataStream.unsubscribe":
            example = next(row for row in documented["user"] if row["event"]["e"] == "eventStreamTerminated")
            assert [misfit(event, [example]) for event in events] == [None]
    known = {row["method"] for row in documented["wsapi"]}
    assert seen == {method for method in known if method.startswith(("session.", "userData"))}


def test_a_session_counts_every_subscription_and_logs_out_of_its_own_alone(world):
    one = world(accounts=demo.accounts())
    conn_id, stamp = one.open("/ws-api/v3"), one.now_ns // 1_000_000

    def by(key, secret):
        payload = f"apiKey={key}&timestamp={stamp}"
        signature = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        return {"apiKey": key, "timestamp": stamp, "signature": signature}

    one.send(
        conn_id, id=1, method="userDataStream.subscribe.signature", params=by(demo.EXTERNAL_KEY, demo.EXTERNAL_SECRET)
    )
    (status,) = one.send(conn_id, id=2, method="session.status")
    assert (status["result"]["userDataStream"], status["result"]["apiKey"]) == (True, None)
    one.send(conn_id, id=3, method="session.logon", params=by(demo.MAKER_KEY, demo.MAKER_SECRET))
    assert one.send(conn_id, id=4, method="userDataStream.subscribe")[0]["result"] == {"subscriptionId": 1}
    ended, out = one.send(conn_id, id=5, method="session.logout")
    assert (ended["subscriptionId"], ended["event"]["e"]) == (1, "eventStreamTerminated")
    assert out["result"]["userDataStream"] is True
    assert one.send(conn_id, id=6, method="session.subscriptions")[0]["result"] == [{"subscriptionId": 0}]


def test_logon_with_ed25519_then_orders_without_signature(world):
    one = world(accounts=demo.accounts())
    conn_id = one.open("/ws-api/v3")
    stamp = one.now_ns // 1_000_000
    private = load_pem_private_key(demo.ED25519_PRIVATE_PEM.encode(), None)
    payload = f"apiKey={demo.ED25519_KEY}&timestamp={stamp}"
    signature = base64.b64encode(private.sign(payload.encode())).decode()
    logon = {"apiKey": demo.ED25519_KEY, "timestamp": stamp, "signature": signature}
    (subscribed,) = one.send(conn_id, id=0, method="userDataStream.subscribe")
    assert subscribed["status"] == 401
    (answer,) = one.send(conn_id, id=1, method="session.logon", params=logon)
    assert answer["result"]["apiKey"] == demo.ED25519_KEY
    (subscribed,) = one.send(conn_id, id=2, method="userDataStream.subscribe")
    assert subscribed["result"] == {"subscriptionId": 0}
    assert one.send(conn_id, id=3, method="session.status")[0]["result"]["userDataStream"] is True
    placed, *events = one.send(conn_id, id=4, method="order.place", params={**ORDER, "timestamp": stamp})[::-1]
    assert placed["status"] == 200
    assert {event["event"]["e"] for event in events} == {"executionReport", "outboundAccountPosition"}
    assert (
        one.send(conn_id, id=5, method="order.place", params={**ORDER, "timestamp": stamp - 9000})[0]["error"]["code"]
        == -1021
    )
    *ended, out = one.send(conn_id, id=6, method="session.logout")
    assert ended[0]["event"]["e"] == "eventStreamTerminated"
    assert out["result"]["apiKey"] is None
    assert (
        one.send(conn_id, id=7, method="order.place", params={**ORDER, "timestamp": stamp})[0]["error"]["code"] == -1102
    )


@pytest.mark.parametrize("allowed", [True, False])
def test_logon_with_hmac_is_a_switch(world, allowed):
    one = world(accounts=demo.accounts(), hmac_logon=allowed)
    conn_id = one.open("/ws-api/v3")
    stamp = one.now_ns // 1_000_000
    payload = f"apiKey={demo.MAKER_KEY}&timestamp={stamp}"
    signature = hmac.new(demo.MAKER_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    logon = {"apiKey": demo.MAKER_KEY, "timestamp": stamp, "signature": signature}
    assert one.send(conn_id, id=1, method="session.logon", params=logon)[0]["status"] == (200 if allowed else 401)


def test_subscriptions_are_numbered_and_one_per_account(ann_and_bob):
    world = ann_and_bob
    conn_id = world.subscribe_user()
    (twice,) = world.send(conn_id, id=2, method="userDataStream.subscribe.signature", params=signed(world))
    assert twice["error"]["code"] == -2035
    (other,) = world.send(conn_id, id=3, method="userDataStream.subscribe.signature", params=signed(world, "bob"))
    assert other["result"] == {"subscriptionId": 1}
    (shown,) = world.send(conn_id, id=4, method="session.subscriptions")
    assert shown["result"] == [{"subscriptionId": 0}, {"subscriptionId": 1}]
    ended, answer = world.send(conn_id, id=5, method="userDataStream.unsubscribe", params={"subscriptionId": 0})
    assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
    assert answer["result"] == {}
    (none,) = world.send(conn_id, id=6, method="userDataStream.unsubscribe", params={"subscriptionId": 0})
    assert none["error"]["code"] == -2036
    world.pushes.clear()
    world.order("BUY", "1", "50000")
    assert world.received(conn_id) == []
    world.order("BUY", "1", "50000", who="bob")
    assert {frame["subscriptionId"] for frame in world.received(conn_id)} == {1}


def test_the_user_stream_reports_each_step_of_an_order(ann_and_bob):
    world = ann_and_bob
    conn_id = world.subscribe_user()
    world.pushes.clear()
    world.order("SELL", "1", "60000", newClientOrderId="s")
    world.order("BUY", "0.4", "60000", who="bob")
    world.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId="s", newClientOrderId="c")
    events = [frame["event"] for frame in world.received(conn_id)]
    reports = [event for event in events if event["e"] == "executionReport"]
    assert [(r["x"], r["X"], r["c"], r["C"], r["z"]) for r in reports] == [
        ("NEW", "NEW", "s", "", "0.00000000"),
        ("TRADE", "PARTIALLY_FILLED", "s", "", "0.40000000"),
        ("CANCELED", "CANCELED", "c", "s", "0.40000000"),
    ]
    trade = reports[1]
    assert (trade["l"], trade["L"], trade["n"], trade["N"], trade["m"]) == (
        "0.40000000",
        "60000.00000000",
        "24.00000000",
        "USDT",
        True,
    )
    assert trade["Z"] == trade["Y"] == "24000.00000000"
    assert len({r["I"] for r in reports}) == 3
    positions = [event["B"] for event in events if event["e"] == "outboundAccountPosition"]
    assert positions[0] == [{"a": "BTC", "f": "9.00000000", "l": "1.00000000"}]
    assert {row["a"]: (row["f"], row["l"]) for row in positions[1]} == {
        "BTC": ("9.00000000", "0.60000000"),
        "USDT": ("1023976.00000000", "0.00000000"),
    }
    assert positions[2] == [{"a": "BTC", "f": "9.60000000", "l": "0.00000000"}]


def test_the_events_have_the_documented_fields(ann_and_bob, recorded):
    documented = {}
    for row in json.loads(recorded("binance_docs/binance_docs_examples.json").read_text())["user"]:
        documented[row["event"]["e"]] = set(row["event"])
    world = ann_and_bob
    conn_id = world.subscribe_user()
    world.pushes.clear()
    world.order("SELL", "1", "60000")
    world.request("POST", "/control/deposit", body=json.dumps({"account": "ann", "asset": "BTC", "amount": "1"}))
    received = {frame["event"]["e"]: set(frame["event"]) for frame in world.received(conn_id)}
    documented["executionReport"].discard("v")  # only where self-trade prevention ended the order
    for name in ("executionReport", "outboundAccountPosition", "balanceUpdate"):
        assert received[name] == documented[name]


def test_prevented_orders_show_it(ann_and_bob):
    world = ann_and_bob
    conn_id = world.subscribe_user()
    world.pushes.clear()
    world.order("SELL", "1", "60000", newClientOrderId="rests")
    world.order("BUY", "1", "60000", newClientOrderId="takes", selfTradePreventionMode="EXPIRE_MAKER")
    reports = [f["event"] for f in world.received(conn_id) if f["event"]["e"] == "executionReport"]
    assert [(r["c"], r["x"], r["X"]) for r in reports] == [
        ("rests", "NEW", "NEW"),
        ("takes", "NEW", "NEW"),
        ("rests", "TRADE_PREVENTION", "EXPIRED_IN_MATCH"),
    ]
    assert (reports[2]["A"], reports[2]["v"]) == ("1.00000000", 1)
