"""Any request is answered; no request makes the exchange fail or changes balances."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venue.api.dispatch import BY_WS_METHOD, ENDPOINTS
from venue.api.requests.allowed_params import ALLOWED
from venue.base.wire import Request

NAMES = """
symbol symbols side type timeInForce quantity quoteOrderQty price newClientOrderId orderId recvWindow origClientOrderId
timestamp signature limit fromId startTime endTime interval newOrderRespType stopPrice selfTradePreventionMode
cancelReplaceMode cancelOrderId cancelRestrictions strategyId strategyType newQty preventedMatchId fromExecutionId
computeCommissionRates fromPreventedMatchId
"""
WORDS = """
BTCUSDT BUY SELL LIMIT MARKET LIMIT_MAKER GTC IOC FOK 60000 0.001 1 -1 0 1e9 NaN 1700000000000 1m FULL STOP_ON_FAILURE
EXPIRE_BOTH TRANSFER 99999999999999999999 0.00000001 true
"""
VALUES = st.sampled_from(re.findall(r"\S+", WORDS)) | st.text(max_size=12) | st.integers(-(10**20), 10**20).map(str)
PARAMS = st.dictionaries(st.sampled_from(re.findall(r"\S+", NAMES)), VALUES, max_size=10)
GOOD = {
    "symbol": "BTCUSDT",
    "symbols": '["BTCUSDT"]',
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.1",
    "price": "60000",
    "interval": "1m",
    "timeZone": "5:45",
    "windowSize": "7d",
    "symbolStatus": "TRADING",
    "limit": "5",
    "permissions": "SPOT",
    "orderId": "1",
    "fromId": "1",
    "startTime": "1700000000000",
    "cancelOrderId": "2",
    "cancelReplaceMode": "ALLOW_FAILURE",
    "newOrderRespType": "FULL",
    "recvWindow": "5000.001",
}
ROUTES = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]


@st.composite
def parameters(draw, route):
    """Mostly the endpoint's own, with values that make sense or none; sometimes any."""
    form = ALLOWED.get(route)
    if form is None or not form.known or draw(st.integers(0, 4)) == 0:
        return draw(PARAMS)
    names = draw(st.lists(st.sampled_from(sorted(form.known)), max_size=8, unique=True))
    names = dict.fromkeys([*form.mandatory, *names])
    return {name: GOOD[name] if name in GOOD and draw(st.integers(0, 5)) else draw(VALUES) for name in names}


@st.composite
def requests(draw):
    route = draw(st.sampled_from(ROUTES))
    return route, draw(parameters(route))


@st.composite
def messages(draw):
    method = draw(st.sampled_from(sorted(BY_WS_METHOD)))
    endpoint = BY_WS_METHOD[method]
    return method, draw(parameters((endpoint.method, endpoint.path)))


FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def fuzzed():
    return {}


def one_world(world, fuzzed):
    """One still exchange for all examples, with something in its book."""
    if "world" not in fuzzed:
        fuzzed["world"] = world()
        for step in range(5):
            fuzzed["world"].order("SELL", "0.1", 60_000 + step, who="bob")
            fuzzed["world"].order("BUY", "0.1", 59_999 - step, who="bob")
    return fuzzed["world"]


def check(world):
    house = world.exchange.settlement.funds.outside
    for asset, opening in (("BTC", 20), ("USDT", 2_000_000)):
        owned = sum(sum(world.balance(asset, who)) for who in ("ann", "bob"))
        assert owned * 10**8 + house.get(asset, 0) == opening * 10**8
        assert min(min(world.balance(asset, who)) for who in ("ann", "bob")) >= 0


@FEW
@given(requested=requests(), body=st.binary(max_size=40))
def test_any_unsigned_request_is_answered(world, fuzzed, requested, body):
    route, params = requested
    one = one_world(world, fuzzed)
    query = "&".join(f"{name}={value}" for name, value in params.items())
    headers = {"x-mbx-apikey": params.get("symbol", "key-ann")}
    answer = one.exchange.handle(Request(*route, query, headers, body), one.now_ns)
    assert answer.status in (200, 400, 401)
    json.loads(answer.body)
    check(one)


