"""Authentication: API keys, signatures over the received bytes, and the time window of a request."""

import base64
import binascii
import hmac
import re
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from venue.base import api_errors
from venue.base.params import Params
from venue.base.settings import KeySettings
from venue.base.venue_errors import BadVenue

DEFAULT_RECV_WINDOW_MS = 5000
MAX_RECV_WINDOW_MS = 60000
AHEAD_NS = 1_000_000_000
MICROSECONDS_FROM = 10**14
"""Timestamps from this value on are in microseconds: in milliseconds it is the year 5138."""
_SIGNATURE = re.compile(rb"(?:^|&)signature=([^&]*)")
_WHOLE_MS = re.compile(r"[0-9]{1,4}|[1-5][0-9]{4}|60000")


class AccountKey(msgspec.Struct):
    """An API key that verifies signatures. `mac`: the keyed hash of an HMAC key before any payload."""

    api_key: str
    account: str
    can_trade: bool
    mac: hmac.HMAC | None = None
    public_key: Ed25519PublicKey | RSAPublicKey | None = None

    @property
    def is_hmac(self) -> bool:
        return self.mac is not None

    def verify(self, payload: bytes, signature: str) -> None:
        """Raises -1022 unless `signature` (hex HMAC, base64 Ed25519 or RSA) is this key's signature of `payload`."""
        if self.mac is not None:
            mac = self.mac.copy()
            mac.update(payload)
            if not hmac.compare_digest(mac.hexdigest().encode(), signature.lower().encode()):
                raise api_errors.bad_signature()
            return
        assert self.public_key is not None
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(self.public_key, RSAPublicKey):
                self.public_key.verify(raw, payload, PKCS1v15(), SHA256())
            else:
                self.public_key.verify(raw, payload)
        except (InvalidSignature, binascii.Error, ValueError):
            raise api_errors.bad_signature() from None


def load_key(settings: KeySettings, account: str) -> AccountKey:
    """The key of `settings`. Raises BadVenue if it has neither a secret nor a valid public key."""
    if settings.secret is not None:
        mac = hmac.new(settings.secret.encode(), digestmod="sha256")
        return AccountKey(settings.api_key, account, settings.can_trade, mac)
    for name, pem, kind in (
        ("ed25519_public_key", settings.ed25519_public_key, Ed25519PublicKey),
        ("rsa_public_key", settings.rsa_public_key, RSAPublicKey),
    ):
        if pem is None:
            continue
        try:
            public_key = load_pem_public_key(pem.encode())
        except ValueError as error:
            raise BadVenue(f"account {account}: {name} is not a PEM public key: {error}") from None
        if not isinstance(public_key, kind):
            raise BadVenue(f"account {account}: {name} is a key of another kind")
        return AccountKey(settings.api_key, account, settings.can_trade, public_key=public_key)
    known = "secret, ed25519_public_key or rsa_public_key"
    raise BadVenue(f"account {account}: key {settings.api_key[:8]}... needs {known}")


def signed_payload(query: str, body: bytes) -> tuple[bytes, str]:
    """The signed bytes (query and body, without `signature`) and the percent-decoded signature."""
    before, name, value = query.rpartition("&signature=")
    if name and not body and "&" not in value and "signature=" not in before:  # the form that most clients send
        return before.encode(), unquote(value)
    signature = ""
    parts = []
    for raw in (query.encode(), body):
        found = _SIGNATURE.findall(raw)
        if found:
            signature = unquote(found[-1].decode("latin-1"))
            kept = _SIGNATURE.sub(b"", raw)
            raw = kept[1:] if raw.startswith(b"signature=") else kept
        parts.append(raw)
    return b"".join(parts), signature


def websocket_payload(params: Params) -> bytes:
    """The signed bytes of a websocket request: parameters sorted by name, not encoded."""
    return "&".join(f"{k}={v}" for k, v in sorted(params.values.items()) if k != "signature").encode()


def check_key_format(api_key: str) -> None:
    """Raises -2014 for text that cannot be an API key."""
    if not api_key or len(api_key) > 256 or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise api_errors.bad_key_format()


def check_timing(params: Params, now_ns: int) -> int:
    """Until when the request is valid. Raises -1021 outside its window, -1102 or -1131 for bad numbers."""
    stamp = params.integer("timestamp")
    stamp_ns = stamp * 1000 if stamp >= MICROSECONDS_FROM else stamp * 1_000_000
    window_ns = recv_window_ns(params)
    if stamp_ns >= now_ns + AHEAD_NS:
        raise api_errors.too_new()
    if now_ns - stamp_ns > window_ns:
        raise api_errors.too_old()
    return stamp_ns + window_ns


def recv_window_ns(params: Params) -> int:
    text = params.optional("recvWindow")
    if text is None:
        return DEFAULT_RECV_WINDOW_MS * 1_000_000
    if _WHOLE_MS.fullmatch(text):
        return int(text) * 1_000_000
    try:
        window = Decimal(text)
    except InvalidOperation:
        raise api_errors.illegal_characters("recvWindow", "^[0-9]{1,5}(\\.[0-9]{1,3})?$") from None
    if not window.is_finite() or window < 0:
        raise api_errors.illegal_characters("recvWindow", "^[0-9]{1,5}(\\.[0-9]{1,3})?$")
    if window > MAX_RECV_WINDOW_MS:
        raise api_errors.ApiError(-1131, "recvWindow must be less than 60000.")
    if window * 1000 != (window * 1000).to_integral_value():
        raise api_errors.too_precise("recvWindow")
    return int(window * 1_000_000)
