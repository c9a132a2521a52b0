"""Fault kinds: each has its documented effect, at its time, by its seed; and the errors for wrong settings."""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.base.venue_errors import BadVenue
from venue.base.wire import CLOSED, FREEZE, REFUSED, RESET
from venue.faults.clock_skew import ClockSkew
from venue.faults.kinds import delays
from venue.faults.kinds.catalogue import FORMER_KINDS, KINDS, BadFault, load_faults, read_fault, shown, summary
from venue.faults.kinds.profiles import PROFILES, drizzle, storm

PAGE = Path(__file__).resolve().parents[3] / "docs" / "venue.md"
SECOND_NS = 1_000_000_000
PLACE = "POST /api/v3/order"


def control(world, body=None, method="POST"):
    answer = world.request(method, "/control/faults", "", "" if body is None else json.dumps(body))
    return answer.status, json.loads(answer.body)


def fault(world, name, **fields):
    """Adds a fault; returns its number."""
    status, shown = control(world, {"add": [{"name": name, **fields}]})
    assert status == 200, shown
    return shown["active"][-1]["number"]


def hits(world, name):
    return control(world, method="GET")[1]["counters"][name]


def place(world, client_id="x", price=50_000):
    """(the answer as it leaves, the order's status on the exchange or "")"""
    requested = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price={price}"
    requested += f"&newClientOrderId={client_id}&timestamp={world.now_ns // 10**6}"
    requested += "&signature=" + world.sign(requested)
    answer = world.request("POST", "/api/v3/order", requested, headers={"x-mbx-apikey": "key-ann"})
    rows = {row.client_order_id: row for row in world.exchange.accounts.by_name["ann"].orders.values()}
    return answer, rows[client_id].status if client_id in rows else ""


def events(world, conn_id):
    return [(frame["event"]["e"], frame["event"].get("X", "")) for frame in world.received(conn_id) if "event" in frame]


def code(answer):
    return answer.status, json.loads(answer.body)["code"]


# -- requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize(
    ("name", "reported"),
    [("unexpected_response", (500, -1006)), ("backend_timeout", (504, -1007)), ("overloaded", (503, -1008))],
)
def test_codes_that_leave_the_execution_in_doubt(ann_and_bob, name, reported, accepted):
    world = ann_and_bob
    fault(world, name, endpoint=PLACE, account="ann", accepted=accepted)
    answer, status = place(world)
    assert (code(answer), status) == (reported, "NEW" if accepted else "")


@pytest.mark.parametrize(("user_event", "now", "later"), [("sent", 2, 2), ("late", 0, 2), ("lost", 0, 0)])
def test_the_user_events_of_an_unanswered_order_are_sent_late_or_lost(ann_and_bob, user_event, now, later):
    world = ann_and_bob
    user = world.subscribe_user()
    late = {"kind": "fixed", "ms": 1500}
    fault(world, "timeout", accepted=True, user_event=user_event, event_delay=late, hold={"kind": "fixed", "ms": 9000})
    answer, status = place(world)
    assert (answer.status, answer.delay_ns, status) == (CLOSED, 9 * SECOND_NS, "NEW")
    assert len(events(world, user)) == now
    world.advance(1499)
    assert len(events(world, user)) == now
    world.advance(2)
    assert len(events(world, user)) == later


def test_invalid_answers(ann_and_bob):
    world = ann_and_bob
    for name in ("reset", "server_error", "html_page", "truncated_body"):
        fault(world, name, count=1, accepted=True)
    answers = [place(world, f"x{n}")[0] for n in range(4)]
    assert answers[0].status == CLOSED
    assert (answers[1].status, answers[1].body) == (503, b"")
    assert (answers[2].status, answers[2].headers["content-type"]) == (502, "text/html")
    assert answers[3].status == 200
    assert 0 <= answers[3].cut_at < len(answers[3].body)
    assert place(world, "whole")[0].cut_at is None
    fault(world, "invalid_body")
    assert len({place(world, f"y{n}")[0].body for n in range(60)}) > 5


