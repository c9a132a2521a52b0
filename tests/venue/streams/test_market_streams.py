"""Market streams: subscriptions, deltas that rebuild the book, prices, trades, pings."""

import json
from itertools import pairwise

import pytest

from venue.base.settings import LimitSettings, MarketSettings
from venue.base.wire import PingFrame, PongFrame

ALIVE = [MarketSettings()]


def rebuild(snapshot, diffs):
    """The book after a snapshot and the deltas that follow it, by the rule U <= lastUpdateId + 1 <= u."""
    book = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    last = snapshot["lastUpdateId"]
    for diff in diffs:
        if diff["u"] <= last:
            continue
        assert diff["U"] <= last + 1 <= diff["u"]
        for side in "ba":
            for price, size in diff[side]:
                book[side].pop(price, None)
                if float(size):
                    book[side][price] = size
        last = diff["u"]
    return last, book


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["btcusdt@depth@100ms", "btcusdt@depth"])
def test_deltas_are_contiguous_and_rebuild_the_book(world, stream):
    one = world(markets=ALIVE)
    one.advance(1500)
    conn_id = one.open(f"/ws/{stream}")
    one.advance(2300)
    snapshot = one.get("depth", symbol="BTCUSDT", limit=5000)
    one.advance(20_200)  # up to a whole second, so that both streams are complete
    diffs = one.received(conn_id)
    assert len(diffs) >= (20 if stream.endswith("depth") else 200)
    for before, after in pairwise(diffs):
        assert after["U"] == before["u"] + 1
    last, book = rebuild(snapshot, diffs)
    truth = one.get("depth", symbol="BTCUSDT", limit=5000)
    reported = diffs[-1]["u"]
    assert last == reported
    if reported == truth["lastUpdateId"]:
        assert book == {"b": dict(truth["bids"]), "a": dict(truth["asks"])}
    assert abs(truth["lastUpdateId"] - reported) < 10


def test_the_rebuilt_book_is_the_true_one_at_every_delta(world):
    one = world(markets=ALIVE)
    conn_id = one.open("/ws/btcusdt@depth@100ms")
    one.advance(100)
    snapshot = one.get("depth", symbol="BTCUSDT", limit=5000)
    compared = 0
    for _ in range(60):
        one.advance(100)
        one.exchange.streams.each_tenth(one.now_ns, False)
        one._settle()
        truth = one.get("depth", symbol="BTCUSDT", limit=5000)
        last, book = rebuild(snapshot, one.received(conn_id))
        assert last == truth["lastUpdateId"]
        assert book == {"b": dict(truth["bids"]), "a": dict(truth["asks"])}
        compared += 1
    assert compared == 60


def test_the_best_prices_agree_with_the_book_at_their_update_id(world):
    one = world(markets=ALIVE)
    conn_id = one.open("/stream", "streams=btcusdt@bookTicker/btcusdt@depth@100ms")
    one.advance(100)
    snapshot = one.get("depth", symbol="BTCUSDT", limit=5000)
    one.advance(5000)
    frames = one.received(conn_id)
    diffs, checked = [], 0
    latest = None
    for frame in frames:
        if frame["stream"] == "btcusdt@bookTicker":
            latest = frame["data"]
            continue
        diffs.append(frame["data"])
        if latest is not None and latest["u"] > snapshot["lastUpdateId"]:
            _, book = rebuild(snapshot, diffs)
            bid, ask = max(book["b"], key=float), min(book["a"], key=float)
            assert (latest["b"], latest["B"], latest["a"], latest["A"]) == (
                bid,
                book["b"][bid],
                ask,
                book["a"][ask],
            )
            checked += 1
    assert checked > 30


