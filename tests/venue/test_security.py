"""Signatures and timing: the documents' own vectors, and the rules of the window."""

import base64
import hashlib
import hmac
import json
from urllib.parse import quote

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from venue import demo, security
from venue.errors import ApiError, BadVenue
from venue.params import from_json
from venue.settings import KeySettings


@pytest.fixture
def vectors(recorded):
    return json.loads(recorded("binance_docs/binance_docs_sign_vectors.json").read_text())


def test_every_hmac_vector_of_the_documents_verifies(vectors):
    seen = 0
    for vector in vectors:
        if vector["scheme"] != "HMAC-SHA256" or not vector["verified"]:
            continue
        key = security.load_key(KeySettings(api_key="k", secret=vector["secret"]), "a")
        key.verify(vector["payload"].encode(), vector["expected"])
        key.verify(vector["payload"].encode(), vector["expected"].upper())
        seen += 1
    assert seen > 15


def test_every_ed25519_vector_of_the_documents_verifies(vectors):
    seen = 0
    for vector in vectors:
        if vector["scheme"] != "Ed25519":
            continue
        private = load_pem_private_key(vector["private_key_pem"].encode(), None)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        key = security.load_key(KeySettings(api_key="k", ed25519_public_key=public), "a")
        key.verify(vector["payload"].encode(), vector["expected"])
        with pytest.raises(ApiError, match="Signature"):
            key.verify(vector["payload"].encode() + b"0", vector["expected"])
        seen += 1
    assert seen > 0


def test_websocket_requests_sign_their_parameters_sorted_and_as_they_came(vectors):
    seen = 0
    for vector in vectors:
        if "request" not in vector or not vector["verified"]:
            continue
        raw = msgspec.json.decode(json.dumps(vector["request"]["params"]), type=dict[str, msgspec.Raw])
        assert security.websocket_payload(from_json(raw)).decode() == vector["payload"]
        seen += 1
    assert seen > 5


def test_numbers_and_booleans_sign_as_their_json_text():
    raw = msgspec.json.decode(b'{"b":false,"a":0.10,"n":null,"s":"x"}', type=dict[str, msgspec.Raw])
    assert security.websocket_payload(from_json(raw)) == b"a=0.10&b=false&s=x"


def test_the_signature_may_stand_in_query_or_body_and_covers_both(ann_and_bob):
    world = ann_and_bob
    headers = {"x-mbx-apikey": "key-ann"}
    stamp = world.now_ns // 1_000_000
    first, second = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT",
        f"timeInForce=GTC&quantity=1&price=50000&timestamp={stamp}",
    )
    for query, body in (
        (first + "&" + second, ""),
        ("", first + "&" + second),
        (first, second),
    ):
        signature = "&signature=" + world.sign(query + body)
        in_query = world.request("POST", "/api/v3/order/test", query + signature, body, headers)
        in_body = world.request("POST", "/api/v3/order/test", query, body + signature, headers)
        assert (in_query.status, in_body.status) == (200, 200)
    swapped = world.request(
        "POST", "/api/v3/order/test", first + "&signature=" + world.sign(second + first), second, headers
    )
    assert json.loads(swapped.body)["code"] == -1022


def test_the_query_wins_over_the_body(ann_and_bob):
    world = ann_and_bob
    stamp = world.now_ns // 1_000_000
    query, body = f"symbol=BTCUSDT&timestamp={stamp}", "symbol=NOSUCH"
    signed = query + "&signature=" + world.sign(query + body)
    answer = world.request("DELETE", "/api/v3/openOrders", signed, body, {"x-mbx-apikey": "key-ann"})
    assert json.loads(answer.body)["code"] == -2011


def test_ed25519_signatures_are_accepted_percent_encoded(world):
    one = world(accounts=demo.accounts())
    private = load_pem_private_key(demo.ED25519_PRIVATE_PEM.encode(), None)
    query = f"timestamp={one.now_ns // 1_000_000}"
    signature = quote(base64.b64encode(private.sign(query.encode())).decode(), safe="")
    headers = {"x-mbx-apikey": demo.ED25519_KEY}
    assert one.request("GET", "/api/v3/account", f"{query}&signature={signature}", headers=headers).status == 200
    wrong = quote(base64.b64encode(private.sign(b"other")).decode(), safe="")
    assert one.request("GET", "/api/v3/account", f"{query}&signature={wrong}", headers=headers).status == 400


@pytest.mark.parametrize(
    ("behind_ms", "window", "code"),
    [
        (0, None, None),
        (5000, None, None),
        (5001, None, -1021),
        (-999, None, None),
        (-1000, None, -1021),
        (59_000, "60000", None),
        (11, "10.5", -1021),
        (10, "10.5", None),
        (0, "60001", -1131),
        (0, "1.0001", -1111),
        (0, "abc", -1100),
        (0, "NaN", -1100),
    ],
)
def test_the_window_of_a_request(ann_and_bob, behind_ms, window, code):
    world = ann_and_bob
    query = f"timestamp={world.now_ns // 1_000_000 - behind_ms}"
    if window is not None:
        query += f"&recvWindow={window}"
    query += "&signature=" + world.sign(query)
    answer = world.request("GET", "/api/v3/account", query, headers={"x-mbx-apikey": "key-ann"})
    assert json.loads(answer.body).get("code") == code


def test_timestamps_may_be_microseconds(ann_and_bob):
    world = ann_and_bob
    for microseconds, status in (
        (world.now_ns // 1000 - 5_000_000, 200),
        (world.now_ns // 1000 - 5_000_001, 400),
    ):
        query = f"timestamp={microseconds}"
        query += "&signature=" + world.sign(query)
        assert world.request("GET", "/api/v3/account", query, headers={"x-mbx-apikey": "key-ann"}).status == status


def test_wrong_keys_get_their_codes(ann_and_bob):
    world = ann_and_bob
    query = f"timestamp={world.now_ns // 1_000_000}"
    good = query + "&signature=" + world.sign(query)
    for headers, asked, code, status in (
        ({}, good, -2014, 401),
        ({"x-mbx-apikey": "key-nobody"}, good, -2015, 401),
        ({"x-mbx-apikey": "key-ann"}, query, -1102, 400),
        ({"x-mbx-apikey": "key-bob"}, good, -1022, 400),
        ({"x-mbx-apikey": "key-ann"}, "signature=" + world.sign(""), -1102, 400),
    ):
        answer = world.request("GET", "/api/v3/account", asked, headers=headers)
        assert (json.loads(answer.body)["code"], answer.status) == (code, status)


def test_a_key_that_may_only_read_cannot_trade(world):
    one = world(accounts=demo.accounts())
    query = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&timestamp={one.now_ns // 1_000_000}"
    signature = hmac.new(demo.READER_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    headers = {"x-mbx-apikey": demo.READER_KEY}
    answer = one.request("POST", "/api/v3/order", f"{query}&signature={signature}", headers=headers)
    assert (answer.status, json.loads(answer.body)["code"]) == (401, -2015)


def test_a_key_without_a_secret_is_refused_at_the_start():
    with pytest.raises(BadVenue, match="needs secret or ed25519_public_key"):
        security.load_key(KeySettings(api_key="k"), "a")
    with pytest.raises(BadVenue, match="no PEM public key"):
        security.load_key(KeySettings(api_key="k", ed25519_public_key="nonsense"), "a")
