"""Rate limits: weights, unfilled orders, bans, messages into a stream."""

import json

import pytest

from venue.base.settings import BINANCE_LIMITS, LimitSettings


def test_every_answer_has_the_used_weight(ann_and_bob):
    world = ann_and_bob
    used = []
    for path in ("ping", "exchangeInfo", "depth?symbol=BTCUSDT&limit=5000"):
        path, _, query = path.partition("?")
        used.append(int(world.request("GET", f"/api/v3/{path}", query).headers["x-mbx-used-weight-1m"]))
    assert used == [1, 21, 271]
    world.advance(60_000)
    assert world.request("GET", "/api/v3/ping").headers["x-mbx-used-weight-1m"] == "1"


def test_orders_that_succeed_weigh_nothing_and_those_that_fail_do(ann_and_bob):
    world = ann_and_bob
    before = world.exchange.limits.peer("127.0.0.1").weight.count
    world.order("BUY", "1", "50000")
    assert world.exchange.limits.peer("127.0.0.1").weight.count == before
    world.order("BUY", "1", "50000.001")
    assert world.exchange.limits.peer("127.0.0.1").weight.count == before + 1


def test_too_much_weight_gives_429_then_418_and_ends(world, tight):
    one = world(rate_limits=tight)
    answers = [one.request("GET", "/api/v3/exchangeInfo") for _ in range(9)]
    assert [answer.status for answer in answers] == [200] * 5 + [429, 429, 418, 418]
    assert json.loads(answers[5].body)["code"] == json.loads(answers[7].body)["code"] == -1003
    # The minute of the test's clock ends in 40 seconds.
    assert answers[5].headers["retry-after"] == "40"
    assert answers[7].headers["retry-after"] == "120"
    one.advance(119_000)
    assert one.request("GET", "/api/v3/ping").status == 418
    one.advance(1_000)
    assert one.request("GET", "/api/v3/ping").status == 200


def test_a_second_ban_is_longer(world, tight):
    one = world(rate_limits=tight)
    for expected in ("120", "240"):
        answer = None
        for _ in range(12):
            answer = one.request("GET", "/api/v3/exchangeInfo")
            if answer.status == 418:
                break
        assert answer.headers["retry-after"] == expected
        one.advance(int(expected) * 1000)


def test_bans_grow_to_three_days_and_no_further(world, tight):
    one = world(rate_limits=tight)
    reported = []
    while len(reported) < 14:
        answer = one.request("GET", "/api/v3/exchangeInfo")
        if answer.status == 418:
            reported.append(int(answer.headers["retry-after"]))
            one.now_ns += reported[-1] * 10**9
    assert reported[:3] == [120, 240, 480]
    assert reported[-2:] == [3 * 86_400] * 2


def test_a_ban_on_the_websocket_api_names_its_end_and_closes_the_connection(world, tight):
    one = world(rate_limits=tight)
    conn_id = one.open("/ws-api/v3")
    answers = [one.send(conn_id, id=n, method="exchangeInfo")[0] for n in range(7)]
    assert [answer["status"] for answer in answers] == [200] * 4 + [429, 429, 418]
    now_ms = one.now_ns // 10**6
    assert answers[4]["error"]["data"] == {"serverTime": now_ms, "retryAfter": now_ms + 40_000}
    assert answers[6]["error"]["data"]["retryAfter"] == now_ms + 120_000
    assert one.was_closed(conn_id)


def unfilled(one, who="ann"):
    counts = one.exchange.limits.counts(who)
    return counts.ten_seconds.now(one.now_ns), counts.day.now(one.now_ns)


def test_a_takers_first_fill_removes_its_order_from_the_count(world):
    """Example 1 of order_count_decrement.md."""
    one = world()
    one.order("BUY", "1", "50000")
    one.order("SELL", "0.1", "60000", who="bob")
    assert unfilled(one) == (1, 1)
    one.order("BUY", "1", "60000")  # partially filled as it comes
    assert unfilled(one) == (1, 1)
    one.order("BUY", "1", "50000")
    for size in ("0.1", "0.8"):
        one.order("SELL", size, "60000", who="bob")
        assert unfilled(one) == (2, 2)
    one.order("SELL", "0.1", "60001", who="bob")
    one.order("BUY", "0.1")
    assert unfilled(one) == (2, 2)
    assert [row["count"] for row in one.signed("GET", "rateLimit/order")[1]] == [2, 2]


def test_a_makers_first_fill_may_count_for_several_and_never_below_none(world):
    """Example 2 of order_count_decrement.md."""
    one = world(rate_limits=LimitSettings(maker_fill_credit=5))
    for price in ("50005", "50004", "50003", "50002", "50001"):
        one.order("BUY", "1", price)
    assert unfilled(one) == (5, 5)
    one.order("SELL", "0.5", "50005", who="bob")
    assert unfilled(one) == (0, 0)
    for price in ("50000", "49999"):
        one.order("BUY", "1", price)
    one.order("SELL", "0.5", "50005", who="bob")
    assert unfilled(one) == (2, 2)
    one.order("SELL", "0.5", "50004", who="bob")
    assert unfilled(one) == (0, 0)
    one.order("BUY", "1", "49998")
    assert unfilled(one) == (1, 1)