def test_trades_are_published_as_they_happen(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/stream", "streams=btcusdt@trade/btcusdt@aggTrade")
    world.order("SELL", "1", "60000", who="bob")
    world.order("SELL", "1", "60000", who="bob")
    world.order("BUY", "1.5", "60000")
    frames = world.received(conn_id)
    assert [(f["stream"], f["data"]["q"], f["data"]["m"]) for f in frames] == [
        ("btcusdt@trade", "1.00000000", False),
        ("btcusdt@trade", "0.50000000", False),
        ("btcusdt@aggTrade", "1.50000000", False),
    ]


def test_slow_streams_come_each_second(ann_and_bob):
    world = ann_and_bob
    names = ("miniTicker", "ticker", "avgPrice", "kline_1s", "kline_1m", "depth5", "depth20@100ms")
    conn_id = world.open("/stream", "streams=" + "/".join(f"btcusdt@{name}" for name in names))
    world.order("SELL", "1", "60000", who="bob")
    world.order("BUY", "0.5", "60000")
    world.advance(2000)
    frames = world.received(conn_id)
    counts = {name: sum(f["stream"] == f"btcusdt@{name}" for f in frames) for name in names}
    assert counts == {
        "miniTicker": 2,
        "ticker": 2,
        "avgPrice": 2,
        "kline_1s": 2,
        "kline_1m": 1,
        "depth5": 2,
        "depth20@100ms": 20,
    }
    seconds = [f["data"]["k"] for f in frames if f["stream"] == "btcusdt@kline_1s"]
    assert [(k["x"], k["n"], k["c"]) for k in seconds] == [
        (True, 1, "60000.00000000"),
        (True, 0, "60000.00000000"),
    ]
    candle = next(f["data"]["k"] for f in frames if f["stream"] == "btcusdt@kline_1m")
    assert (candle["o"], candle["v"], candle["n"], candle["x"]) == ("60000.00000000", "0.50000000", 1, False)


def test_control_messages(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws/btcusdt@trade")
    assert world.send(conn_id, method="LIST_SUBSCRIPTIONS", id=1) == [{"result": ["btcusdt@trade"], "id": 1}]
    both = ["btcusdt@depth", "btcusdt@bookTicker"]
    assert world.send(conn_id, method="SUBSCRIBE", params=both, id="x") == [{"result": None, "id": "x"}]
    assert world.send(conn_id, method="UNSUBSCRIBE", params=both[:1], id=2) == [{"result": None, "id": 2}]
    assert world.send(conn_id, method="LIST_SUBSCRIPTIONS", id=3)[0]["result"] == ["btcusdt@trade", both[1]]
    assert world.send(conn_id, method="GET_PROPERTY", params=["combined"], id=4) == [{"result": False, "id": 4}]
    assert world.send(conn_id, method="SET_PROPERTY", params=["combined", True], id=5) == [{"result": None, "id": 5}]
    assert world.send(conn_id, method="SET_PROPERTY", params=["other", True], id=6)[0]["error"]["code"] == 0
    assert world.send(conn_id, method="SHOUT", id=7)[0]["error"]["code"] == 2
    world.order("SELL", "1", "60000")
    assert world.received(conn_id)[-1]["stream"] == "btcusdt@bookTicker"
    world.exchange.receive(conn_id, "{nonsense", world.now_ns)
    world._settle()
    assert world.received(conn_id)[-1]["error"]["code"] == 3
    assert world.was_closed(conn_id), "a frame that is not JSON costs the connection"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('{"method":"SET_PROPERTY","params":["other",true],"id":1}', 0, "Unknown property"),
        ('{"method":"SET_PROPERTY","params":["combined",1],"id":1}', 1, "Invalid value type: expected Boolean"),
        ('{"method":"GET_PROPERTY","params":[],"id":1}', 2, "Invalid request: property name must be a string"),
        ('{"method":"GET_PROPERTY","params":["combined",1],"id":1}', 2, "Invalid request: too many parameters"),
        ('{"method":"LIST_SUBSCRIPTIONS","params":["x"],"id":1}', 2, "Invalid request: too many parameters"),
        ('{"method":"LIST_SUBSCRIPTIONS"}', 2, "Invalid request: request ID must be an unsigned integer"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":1.5}', 2, "Invalid request: request ID must be an unsigned integer"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":"%s"}' % ("x" * 37), 2, "Invalid request: request ID must be an"),
        ('{"id":1}', 2, "Invalid request: missing field `method` at line 1 column 8"),
        ('{"method":"SHOUT","id":1}', 2, "Invalid request: unknown variant `SHOUT`, expected one of `SUBSCRIBE`, "),
        ('{"method":}', 3, "Invalid JSON: expected value at line 1 column 11"),
    ],
)
def test_bad_control_messages_get_the_documented_texts(ann_and_bob, text, code, message):
    world = ann_and_bob
    conn_id = world.open("/ws")
    world.exchange.receive(conn_id, text, world.now_ns)
    world._settle()
    answer = world.received(conn_id)[-1]["error"]
    assert answer["code"] == code
    assert answer["msg"].startswith(message)