@pytest.mark.parametrize(("name", "status"), [("rate_limited", 429), ("banned", 418)])
@pytest.mark.parametrize("retry_after_s", [0, 7])
def test_limits_with_and_without_a_time_to_come_back(ann_and_bob, name, status, retry_after_s):
    world = ann_and_bob
    fault(world, name, retry_after_s=retry_after_s, count=1)
    answer, placed = place(world)
    assert (code(answer), placed) == ((status, -1003), "")
    assert answer.headers.get("retry-after") == (str(retry_after_s) if retry_after_s else None)
    assert place(world)[0].status == 200


def test_replicas_that_lag_show_an_order_alive_canceled_and_missing_in_turn(ann_and_bob):
    world = ann_and_bob
    fault(world, "stale_reads", lags_ms=[0, 2_000, 60_000], account="ann")
    place(world)
    world.advance(3_000)
    world.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId="x")
    world.advance(100)

    def seen():
        status, body = world.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="x")
        return body["status"] if status == 200 else body["code"]

    assert Counter(seen() for _ in range(9)) == {"NEW": 3, "CANCELED": 3, -2013: 3}
    assert world.signed("GET", "order", "bob", symbol="BTCUSDT", origClientOrderId="x")[1]["code"] == -2013
    world.advance(60_000)
    assert {seen() for _ in range(3)} == {"CANCELED"}
    control(world, {"clear": True})
    assert seen() == "CANCELED"
    assert world.exchange.records.mirror is None


def test_an_order_is_rejected_after_its_acknowledgement(ann_and_bob):
    world = ann_and_bob
    user = world.subscribe_user()
    fault(world, "reject_after_ack", delay={"kind": "fixed", "ms": 200})
    assert place(world)[1] == "NEW"
    world.advance(250)
    assert events(world, user)[-2:] == [("executionReport", "REJECTED"), ("outboundAccountPosition", "")]
    assert world.balance("USDT")[1] == 0
    assert world.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="x")[1]["status"] == "REJECTED"


