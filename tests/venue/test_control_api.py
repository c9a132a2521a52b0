"""The control endpoints: preset answers, silences, drops, deposits and the true state."""

import json

from venue.base.wire import Request


def control(world, method, path, body=None, query=""):
    answer = world.request(method, f"/control/{path}", query, "" if body is None else json.dumps(body))
    return answer.status, json.loads(answer.body)


def fault(world, **fields):
    status, _ = control(world, "POST", "faults", {"error_next": {"method": "POST", "path": "/api/v3/order", **fields}})
    assert status == 200


def test_an_order_may_be_accepted_and_its_answer_lost(ann_and_bob):
    world = ann_and_bob
    fault(world, status=504, code=-1007, accepted=True)
    status, body = world.order("BUY", "1", "50000", newClientOrderId="lost")
    assert (status, body["code"]) == (504, -1007)
    assert world.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="lost")[1]["status"] == "NEW"


def test_an_order_may_be_neither_accepted_nor_answered(ann_and_bob):
    world = ann_and_bob
    fault(world, status=503, body="<html>busy</html>", count=2)
    for _ in range(2):
        answer = world.request("POST", "/api/v3/order", "whatever")
        assert (answer.status, answer.body) == (503, b"<html>busy</html>")
    status, body = world.order("BUY", "1", "50000")
    assert (status, body["status"]) == (200, "NEW")
    assert len(world.signed("GET", "allOrders", symbol="BTCUSDT")[1]) == 1


def test_an_answer_may_be_late_or_the_connection_cut(ann_and_bob):
    world = ann_and_bob
    fault(world, status=200, delay_ms=1500, accepted=True)
    fault(world, status=0, accepted=True)
    requested = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50000"
    requested += f"&timestamp={world.now_ns // 10**6}"
    requested += "&signature=" + world.sign(requested)
    headers = {"x-mbx-apikey": "key-ann"}
    late = world.request("POST", "/api/v3/order", requested, headers=headers)
    assert (late.status, late.delay_ns) == (200, 1_500_000_000)
    cut = world.request("POST", "/api/v3/order", requested, headers=headers)
    assert cut.status == 0
    assert len(world.signed("GET", "openOrders", symbol="BTCUSDT")[1]) == 2