@FEW
@given(requested=requests())
def test_any_signed_request_is_answered(world, fuzzed, requested):
    route, params = requested
    one = one_world(world, fuzzed)
    path = route[1].removeprefix("/api/v3/")
    params.pop("signature", None)
    params.pop("timestamp", None)
    if not route[1].startswith("/api/v3/"):
        return
    status, body = one.signed(route[0], path, **params)
    assert status in (200, 400, 409), body
    check(one)


@FEW
@given(message=messages(), number=st.none() | st.integers(0, 2**60) | st.text())
def test_any_websocket_method_is_answered(world, fuzzed, message, number):
    method, params = message
    one = one_world(world, fuzzed)
    conn_id = one.open("/ws-api/v3")
    (answer,) = one.send(
        conn_id, id=number if not isinstance(number, int) else number % 2**60, method=method, params=params
    )
    assert answer["status"] in (200, 400, 401)
    one.exchange.close(conn_id, one.now_ns)


@FEW
@given(path=st.sampled_from(["/ws", "/stream", "/ws-api/v3", "/ws/btcusdt@trade"]), data=st.binary() | st.text())
def test_any_frame_is_taken(world, fuzzed, path, data):
    one = one_world(world, fuzzed)
    conn_id = one.open(path)
    one.exchange.receive(conn_id, data, one.now_ns)
    one._settle()
    assert one.received(conn_id)
    one.exchange.close(conn_id, one.now_ns)


@pytest.mark.parametrize("path", ["/ws", "/ws-api/v3"])
@pytest.mark.parametrize(
    "data",
    [
        rb'{"id":"\ud800","method":"ping","params":["\ud800"]}',
        rb'{"id":1,"method":"SUBSCRIBE","params":["\ud800"]}',
        rb'{"id":1,"method":"order.place","params":{"symbol":"\ud800","apiKey":"\udfff","timestamp":1}}',
        b'{"id":1,"method":"order.place","params":{"symbol":"\xff"}}',
        b'{"id":1,"method":"order.place","params":{"symbol":' + b"[" * 5000 + b"]" * 5000 + b"}}",
        b'{"id":1,"method":"SUBSCRIBE","params":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id":1e400,"method":"ping"}',
        b'{"id":99999999999999999999999,"method":"ping"}',
    ],
)
def test_nasty_frames_are_taken(ann_and_bob, path, data):
    conn_id = ann_and_bob.open(path)
    ann_and_bob.exchange.receive(conn_id, data, ann_and_bob.now_ns)
    ann_and_bob.exchange.receive(conn_id, b'{"id":2,"method":"LIST_SUBSCRIPTIONS"}', ann_and_bob.now_ns)
    ann_and_bob._settle()
    assert len(ann_and_bob.received(conn_id)) == 2


@FEW
@given(
    path=st.sampled_from(["/ws", "/stream", "/ws-api/v3"]),
    frame=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "method", "params", "x"]), inner, max_size=4)
        ),
    ),
)
def test_any_json_is_taken(world, fuzzed, path, frame):
    one = one_world(world, fuzzed)
    conn_id = one.open(path)
    one.exchange.receive(conn_id, json.dumps(frame), one.now_ns)
    one._settle()
    one.exchange.close(conn_id, one.now_ns)


@FEW
@given(path=st.text(max_size=20), query=st.text(max_size=30))
def test_any_path_opens_or_does_not(world, fuzzed, path, query):
    one = one_world(world, fuzzed)
    one.connections += 1
    assert one.exchange.open(one.connections, "/" + path, one.now_ns, query) in (True, False)
    one.exchange.close(one.connections, one.now_ns)