def test_the_same_faults_apply_to_the_websocket_api(ann_and_bob):
    world = ann_and_bob
    user = world.subscribe_user()
    kinds = {"backend_timeout": True, "timeout": False, "html_page": False, "invalid_body": True, "reset": False}
    for name, accepted in kinds.items():
        fault(world, name, count=1, accepted=accepted, endpoint=PLACE, user_event="lost")
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000"}
    params |= {"quantity": "1", "apiKey": "key-ann", "timestamp": world.now_ns // 10**6}
    payload = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
    requested = {"method": "order.place", "params": {**params, "signature": world.sign(payload)}}
    (answer,) = world.send(user, id=7, **requested)
    assert (answer["id"], answer["status"], answer["error"]["code"]) == (7, 504, -1007)
    assert world.send(user, id=8, **requested) == []
    assert world.send(user, id=9, **requested)[0]["status"] == 502
    before = len(world.pushes)
    world.exchange.receive(user, json.dumps({"id": 10, **requested}), world.now_ns)
    world._settle()
    assert len(world.pushes) == before + 1
    assert len(world.exchange.accounts.by_name["ann"].open_orders) == 2
    world.send(user, id=11, **requested)
    assert world.pushes[-1] == (user, RESET)


# -- streams ------------------------------------------------------------------------------------------


def test_user_events_are_lost_twice_late_and_change_places(ann_and_bob):
    world = ann_and_bob
    user = world.subscribe_user()
    whole = [("executionReport", "NEW"), ("outboundAccountPosition", "")]

    def reported(name, **fields):
        number = fault(world, name, event="executionReport", **fields)
        world.pushes.clear()
        place(world, f"{name}-1")
        soon = events(world, user)
        world.advance(2_000)
        later = events(world, user)
        control(world, {"remove": [number]})
        return soon, later

    assert reported("user_event_lost") == (whole[1:], whole[1:])
    assert reported("user_event_twice") == ([whole[0], *whole], [whole[0], *whole])
    assert reported("user_event_late", delay={"kind": "fixed", "ms": 500}) == (whole[1:], [whole[1], whole[0]])
    assert reported("user_event_reordered", count=1) == ([whole[1], whole[0]], [whole[1], whole[0]])


def test_deltas_are_lost_twice_and_change_places_and_frames_are_corrupt(ann_and_bob):
    world = ann_and_bob
    market = world.open("/ws/btcusdt@depth@100ms")

    def reported(name, **fields):
        number = fault(world, name, symbol="BTC-USDT", **fields)
        world.pushes.clear()
        for n in range(3):
            place(world, f"{name}-{n}")
            world.advance(100)
        world.advance(1_500)
        control(world, {"remove": [number]})
        return [text for to, text in world.pushes if to == market and isinstance(text, bytes)]

    def ids(frames):
        rows = [json.loads(one)["U"] for one in frames]
        return [row - min(rows) for row in rows]

    assert ids(reported("delta_lost", count=1)) == [0, 1]
    assert ids(reported("delta_twice", count=1)) == [0, 0, 1, 2]
    assert ids(reported("delta_reordered", count=1)) == [1, 0, 2]
    assert ids(reported("stream_delay", count=1, delay={"kind": "fixed", "ms": 250})) == [0, 1, 2]
    for frame in reported("frame_corrupt"):
        with pytest.raises((ValueError, KeyError, TypeError)):
            assert json.loads(frame)["U"] < json.loads(frame)["u"]["x"]


def test_a_stall_keeps_the_connection_and_its_pings(world):
    place_ = world(ping_interval_s=1)
    market = place_.open("/ws/btcusdt@depth@100ms/btcusdt@miniTicker")
    fault(place_, "stream_stall", kind="market", for_s=5, stream="depth")
    place_.pushes.clear()
    place(place_)
    place_.advance(3_000)
    reported = place_.received(market)
    assert {frame["e"] for frame in reported} == {"24hrMiniTicker"}
    assert len([item for to, item in place_.pushes if to == market]) > len(reported)
    place_.advance(3_000)
    place(place_, "y")
    place_.advance(200)
    assert [frame["e"] for frame in place_.received(market)].count("depthUpdate") == 1


def test_a_half_open_websocket_sends_and_receives_nothing_until_it_is_reset(ann_and_bob):
    world = ann_and_bob
    user = world.subscribe_user()
    world.pushes.clear()
    fault(world, "half_open", kind="user", for_s=30)
    assert world.pushes == [(user, FREEZE)]
    world.pushes.clear()
    place(world)
    assert world.send(user, id=1, method="ping") == []
    world.advance(29_000)
    assert [item for to, item in world.pushes if to == user] == []
    world.advance(1_500)
    assert [item for to, item in world.pushes if to == user] == [RESET]
    assert user not in world.exchange.connections.by_id


def test_websockets_are_dropped_and_connections_refused(ann_and_bob):
    world = ann_and_bob
    market, user = world.open("/ws"), world.subscribe_user()
    fault(world, "socket_dropped", kind="user", reset=True)
    fault(world, "socket_dropped", kind="market")
    world.advance(1)
    assert (user, RESET) in world.pushes
    assert world.was_closed(market)
    assert not world.exchange.connections.by_id
    fault(world, "connection_refused", for_s=3)
    assert place(world)[0].status == REFUSED
    assert not world.exchange.open(99, "/ws", world.now_ns)
    world.advance(3_100)
    assert place(world)[0].status == 200


# -- the world ----------------------------------------------------------------------------------------


def test_in_maintenance_all_answers_are_down_and_orders_rest(ann_and_bob):
    world = ann_and_bob
    place(world)
    market = world.open("/ws")
    fault(world, "maintenance", for_s=5)
    world.advance(1)
    assert place(world, "y")[0].status == 503
    assert world.was_closed(market)
    refused = world.exchange.upgrade(99, "/ws", world.now_ns)
    assert (refused.status, refused.headers["content-type"]) == (503, "text/html")
    assert world.request("GET", "/control/status").status == 200
    world.advance(5_100)
    assert world.signed("GET", "openOrders")[1][0]["clientOrderId"] == "x"


def test_a_halted_market_accepts_cancels_and_rejects_orders(ann_and_bob):
    world = ann_and_bob
    place(world)
    fault(world, "symbol_halt", status="HALT", for_s=5)
    assert code(place(world, "y")[0]) == (400, -1013)
    assert world.get("exchangeInfo")["symbols"][0]["status"] == "HALT"
    assert world.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId="x")[0] == 200
    world.advance(5_100)
    assert place(world, "z")[1] == "NEW"