def test_preset_answers_apply_to_the_websocket_api_too(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws-api/v3")
    fault(world, status=504, code=-1007, msg="Timeout.", accepted=True)
    params = {
        "apiKey": "key-ann",
        "timestamp": world.now_ns // 1_000_000,
        "symbol": "BTCUSDT",
        "side": "SELL",
    }
    params |= {"type": "LIMIT", "timeInForce": "GTC", "price": "70000", "quantity": "1"}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    request = {**params, "signature": world.sign(payload)}
    (answer,) = world.send(conn_id, id=1, method="order.place", params=request)
    assert (answer["status"], answer["error"]) == (504, {"code": -1007, "msg": "Timeout."})
    assert len(world.signed("GET", "openOrders", symbol="BTCUSDT")[1]) == 1


def test_streams_may_be_silenced_and_resume(ann_and_bob):
    world = ann_and_bob
    market, user = world.open("/ws/btcusdt@bookTicker"), world.subscribe_user()
    control(world, "POST", "faults", {"silence": {"kind": "user", "seconds": 5}})
    world.pushes.clear()
    world.order("BUY", "1", "50000")
    assert world.received(user) == []
    assert world.received(market) != []
    control(world, "POST", "faults", {"silence": {"kind": "all", "seconds": 5}})
    world.pushes.clear()
    world.order("BUY", "1", "50001")
    assert world.received(market) == world.received(user) == []
    world.advance(5000)
    world.order("BUY", "1", "50002")
    assert world.received(user) != []
    assert world.received(market) != []


def test_websockets_are_dropped_by_kind(ann_and_bob):
    world = ann_and_bob
    market, user = world.open("/ws"), world.open("/ws-api/v3")
    assert control(world, "POST", "drop", {"kind": "user"}) == (200, {"dropped": 1})
    assert world.was_closed(user)
    assert not world.was_closed(market)
    control(world, "POST", "drop")
    assert world.was_closed(market)


def test_the_ledger_endpoint_shows_the_true_state(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "1", "60000", who="bob")
    world.order("BUY", "0.5", "60000", newClientOrderId="x")
    world.order("BUY", "0.5", "50000", newClientOrderId="y")
    _, shown = control(world, "GET", "ledger", query="account=ann")
    assert shown["balances"]["USDT"] == {"free": "945000.00000000", "locked": "25000.00000000"}
    assert shown["opening"] == {"BTC": "10.00000000", "USDT": "1000000.00000000"}
    assert [order["clientOrderId"] for order in shown["open_orders"]] == ["y"]
    assert [order["status"] for order in shown["orders"]] == ["FILLED", "NEW"]
    assert [(trade["side"], trade["qty"]) for trade in shown["trades"]] == [("BUY", "0.50000000")]
    assert control(world, "GET", "ledger", query="account=eve")[0] == 400
    assert control(world, "GET", "status")[1]["symbols"]["BTCUSDT"]["trades"] == 1


def test_deposits_are_reported_to_the_user(ann_and_bob):
    world = ann_and_bob
    user = world.subscribe_user()
    world.pushes.clear()
    body = {"account": "ann", "asset": "USDT", "amount": "-1000000"}
    assert control(world, "POST", "deposit", body) == (200, {"free": "0.00000000"})
    reported = [frame["event"] for frame in world.received(user)]
    assert [(event["e"], event.get("d")) for event in reported] == [
        ("balanceUpdate", "-1000000.00000000"),
        ("outboundAccountPosition", None),
    ]
    assert control(world, "POST", "deposit", body)[0] == 400


def test_wrong_control_requests_get_a_clear_error(ann_and_bob):
    world = ann_and_bob
    assert control(world, "GET", "nothing")[0] == 404
    status, body = control(world, "POST", "faults", {"eror_next": {}})
    assert status == 400
    assert "eror_next" in body["error"]
    status, body = control(world, "POST", "drop", {"kind": 3})
    assert (status, "kind" in body["error"]) == (400, True)


def test_control_is_for_this_machine_only(ann_and_bob):
    world = ann_and_bob
    for remote, headers in (("10.1.2.3", {}), ("127.0.0.1", {"origin": "http://evil.example"})):
        requested = Request("GET", "/control/status", headers=headers, remote=remote)
        assert world.exchange.handle(requested, world.now_ns).status == 403


def test_preset_answers_are_shown_with_the_number_left_and_leave_when_used_up(ann_and_bob):
    world = ann_and_bob
    fault(world, status=503, count=2)
    preset = {
        "method": "POST", "path": "/api/v3/order", "count": 2, "status": 503, "code": None,
        "msg": "Fault on demand.", "body": "", "delay_ms": 0, "accepted": False,
    }  # fmt: skip
    for left in (2, 1):
        _, shown = control(world, "GET", "faults")
        assert (shown["errors"], shown["active"]) == ([{"fault": preset, "left": left}], [])
        world.request("POST", "/api/v3/order", "whatever")
    assert control(world, "GET", "faults")[1]["errors"] == []
    fault(world)
    assert control(world, "POST", "faults", {"clear": True})[1]["errors"] == []
    assert world.order("BUY", "1", "50000")[0] == 200


def test_a_preset_answer_comes_before_the_faults_of_a_profile(ann_and_bob):
    world = ann_and_bob
    control(world, "POST", "faults", {"add": [{"name": "delay"}]})
    fault(world, status=504, code=-1007)
    assert world.order("BUY", "1", "50000")[1]["code"] == -1007
    assert world.order("BUY", "1", "50000")[0] == 200


def test_a_later_silence_replaces_an_earlier_one(ann_and_bob):
    world = ann_and_bob
    market = world.open("/ws/btcusdt@bookTicker")
    control(world, "POST", "faults", {"silence": {"kind": "all", "seconds": 100}})
    _, shown = control(world, "POST", "faults", {"silence": {"kind": "market", "seconds": 5}})
    assert shown["silent_until_ns"] == {
        "market": world.now_ns + 5_000_000_000, "user": world.now_ns + 100_000_000_000
    }  # fmt: skip
    late = world.open("/ws/btcusdt@bookTicker")
    world.order("BUY", "1", "50000")
    assert world.received(market) == world.received(late) == []
    world.advance(5_000)
    world.order("BUY", "1", "50001")
    assert world.received(market) != []
    assert control(world, "POST", "faults", {"clear": True})[1]["silent_until_ns"] == {}
