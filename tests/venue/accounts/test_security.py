"""Signatures and timing: the documented examples, and the rules of the time window."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from urllib.parse import quote

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from venue.accounts import security
from venue.base import demo
from venue.base.api_errors import ApiError
from venue.base.params import from_json
from venue.base.settings import AccountSettings, KeySettings
from venue.base.venue_errors import BadVenue
from venue.base.wire import Request


@pytest.fixture
def vectors(recorded):
    return json.loads(recorded("binance_docs/binance_docs_sign_vectors.json").read_text())


def public_pem(private_pem):
    private = load_pem_private_key(private_pem.encode(), None)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_every_vector_of_the_documents_verifies(vectors):
    seen = Counter()
    for vector in vectors:
        scheme, payload, signature = vector["scheme"], vector["payload"].encode(), vector["expected"]
        if scheme.startswith("HMAC"):
            key = security.load_key(KeySettings(api_key="k", secret=vector["secret"]), "a")
            key.verify(payload, signature.upper())
        else:
            pem = public_pem(vector["private_key_pem"])
            key = security.load_key(KeySettings(api_key="k", ed25519_public_key=pem), "a")
        key.verify(payload, signature)
        with pytest.raises(ApiError, match="Signature"):
            key.verify(payload + b"0", signature)
        seen[scheme] += 1
    assert seen == {"HMAC-SHA256": 21, "Ed25519": 1}


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


def test_rsa_keys_sign_too_and_their_signatures_are_case_sensitive(world):
    private = generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    keys = [KeySettings(api_key="rsa", rsa_public_key=pem)]
    one = world(accounts=[AccountSettings(name="ann", keys=keys)])
    query = f"timestamp={one.now_ns // 1_000_000}"
    signature = base64.b64encode(private.sign(query.encode(), PKCS1v15(), SHA256())).decode()
    for sent, status in ((signature, 200), (signature.swapcase(), 400), ("", 400), ("!", 400)):
        signed = f"{query}&signature={quote(sent, safe='')}"
        assert one.request("GET", "/api/v3/account", signed, headers={"x-mbx-apikey": "rsa"}).status == status
    with pytest.raises(BadVenue, match="rsa_public_key is a key of another kind"):
        security.load_key(KeySettings(api_key="k", rsa_public_key=demo.ED25519_PUBLIC_PEM), "a")


def test_the_signature_covers_the_bytes_as_they_came_encoded_or_not(ann_and_bob):
    world = ann_and_bob
    stamp = world.now_ns // 1_000_000
    plain, encoded = f"symbol=ＢＴＣ&timestamp={stamp}", f"symbol=%EF%BC%A2%EF%BC%B4%EF%BC%A3&timestamp={stamp}"
    for signed, sent, code in ((encoded, encoded, -1121), (plain, encoded, -1022), (plain, plain, -1121)):
        query = f"{sent}&signature={world.sign(signed)}"
        answer = world.request("GET", "/api/v3/openOrders", query, headers={"x-mbx-apikey": "key-ann"})
        assert json.loads(answer.body)["code"] == code


@pytest.mark.parametrize(("waited_ms", "code"), [(0, None), (10, None), (11, -1021)])
def test_an_order_must_be_valid_still_when_it_is_matched(ann_and_bob, waited_ms, code):
    world = ann_and_bob
    query = (
        f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50000&timestamp={world.now_ns // 10**6}"
    )
    query += "&recvWindow=10"
    query += "&signature=" + world.sign(query)
    requested = Request("POST", "/api/v3/order", query, {"x-mbx-apikey": "key-ann"}, received_ns=world.now_ns)
    world.advance(waited_ms)
    assert json.loads(world.exchange.handle(requested, world.now_ns).body).get("code") == code
    assert len(world.exchange.accounts.by_name["ann"].orders) == (code is None)


def test_what_does_not_go_to_the_matching_engine_need_only_come_in_time(ann_and_bob):
    world = ann_and_bob
    query = f"timestamp={world.now_ns // 10**6}&recvWindow=10"
    query += "&signature=" + world.sign(query)
    requested = Request("GET", "/api/v3/account", query, {"x-mbx-apikey": "key-ann"}, received_ns=world.now_ns)
    world.advance(11)
    assert world.exchange.handle(requested, world.now_ns).status == 200


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
    for headers, requested, code, status in (
        ({}, good, -2014, 401),
        ({"x-mbx-apikey": "key-nobody"}, good, -2015, 401),
        ({"x-mbx-apikey": "key-ann"}, query, -1102, 400),
        ({"x-mbx-apikey": "key-bob"}, good, -1022, 400),
        ({"x-mbx-apikey": "key-ann"}, "signature=" + world.sign(""), -1102, 400),
    ):
        answer = world.request("GET", "/api/v3/account", requested, headers=headers)
        assert (json.loads(answer.body)["code"], answer.status) == (code, status)


def test_a_key_that_may_only_read_cannot_trade(world):
    one = world(accounts=demo.accounts())
    query = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&timestamp={one.now_ns // 1_000_000}"
    signature = hmac.new(demo.READER_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    headers = {"x-mbx-apikey": demo.READER_KEY}
    answer = one.request("POST", "/api/v3/order", f"{query}&signature={signature}", headers=headers)
    assert (answer.status, json.loads(answer.body)["code"]) == (401, -2015)


def test_a_key_without_a_secret_is_refused_at_the_start():
    with pytest.raises(BadVenue, match="needs secret, ed25519_public_key or rsa_public_key"):
        security.load_key(KeySettings(api_key="k"), "a")
    with pytest.raises(BadVenue, match="is not a PEM public key"):
        security.load_key(KeySettings(api_key="k", ed25519_public_key="nonsense"), "a")


@given(st.lists(st.sampled_from(["a=1", "signature=f%2Bf", "signature=", "signature=ff", "xsignature=3", "", "b"])))
def test_the_last_signature_counts_wherever_it_stands_and_none_is_signed(parts):
    query = "&".join(parts)
    kept = [part for part in parts if not part.startswith("signature=")]
    signatures = [part.removeprefix("signature=") for part in parts if part.startswith("signature=")]
    payload, signature = security.signed_payload(query, b"")
    assert payload.decode().replace("&", "") == "".join(kept)
    assert signature == (signatures[-1].replace("%2B", "+") if signatures else "")
    assert security.signed_payload("", query.encode()) == (payload, signature)