def test_a_delisted_market_is_gone_and_its_orders_with_it(ann_and_bob):
    world = ann_and_bob
    place(world)
    fault(world, "delisted", for_s=5)
    assert world.get("depth", symbol="BTCUSDT")["code"] == -1121
    assert world.get("exchangeInfo")["symbols"] == []
    assert world.signed("GET", "openOrders")[1] == []
    assert world.balance("USDT")[1] == 0
    world.advance(5_100)
    assert world.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="x")[1]["status"] == "EXPIRED"
    assert place(world, "y")[1] == "NEW"


def test_both_orders_of_a_list_end_with_a_delisted_market(ann_and_bob):
    world = ann_and_bob
    status, placed = world.signed(
        "POST", "orderList/oco", symbol="BTCUSDT", side="SELL", quantity="0.01", aboveType="LIMIT_MAKER",
        abovePrice="61000", belowType="STOP_LOSS", belowStopPrice="59000",
    )  # fmt: skip
    assert status == 200, placed
    fault(world, "delisted", for_s=1)
    world.advance(1_100)
    ids = [one["orderId"] for one in placed["orders"]]
    states = [world.signed("GET", "order", symbol="BTCUSDT", orderId=one)[1]["status"] for one in ids]
    assert states == ["EXPIRED", "EXPIRED"]
    assert world.balance("BTC")[1] == 0