def test_cancels_and_expiries_change_no_count_and_fills_of_yesterday_do(world):
    """The examples about canceled orders, and about orders of another day."""
    one = world()
    first = one.order("BUY", "1", "50000")[1]["orderId"]
    one.signed("DELETE", "order", symbol="BTCUSDT", orderId=first)
    one.order("BUY", "1", "50000", timeInForce="FOK")
    assert unfilled(one) == (2, 2)
    one.order("BUY", "1", "50000")
    one.now_ns += 86_400 * 10**9
    assert unfilled(one) == (0, 0)
    one.order("BUY", "1", "49999")
    one.order("SELL", "1", "50000", who="bob")
    assert unfilled(one) == (0, 0)


def test_rest_and_websocket_list_their_own_limits(ann_and_bob):
    world = ann_and_bob
    (answer,) = world.send(world.open("/ws-api/v3"), id=1, method="exchangeInfo")
    for rows, last in ((world.get("exchangeInfo"), "RAW_REQUESTS"), (answer["result"], "CONNECTIONS")):
        kinds = [row["rateLimitType"] for row in rows["rateLimits"]]
        assert kinds == ["REQUEST_WEIGHT", "ORDERS", "ORDERS", last]


def test_limits_are_per_address(world, tight):
    one = world(rate_limits=tight)
    for _ in range(6):
        one.request("GET", "/api/v3/exchangeInfo")
    assert one.request("GET", "/api/v3/ping").status == 429
    one.exchange.limits.charge("10.0.0.9", 1, one.now_ns)


def test_unfilled_orders_are_limited_and_fills_give_room(world, tight):
    one = world(rate_limits=tight)
    for price in ("50000", "50001", "50002"):
        assert one.order("BUY", "0.1", price)[0] == 200
    status, body = one.order("BUY", "0.1", "50003")
    assert (status, body["code"]) == (429, -1015)
    assert body["msg"] == "Too many new orders; current limit is 3 orders per 10 SECOND."
    one.order("SELL", "0.1", "50002", who="bob")
    assert one.order("BUY", "0.1", "50003")[0] == 200
    one.advance(10_000)
    one.order("BUY", "0.1", "50004")
    one.order("BUY", "0.1", "50004")
    assert one.order("BUY", "0.1", "50004")[1]["msg"].endswith("5 orders per 1 DAY.")


def test_order_counts_are_in_the_headers(ann_and_bob):
    world = ann_and_bob
    query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50000"
    query += f"&timestamp={world.now_ns // 10**6}"
    query += "&signature=" + world.sign(query)
    answer = world.request("POST", "/api/v3/order", query, headers={"x-mbx-apikey": "key-ann"})
    assert (answer.headers["x-mbx-order-count-10s"], answer.headers["x-mbx-order-count-1d"]) == ("1", "1")


def test_a_client_that_sends_too_much_into_a_stream_is_disconnected(world, tight):
    one = world(rate_limits=tight)
    conn_id = one.open("/ws")
    for number in range(5):
        assert one.send(conn_id, method="LIST_SUBSCRIPTIONS", id=number)
    one.advance(1000)
    for _ in range(3):
        one.exchange.pong(conn_id, one.now_ns)
        one.exchange.ping(conn_id, b"", one.now_ns)
    one._settle()
    assert one.was_closed(conn_id)
    assert one.send(conn_id, method="LIST_SUBSCRIPTIONS", id=9) == []


def test_too_many_connections_are_declined_until_their_five_minutes_are_over(world, tight):
    one = world(rate_limits=tight)
    assert [one.exchange.upgrade(number, "/ws", one.now_ns) for number in range(1, 4)] == [None] * 3
    refused = one.exchange.upgrade(4, "/ws", one.now_ns)
    assert (refused.status, refused.headers["retry-after"]) == (429, "100")
    text = "Too many connection attempts from IP; current limit is 3 per '5 MINUTE'."
    assert json.loads(refused.body) == {"code": -1034, "msg": text}
    assert not one.exchange.open(5, "/ws-api/v3", one.now_ns)
    assert one.exchange.open(6, "/ws", one.now_ns, remote="127.0.0.2")
    one.advance(100_000)
    assert one.exchange.open(7, "/ws", one.now_ns)


def test_a_websocket_api_that_is_opened_past_the_weight_is_declined_as_a_request_would_be(world, tight):
    one = world(rate_limits=tight)
    for _ in range(5):
        one.get("exchangeInfo")
    refused = one.exchange.upgrade(1, "/ws-api/v3", one.now_ns)
    assert (refused.status, json.loads(refused.body)["code"]) == (429, -1003)
    assert int(refused.headers["retry-after"]) > 0


def test_a_websocket_is_declined_by_status(world):
    one = world()
    assert one.exchange.upgrade(1, "/nowhere", one.now_ns).status == 404
    refused = one.exchange.upgrade(2, "/ws", one.now_ns, "timeUnit=DAY")
    assert (refused.status, json.loads(refused.body)["code"]) == (400, -1194)


def test_the_limits_of_the_exchange_itself_are_there_by_name(world):
    one = world(rate_limits="binance")
    assert one.exchange.limits.settings is BINANCE_LIMITS
    rows = one.get("exchangeInfo")["rateLimits"]
    assert rows[0] == {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 6000,
    }


@pytest.mark.parametrize("name", ["weight_1m", "orders_10s", "orders_1d", "messages_1s", "connections_5m"])
def test_the_demo_is_wider_than_the_exchange(name):
    assert getattr(LimitSettings(), name) > getattr(BINANCE_LIMITS, name)