def test_an_id_may_be_null_or_a_long_or_a_word(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws")
    for name in (None, -(2**63), 2**63 - 1, "a" * 36):
        assert world.send(conn_id, method="LIST_SUBSCRIPTIONS", id=name) == [{"result": [], "id": name}]


def test_any_path_below_ws_is_a_raw_connection(ann_and_bob):
    world = ann_and_bob
    for path in ("/ws", "/ws/0", "/ws/1"):
        conn_id = world.open(path)
        world.send(conn_id, method="SUBSCRIBE", params=["btcusdt@bookTicker"], id=1)
        world.order("SELL", "0.1", 60000 + conn_id)
        world.order("BUY", "0.1", 50000 + conn_id)
        assert "u" in world.received(conn_id)[-1]
    assert not world.exchange.open(99, "/elsewhere", world.now_ns)


def test_streams_have_microseconds_on_request(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws/btcusdt@trade", "timeUnit=MICROSECOND")
    world.order("SELL", "1", "60000", who="bob")
    world.order("BUY", "1", "60000")
    assert world.received(conn_id)[0]["T"] == world.now_ns // 1000


def test_a_client_that_answers_no_pings_is_disconnected(ann_and_bob):
    world = ann_and_bob
    deaf, alive = world.open("/ws"), world.open("/ws")
    babbling = world.open("/ws")
    for second in range(1, 101):
        received = len(world.pushes)
        world.advance(1000)
        for to, item in world.pushes[received:]:
            if to == alive and isinstance(item, PingFrame):
                world.exchange.pong(alive, world.now_ns, item.payload)
        if second % 10 == 0:
            world.exchange.pong(babbling, world.now_ns, b"")
        if second == 79:  # the first ping came at 20
            assert not world.was_closed(deaf)
    pings = [item for to, item in world.pushes if to == deaf and isinstance(item, PingFrame)]
    assert len(pings) == 3
    assert world.was_closed(deaf)
    assert world.was_closed(babbling)  # unsolicited pongs are allowed, and do not keep the websocket open
    assert not world.was_closed(alive)


def test_a_websocket_is_closed_after_a_day(ann_and_bob):
    world = ann_and_bob
    raw, combined, user = world.open("/ws"), world.open("/stream"), world.open("/ws-api/v3")
    world.now_ns += 86_400 * 10**9 - 599 * 10**9
    world.exchange.advance(world.now_ns)
    world._settle()
    stamp = world.now_ns // 10**6
    gone = {"e": "serverShutdown", "E": stamp}
    assert world.received(raw) == [gone]
    assert world.received(combined) == [{"stream": "!serverShutdown", "data": gone}]
    assert world.received(user) == [{"event": gone}]
    assert not world.was_closed(raw)
    world.now_ns += 600 * 10**9
    world.exchange.advance(world.now_ns)
    world._settle()
    assert all(map(world.was_closed, (raw, combined, user)))
    assert world.received(raw) == [gone]


def test_a_server_that_shuts_down_announces_it_to_all(ann_and_bob):
    world = ann_and_bob
    raw, user = world.open("/ws", "timeUnit=MICROSECOND"), world.subscribe_user()
    world.exchange.announce_shutdown(world.now_ns)
    world._settle()
    assert world.received(raw) == [{"e": "serverShutdown", "E": world.now_ns // 1000}]
    assert world.received(user)[-1] == {"event": {"e": "serverShutdown", "E": world.now_ns // 10**6}}


def test_a_websocket_has_a_maximum_number_of_streams(world):
    one = world(rate_limits=LimitSettings(streams=2))
    conn_id = one.open("/ws/btcusdt@trade")
    assert one.send(conn_id, method="SUBSCRIBE", params=["btcusdt@depth", "btcusdt@trade"], id=1)[0]["result"] is None
    assert one.send(conn_id, method="SUBSCRIBE", params=["btcusdt@ticker"], id=2)[0]["error"]["code"] == 2
    assert one.send(conn_id, method="LIST_SUBSCRIPTIONS", id=3)[0]["result"] == ["btcusdt@trade", "btcusdt@depth"]


def test_a_ping_is_answered_with_its_payload(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws")
    world.exchange.ping(conn_id, b"abc", world.now_ns)
    assert world.exchange.take_pushes() == [(conn_id, PongFrame(b"abc"))]


def test_a_closed_websocket_receives_nothing_more(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws/btcusdt@bookTicker")
    user = world.subscribe_user()
    world.exchange.close(conn_id, world.now_ns)
    world.exchange.close(user, world.now_ns)
    world.pushes.clear()
    world.order("SELL", "1", "60000")
    world.advance(1000)
    assert world.pushes == []


def test_frames_are_json_text(ann_and_bob):
    world = ann_and_bob
    conn_id = world.open("/ws/btcusdt@depth@100ms")
    world.order("BUY", "1", "50000")
    world.advance(100)
    ((_, text),) = [(to, item) for to, item in world.pushes if to == conn_id]
    assert json.loads(text)["b"] == [["50000.00000000", "1.00000000"]]