def test_filters_change_while_it_runs_and_change_back(ann_and_bob):
    world = ann_and_bob
    fault(world, "filters_changed", tick_size="0.5", lot_size="0.001", min_notional="700", for_s=5)
    filters = {row["filterType"]: row for row in world.get("exchangeInfo")["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.50000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00100000"
    refused = [world.order("BUY", size, price)[1]["msg"] for size, price in (("0.1", "50000.1"), ("0.0105", "50000"))]
    assert refused == ["Filter failure: PRICE_FILTER", "Filter failure: LOT_SIZE"]
    assert world.order("BUY", "0.01", "50000")[1]["msg"] == "Filter failure: NOTIONAL"
    assert world.order("BUY", "0.02", "50000.5")[0] == 200
    world.advance(5_100)
    assert world.order("BUY", "0.0105", "50000.1")[0] == 200
    status, reported = control(world, {"add": [{"name": "filters_changed", "tick_size": "0.015"}]})
    assert (status, "must be a multiple" in reported["error"]) == (400, True)


def test_overlapping_faults_are_combined_and_end_separately(ann_and_bob):
    world = ann_and_bob
    symbol = world.exchange.engine.symbols["BTCUSDT"]
    opened = symbol.settings
    fault(world, "filters_changed", min_notional="700", for_s=10)
    fault(world, "filters_changed", tick_size="0.5", for_s=20)
    fault(world, "symbol_halt", for_s=30)
    fault(world, "delisted", for_s=25)
    seen = []
    for _ in range(4):
        world.advance(9_000)
        seen.append((symbol.settings.min_notional, symbol.settings.tick_size, symbol.tick_step, symbol.status))
    usual, tick = opened.min_notional, opened.tick_size
    assert [(str(notional), str(size), step) for notional, size, step, _ in seen] == [
        ("700", "0.5", 50), (str(usual), "0.5", 50), (str(usual), str(tick), 1), (str(usual), str(tick), 1),
    ]  # fmt: skip
    assert [status for *_, status in seen] == ["DELISTED", "DELISTED", "BREAK", "TRADING"]
    assert symbol.settings == opened


def test_external_orders_cancels_and_transfers_happen(ann_and_bob):
    world = ann_and_bob
    user = world.subscribe_user()
    place(world)
    fault(world, "external_order", account="ann", for_s=5)
    fault(world, "balance_moved", account="ann", asset="BTC", amount="-3")
    fault(world, "external_cancel", account="ann")
    assert [kind for kind, _ in events(world, user)].count("balanceUpdate") == 1
    assert world.balance("BTC")[0] <= 7
    (resting,) = world.signed("GET", "openOrders")[1]
    assert resting["clientOrderId"].startswith("web_")
    world.advance(5_100)
    assert world.signed("GET", "openOrders")[1] == []


def test_the_clock_steps_forward_at_once_and_back_slowly(ann_and_bob):
    world = ann_and_bob
    before_ms = world.get("time")["serverTime"]
    fault(world, "clock_step", ms=6_000, for_s=10)
    assert world.get("time")["serverTime"] == before_ms + 6_000
    assert code(place(world)[0]) == (400, -1021)
    seen = []
    for _ in range(120):
        world.advance(1_000)
        seen.append(world.get("time")["serverTime"] - world.now_ns // 10**6)
    assert max(seen) == 6_000
    assert seen[-1] == 0
    assert all(one - other < 101 for one, other in pairwise(seen))


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(-30_000, 30_000), st.integers(-100_000, 100_000))))
def test_a_clock_never_runs_back_and_knows_when_it_will_show_a_time(turns):
    skew, now_ns, shown_ns = ClockSkew(), 10**18, 0
    for passed_ns, step_ms, ppm in turns:
        now_ns += passed_ns
        skew.read(now_ns)
        if step_ms % 2:
            skew.step(step_ms * 10**6)
        else:
            skew.drift(ppm)
        assert skew.at(now_ns) >= shown_ns
        shown_ns = skew.at(now_ns)
        ahead_ns = skew.real_ns(shown_ns + 10**9) - now_ns
        assert 0 < ahead_ns < 2 * 10**9
        assert abs(skew.at(now_ns + ahead_ns) - shown_ns - 10**9) <= 2


# -- when, how often, by what seed ----------------------------------------------------------------------


def test_windows_open_close_and_come_again(ann_and_bob):
    world = ann_and_bob
    fault(world, "server_error", after_s=10, for_s=5, every_s=60)

    def is_on():
        return world.request("GET", "/api/v3/ping").status == 503

    assert not is_on()
    world.advance(10_100)
    assert is_on()
    world.advance(5_100)
    assert not is_on()
    on = []
    for _ in range(3_000):
        world.advance(200)
        on.append(is_on())
    assert 0.01 < sum(on) / len(on) < 0.3


def test_the_same_seed_gives_the_same_hits_and_another_seed_others(world):
    def struck(seed):
        one = world(faults="storm", faults_seed=seed)
        found = []
        for n in range(300):
            one.advance(100)
            found.append(one.request("GET", "/api/v3/ping").status)
            place(one, f"c{n}")
        return found, control(one, method="GET")[1]["counters"]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)


