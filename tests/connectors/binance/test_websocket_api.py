"""Binance's WebSocket API for orders: requests are signed, answers are classified as over REST."""

import json

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from actors.log.secret import ApiKey, Secret
from connectors.binance.error_codes import classify
from connectors.binance.requests import BinanceOrders
from connectors.binance.sign import sign, ws_payload
from connectors.binance.websocket_api import parse_frame, request_frame
from connectors.core.order_api import BadAnswer, LoggedIn, LoginRefused, SocketAnswer
from connectors.core.reports import Outcome, StreamEnded, Trouble

HMAC = ApiKey("the key", Secret("the secret"))


def ed25519():
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ApiKey("the key", Secret(pem.decode()), "ed25519")


def test_a_request_is_signed_unless_its_connection_is_logged_on():
    params = {"symbol": "BTCUSDT", "side": "BUY", "timestamp": 1_700_000_000_000, "recvWindow": 5000}
    received = json.loads(request_frame(HMAC, 7, "order.place", params, False))
    assert (received["id"], received["method"]) == (7, "order.place")
    signature = received["params"].pop("signature")
    assert signature == sign(HMAC, ws_payload(received["params"]))
    assert received["params"]["apiKey"] == HMAC.key
    plain = json.loads(request_frame(HMAC, 8, "order.place", params, True))["params"]
    assert not {"apiKey", "signature"} & set(plain)


def test_only_a_key_that_can_log_a_connection_on_does():
    for key, logs_on in ((HMAC, False), (ed25519(), True)):
        api = BinanceOrders("http://x", "ws://x", key, 5000, 5000)
        frames = [json.loads(frame)["method"] for frame in api.order_socket_login(10**18)]
        assert frames == (["session.logon"] if logs_on else [])


def answer(**fields):
    return parse_frame(msgspec.json.encode({"id": 5, **fields}))


def test_an_error_on_the_socket_is_classified_as_over_rest():
    refused = answer(status=400, error={"code": -2010, "msg": "Account has insufficient balance"})
    assert refused.request_id == 5
    assert classify(refused.answer).outcome is Outcome.REJECTED
    timeout = answer(status=504, error={"code": -1007, "msg": "Timeout waiting for response"})
    assert classify(timeout.answer).outcome is Outcome.UNKNOWN


def test_limits_come_with_the_answer_as_they_do_in_headers():
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 70},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 12},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 160000, "count": 4043},
        {"rateLimitType": "CONNECTIONS", "interval": "MINUTE", "intervalNum": 5, "limit": 300, "count": 1},
    ]
    event = answer(status=200, result={}, rateLimits=limits)
    used = BinanceOrders("http://x", "ws://x", HMAC, 5000, 5000).used(event.answer.headers)
    assert used == {"weight-1m": 70, "order-count-10s": 12, "order-count-1d": 4043}


def test_a_ban_contains_its_duration():
    error = {"code": -1003, "msg": "banned", "data": {"serverTime": 1_000_000, "retryAfter": 1_012_500}}
    verdict = classify(answer(status=418, error=error).answer)
    assert (verdict.trouble, verdict.retry_after_ns) == (Trouble.BANNED, 13_000_000_000)


def test_login_shutdown_and_unknown_ids():
    assert parse_frame(b'{"id":"logon","status":200,"result":{}}') == LoggedIn()
    refused = parse_frame(b'{"id":"logon","status":401,"error":{"code":-2015,"msg":"Invalid API-key"}}')
    assert refused == LoginRefused("-2015 Invalid API-key", is_final=True)
    shutdown = parse_frame(b'{"event":{"e":"serverShutdown","E":1}}')
    assert shutdown == StreamEnded("serverShutdown", is_soon=True)
    assert parse_frame(b'{"id":"whose","status":200,"result":{}}') is None


@given(st.binary(max_size=200) | st.from_regex(rb'\{"id":[0-9]{1,3},"status":[0-9]{3},"(error|result)":.{0,20}\}'))
def test_no_bytes_do_more_than_be_refused(raw):
    try:
        event = parse_frame(raw)
    except BadAnswer:
        return
    assert event is None or isinstance(event, SocketAnswer | LoggedIn | LoginRefused | StreamEnded) or raw
