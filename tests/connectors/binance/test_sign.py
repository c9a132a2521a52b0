"""Signatures: every vector of the exchange's documentation, and keys made here."""

import json
from base64 import b64decode
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from actors.log.secret import ApiKey, Secret
from connectors.binance.sign import query, sign, signed_params, signed_query, ws_payload
from protocol.errors import BadKeyFile


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_of(vector):
    if vector["scheme"] == "Ed25519":
        return ApiKey("name", Secret(vector["private_key_pem"]), "ed25519")
    return ApiKey("name", Secret(vector["secret"]), "hmac")


def test_every_documented_signature_is_ours(recorded):
    vectors = json.loads(recorded("binance_docs/binance_docs_sign_vectors.json").read_text())
    assert len(vectors) == 22
    for vector in vectors:
        assert sign(key_of(vector), vector["payload"].encode()) == vector["expected"], vector["name"]


def test_every_documented_websocket_request_is_built_as_documented(recorded):
    vectors = json.loads(recorded("binance_docs/binance_docs_sign_vectors.json").read_text())
    requests = [vector for vector in vectors if "request" in vector]
    assert len(requests) == 17
    for vector in requests:
        params = dict(vector["request"]["params"])
        given = {name: value for name, value in params.items() if name not in ("apiKey", "signature")}
        key = ApiKey(params["apiKey"], Secret(vector["secret"]), "hmac")
        assert ws_payload(params).decode() == vector["payload"]
        assert signed_params(key, given)["signature"] == vector["expected"], vector["name"]


def test_the_documented_rest_requests_are_built_as_documented(recorded):
    vectors = json.loads(recorded("binance_docs/binance_docs_sign_vectors.json").read_text())
    common = {
        "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1, "price": Decimal("0.1"),
        "recvWindow": 5000, "timestamp": 1499827319559,
    }  # fmt: skip
    for vector, symbol in zip(vectors[:2], ("LTCBTC", "１２３４５６"), strict=True):
        wanted = f"{vector['payload']}&signature={vector['expected']}"
        assert signed_query(key_of(vector), {"symbol": symbol, **common}) == wanted


def test_a_key_made_here_signs_what_its_public_half_accepts_also_in_a_url():
    private = Ed25519PrivateKey.generate()
    key = ApiKey("name", Secret(pem(private)), "ed25519")
    text, _, signature = signed_query(key, {"timestamp": 1}).partition("&signature=")
    assert not set(signature) & set("+/=")
    from_url = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    private.public_key().verify(b64decode(from_url), text.encode())


def test_values_are_written_as_the_exchange_reads_them():
    assert query({"a": Decimal("1E-7"), "b": True, "c": False, "d": '["X"]', "e": "ü &"}) == (
        "a=0.0000001&b=true&c=false&d=%5B%22X%22%5D&e=%C3%BC%20%26"
    )
    assert ws_payload({"b": False, "a": "ü &", "signature": "x"}) == "a=ü &&b=false".encode()


@pytest.mark.parametrize("text", ["", "no PEM", pem(generate_private_key(65537, 2048))])
def test_a_key_of_another_kind_is_an_error_that_does_not_show_the_key(text):
    with pytest.raises(BadKeyFile, match="add it again") as error:
        sign(ApiKey("name", Secret(text), "ed25519"), b"x")
    assert not text or text not in str(error.value)