def test_faults_are_listed_removed_and_cleared(ann_and_bob):
    world = ann_and_bob
    first = fault(world, "server_error", count=2)
    second = fault(world, "reset", account="bob", chance=0.5)
    shown = control(world, method="GET")[1]
    assert shown["active"][1] == {
        "number": second, "is_on": True, "hits": 0, "name": "reset", "account": "bob", "chance": 0.5,
    }  # fmt: skip
    place(world, "a")
    place(world, "b")
    assert (place(world, "c")[0].status, hits(world, "server_error")) == (200, 2)
    assert [one["number"] for one in control(world, {"remove": [first]})[1]["active"]] == [second]
    assert control(world, {"clear": True})[1]["active"] == []
    assert len(control(world, {"profile": "drizzle"})[1]["active"]) == len(drizzle())


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ({"add": [{"name": "dely"}]}, "did you mean `delay`? - at `$.add[0].name`"),
        ({"add": [{"name": "nothing like it"}]}, "known are backend_timeout, balance_moved"),
        ({"add": [{"name": "delay", "chanc": 1}]}, "unknown field `chanc`, did you mean `chance`?"),
        ({"add": [{"name": "delay", "zzz": 1}]}, "known are accepted, account, after_s, chance"),
        ({"add": [{"name": "delay", "delay": {"kind": "gauss"}}]}, "known are exponential, fixed, lognormal"),
        ({"add": [{"name": "delay", "account": "eve"}]}, "no account `eve`; there are ann, bob"),
        ({"add": [{"name": "symbol_halt", "symbol": "ETH-USDT"}]}, "no market `ETH-USDT`; there are BTCUSDT"),
        ({"add": [{"chance": 1}]}, "missing field `name`; known are"),
        ({"profile": "hail"}, "unknown fault profile `hail`; known are drizzle, none, storm"),
    ],
)
def test_an_error_is_one_line_with_the_known_names(ann_and_bob, requested, expected):
    status, body = control(ann_and_bob, requested)
    assert status == 400
    assert expected in body["error"]
    assert "\n" not in body["error"]


@pytest.mark.parametrize(("former", "name"), FORMER_KINDS.items())
def test_a_fault_is_read_under_its_earlier_name(former, name):
    assert shown(read_fault({"name": former, "chance": 0.5})) == {"name": name, "chance": 0.5}


def test_faults_come_from_a_file(tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text('[[faults]]\nname = "delay"\ndelay = { kind = "lognormal", median_ms = 40 }\n')
    (one,) = load_faults(file)
    assert one == read_fault({"name": "delay", "delay": {"kind": "lognormal", "median_ms": 40}})
    for text in ('[[fault]]\nname = "delay"', '[[faults]]\nname = "hail"', "no toml"):
        file.write_text(text)
        with pytest.raises(BadVenue, match=r"faults_file .*faults.toml: "):
            load_faults(file)
    with pytest.raises(BadVenue, match="No such file"):
        load_faults(tmp_path / "none.toml")
    with pytest.raises(BadFault, match="expected a table"):
        read_fault(3)


def test_delays_keep_to_their_bounds_and_shapes():
    random = Random(1)
    shapes = {
        "fixed": delays.Fixed(ms=70), "uniform": delays.Uniform(low_ms=20, high_ms=120),
        "exponential": delays.Exponential(mean_ms=70), "lognormal": delays.Lognormal(median_ms=70, sigma=0.1),
        "spikes": delays.Spikes(base_ms=20, spike_ms=1020, chance=0.05),
    }  # fmt: skip
    for name, shape in shapes.items():
        drawn = [delays.draw_ns(shape, random) / 1e6 for _ in range(20_000)]
        assert min(drawn) >= 0, name
        assert max(drawn) <= delays.MAX_DELAY_MS, name
        assert abs(sum(drawn) / len(drawn) - 70) < 5, name
    assert delays.draw_ns(delays.Lognormal(median_ms=120_000, sigma=5), Random(2)) <= delays.MAX_DELAY_MS * 10**6


def test_a_storm_is_every_kind_of_fault():
    assert {type(one) for one in storm()} == set(KINDS.values())
    assert set(PROFILES) == {"none", "drizzle", "storm"}


def test_the_page_lists_every_fault_with_its_line():
    part = PAGE.read_text(encoding="utf-8").partition("## Faults\n")[2].partition("\n## ")[0]
    reported = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", part, re.MULTILINE))
    assert reported == {name: summary(kind) for name, kind in KINDS.items()}


def test_the_example_of_the_page_is_a_file_of_faults(tmp_path):
    file = tmp_path / "faults.json"
    file.write_text(re.search(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1])
    assert [type(one) for one in load_faults(file)] == [KINDS["backend_timeout"], KINDS["symbol_halt"]]
