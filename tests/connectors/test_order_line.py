"""Orders over the exchange's own websocket, under the same laws as over REST."""

import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from actors.log.secret import ApiKey, Secret
from connectors.binance.errors import judge
from connectors.binance.line import parse_line, request_frame
from connectors.binance.requests import BinanceOrders
from connectors.binance.sign import sign, ws_payload
from connectors.core.order_api import BadAnswer, LineAnswer, UserReady, UserRefused
from connectors.core.reports import Proof, StreamEnded, Trouble
from connectors.net.keepalive import BAD_FRAMES_MAX
from protocol import AnswerCode, OrdStatus, Side
from tests.connectors.test_connector_worlds import Monkey

HMAC = ApiKey("the key", Secret("the secret"))


def ed25519():
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ApiKey("the key", Secret(pem.decode()), "ed25519")


class Line:
    """What goes over the order line. `loses` drops requests before the exchange has them, `breaks` cuts the line."""

    def __init__(self, world) -> None:
        self.world, self.methods = world, []
        self.loses = self.breaks = False
        receive = world.venue.receive

        def received(conn_id, data, now_ns):
            method = json.loads(data)["method"]
            if not method.startswith("order."):
                receive(conn_id, data, now_ns)
                return
            self.methods.append((method, json.loads(data)["params"].get("newClientOrderId", "")))
            if not self.loses:
                receive(conn_id, data, now_ns)
            if self.breaks:
                world.control("POST", "drop", kind="user")

        world.venue.receive = received

    @property
    def placed(self):
        return [name for method, name in self.methods if method != "order.cancel"]


@pytest.fixture
def world(new_world):
    world = new_world(orders_by="websocket")
    world.line = Line(world)
    world.ready()
    world.until(lambda: world.connector.caller.by_line)
    return world


def test_an_order_goes_by_the_line_and_never_by_rest(world):
    intent = world.place(Side.BUY, 5_900_000)
    world.run(1)
    assert world.trader.answers[intent].code is AnswerCode.OK
    assert world.last(intent).status is OrdStatus.NEW
    assert [method for method, _ in world.line.methods] == ["order.place"]
    assert not world.placements()
    world.cancel(intent)
    world.run(1)
    assert world.last(intent).status is OrdStatus.CANCELED
    assert [method for method, _ in world.line.methods] == ["order.place", "order.cancel"]
    world.check()


def test_a_replacement_goes_by_the_line_too(world):
    first = world.place(Side.BUY, 5_900_000)
    world.run(1)
    second = world.replace(first, 5_910_000)
    world.run(1)
    assert (world.last(first).status, world.last(second).status) == (OrdStatus.CANCELED, OrdStatus.NEW)
    assert [method for method, _ in world.line.methods] == ["order.place", "order.cancelReplace"]
    world.check()


def test_a_line_that_only_talks_garbage_is_given_up_and_what_went_over_it_is_asked_about(world):
    line, order_line = world.line, world.connector.caller.line
    line.loses = True
    intent = world.place(Side.BUY, 5_900_000)
    first = order_line._session._link
    for _ in range(BAD_FRAMES_MAX + 1):
        assert order_line._session._link is first
        first.listener.ws_frame(first, b"{")
    line.loses = False
    world.until(lambda: order_line.is_up and order_line._session._link is not first)
    assert order_line.garbage == BAD_FRAMES_MAX + 1
    world.run(60)
    assert world.last(intent).status is OrdStatus.NEW
    world.check()


def test_while_the_line_is_down_rest_serves(world):
    world.venue.is_closed = True
    world.control("POST", "drop", kind="user")
    world.until(lambda: not world.connector.caller.by_line)
    intent = world.place(Side.BUY, 5_900_000)
    world.run(1)
    assert world.last(intent).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    assert not world.line.methods
    world.venue.is_closed = False
    world.until(lambda: world.connector.caller.by_line)
    world.check()


def test_a_line_that_goes_down_between_decision_and_journal_hands_over_to_rest(world):
    line = world.connector.caller.line
    append = world.connector.append

    def slow(journal, record, then=None):
        line.is_up = False  # as if it had broken at this very moment
        append(journal, record, then)

    world.connector.append = slow
    intent = world.place(Side.BUY, 5_900_000)
    world.run(1)
    world.connector.append = append
    assert world.last(intent).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    assert not world.line.methods
    world.check()


@pytest.mark.parametrize("breaks", [False, True])
def test_a_request_that_was_lost_is_unknown_until_proven_and_never_sent_again(world, breaks):
    world.line.loses, world.line.breaks = True, breaks
    intent = world.place(Side.BUY, 5_900_000)
    world.run(3)
    assert world.last(intent).status is OrdStatus.UNKNOWN
    world.line.loses = world.line.breaks = False
    world.run(120)
    assert world.last(intent).status is OrdStatus.NOT_PLACED
    assert len(world.line.placed) == 1
    assert not world.placements()
    world.check()


