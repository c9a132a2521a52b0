"""Binance's signatures: HMAC-SHA256 in hex or Ed25519 in base64, over the text of a request's parameters."""

from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from actors.log.secret import ApiKey
from protocol.errors import BadKeyFile

Value = str | int | bool | Decimal
BLOCK_BYTES = 64  # of SHA-256
MAX_KEYS = 8  # private keys kept loaded: reading PEM costs more than signing


def sign(api_key: ApiKey, payload: bytes) -> str:
    """Returns the signature of `payload`: hex (HMAC) or base64 (Ed25519). Raises BadKeyFile for an invalid key."""
    if api_key.kind == "hmac":
        halves = _halves(api_key.secret.reveal())
        inner, outer = halves[0].copy(), halves[1].copy()
        inner.update(payload)
        outer.update(inner.digest())
        digest: str = outer.hexdigest()
        return digest
    signature: bytes = _private_key(api_key.secret.reveal()).sign(payload)
    return b64encode(signature).decode("ascii")


def text(value: Value) -> str:
    """Returns a parameter as Binance reads it: JSON's booleans, decimals without an exponent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def query(params: Mapping[str, Value]) -> str:
    """Returns REST parameters in the order given, percent-encoded: the text in the URL is the text that is signed."""
    return "&".join(f"{name}={quote(text(value), safe='')}" for name, value in params.items())


def signed_query(api_key: ApiKey, params: Mapping[str, Value]) -> str:
    """Returns `query` with its signature at the end."""
    unsigned = query(params)
    return f"{unsigned}&signature={quote(sign(api_key, unsigned.encode('ascii')), safe='')}"


def ws_payload(params: Mapping[str, Value]) -> bytes:
    """Returns what a WebSocket API request signs: its parameters sorted by name, not encoded, in UTF-8."""
    pairs = sorted((name, text(value)) for name, value in params.items() if name != "signature")
    return "&".join(f"{name}={value}" for name, value in pairs).encode()


def signed_params(api_key: ApiKey, params: Mapping[str, Value]) -> dict[str, Value]:
    """Returns the parameters of a signed WebSocket API request, with `apiKey` and `signature`."""
    named: dict[str, Value] = {**params, "apiKey": api_key.key}
    return {**named, "signature": sign(api_key, ws_payload(named))}


@lru_cache(maxsize=MAX_KEYS)
def _halves(secret: str) -> tuple[Any, Any]:
    """Returns HMAC's two hashes with the key already added (RFC 2104): half the time of hmac.digest."""
    key = secret.encode()
    if len(key) > BLOCK_BYTES:
        key = sha256(key).digest()
    key = key.ljust(BLOCK_BYTES, b"\0")
    return sha256(bytes(byte ^ 0x36 for byte in key)), sha256(bytes(byte ^ 0x5C for byte in key))


@lru_cache(maxsize=MAX_KEYS)
def _private_key(pem: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKeyFile("the Ed25519 key is not an unencrypted private key in PEM: add it again") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyFile(f"the key is a {type(key).__name__}, not Ed25519: add it again with its own kind")
    return key