@pytest.mark.parametrize("fate", [{"status": 0}, {"status": 504, "code": -1007}, {"status": 200, "delay_ms": 30_000}])
def test_an_order_whose_answer_was_lost_is_found_on_the_exchange(world, fate):
    world.control("POST", "faults", silence={"kind": "user", "seconds": 60})
    fault = {"method": "POST", "path": "/api/v3/order", "accepted": True, **fate}
    world.control("POST", "faults", error_next=fault)
    intent = world.place(Side.BUY, 5_900_000)
    world.run(2)
    seen = [update.status for update in world.trader.updates if update.order_ref == intent]
    world.run(40)
    assert OrdStatus.UNKNOWN in seen
    assert world.last(intent).status is OrdStatus.NEW
    assert (len(world.line.placed), world.placements()) == (1, [])
    world.check()


def test_a_line_that_breaks_with_requests_on_it_leaves_them_unknown_then_true(world):
    world.line.breaks = True
    intent = world.place(Side.BUY, 5_900_000)
    world.run(0.05)
    world.line.breaks = False
    world.run(10)
    assert world.last(intent).status is OrdStatus.NEW
    assert len(world.line.placed) == 1
    world.check()


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_in_the_end_we_know_what_the_exchange_knows(new_world, seed):
    world = new_world(seed, still=False, orders_by="websocket").ready()
    world.net.rate = world.net.event_rate = 0.2
    monkey = Monkey(world, seed)
    for _ in range(60):
        monkey.step()
    monkey.heal()
    world.until(lambda: world.state[0] == "TRADING", 30)
    world.run(120)
    assert not [one for one in world.connector.tracker.open.values() if one.status is OrdStatus.UNKNOWN]
    world.check()
    assert world.connector.caller.by_line


# -- what is said, and what is heard ----------------------------------------------------------------------


def test_a_request_is_signed_unless_its_connection_is_logged_on():
    params = {"symbol": "BTCUSDT", "side": "BUY", "timestamp": 1_700_000_000_000, "recvWindow": 5000}
    told = json.loads(request_frame(HMAC, 7, "order.place", params, False))
    assert (told["id"], told["method"]) == (7, "order.place")
    signature = told["params"].pop("signature")
    assert signature == sign(HMAC, ws_payload(told["params"]))
    assert told["params"]["apiKey"] == HMAC.key
    plain = json.loads(request_frame(HMAC, 8, "order.place", params, True))["params"]
    assert not {"apiKey", "signature"} & set(plain)


def test_only_a_key_that_can_log_a_connection_on_does():
    for key, logs_on in ((HMAC, False), (ed25519(), True)):
        dialect = BinanceOrders("http://x", "ws://x", key, 5000, 5000)
        frames = [json.loads(frame)["method"] for frame in dialect.line_login(10**18)]
        assert frames == (["session.logon"] if logs_on else [])


def answer(**fields):
    return parse_line(msgspec.json.encode({"id": 5, **fields}))


def test_an_error_on_the_line_proves_what_it_proves_over_rest():
    refused = answer(status=400, error={"code": -2010, "msg": "Account has insufficient balance"})
    assert refused.request_id == 5
    assert judge(refused.answer).proof is Proof.REJECTED
    timeout = answer(status=504, error={"code": -1007, "msg": "Timeout waiting for response"})
    assert judge(timeout.answer).proof is Proof.UNKNOWN


def test_limits_come_with_the_answer_as_they_do_in_headers():
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 70},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 12},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 160000, "count": 4043},
        {"rateLimitType": "CONNECTIONS", "interval": "MINUTE", "intervalNum": 5, "limit": 300, "count": 1},
    ]
    heard = answer(status=200, result={}, rateLimits=limits)
    used = BinanceOrders("http://x", "ws://x", HMAC, 5000, 5000).used(heard.answer.headers)
    assert used == {"weight-1m": 70, "order-count-10s": 12, "order-count-1d": 4043}


def test_a_ban_says_for_how_long():
    error = {"code": -1003, "msg": "banned", "data": {"serverTime": 1_000_000, "retryAfter": 1_012_500}}
    verdict = judge(answer(status=418, error=error).answer)
    assert (verdict.trouble, verdict.retry_after_ns) == (Trouble.BANNED, 13_000_000_000)


def test_login_shutdown_and_strangers():
    assert parse_line(b'{"id":"logon","status":200,"result":{}}') == UserReady()
    refused = parse_line(b'{"id":"logon","status":401,"error":{"code":-2015,"msg":"Invalid API-key"}}')
    assert refused == UserRefused("-2015 Invalid API-key", is_final=True)
    shutdown = parse_line(b'{"event":{"e":"serverShutdown","E":1}}')
    assert shutdown == StreamEnded("serverShutdown", is_soon=True)
    assert parse_line(b'{"id":"whose","status":200,"result":{}}') is None


@given(st.binary(max_size=200) | st.from_regex(rb'\{"id":[0-9]{1,3},"status":[0-9]{3},"(error|result)":.{0,20}\}'))
def test_no_bytes_do_more_than_be_refused(raw):
    try:
        heard = parse_line(raw)
    except BadAnswer:
        return
    assert heard is None or isinstance(heard, LineAnswer | UserReady | UserRefused | StreamEnded) or raw
