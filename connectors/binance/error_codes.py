"""Binance's error codes, and the outcome that each one shows. The outcome of an unlisted code is UNKNOWN.

Source: errors.md and rest-api.md of the exchange's documentation ("HTTP return codes").
"""

import re

import msgspec

from actors.net import HttpAnswer, HttpFailure
from connectors.binance.refusal_causes import refusal_cause
from connectors.core.reports import Outcome, Trouble, Verdict

SECOND_NS = 1_000_000_000
WAF_PAUSE_NS = 60 * SECOND_NS
PAUSE_NS = 10 * SECOND_NS  # if a 429 does not state how long
BAN_NS = 120 * SECOND_NS  # if a 418 does not: the shortest ban of the exchange
# How long no new order leaves after "Too many new orders; current limit is N orders per ...", by the last word.
ORDER_PAUSES_NS = {"SECOND": 10 * SECOND_NS, "MINUTE": 60 * SECOND_NS, "HOUR": 600 * SECOND_NS, "DAY": 600 * SECOND_NS}
_BANNED_UNTIL = re.compile(r"banned until (\d{13})\b")
MS_NS = 1_000_000
MAX_TEXT = 200
BODY_MAX = 2_000  # bytes of an error body that are searched for the end of a ban
DUPLICATE_TEXT = "duplicate order"

# Rejected by the exchange, before or in its matching engine: the order does not exist.
_REJECTED = {
    -1013: Trouble.RULES,  # a filter
    -1014: Trouble.NONE,
    -1015: Trouble.TOO_MANY_ORDERS,
    -1020: Trouble.NONE,
    -2010: Trouble.NONE,  # balance, would match, closed market, ...
}
# Refused before the matching engine: the order was never sent to it.
_NOT_SENT = {
    -1002: Trouble.BAD_KEY,
    -1003: Trouble.RATE_LIMITED,
    -1021: Trouble.CLOCK_SKEW,
    -1022: Trouble.BAD_KEY,
    -2008: Trouble.BAD_KEY,
    -2014: Trouble.BAD_KEY,
    -2015: Trouble.BAD_KEY,
}
_NOT_FOUND = {-2011, -2013, -2026}
BAD_SYMBOL = -1121
_BAD_PARAMETER = range(-1199, -1099)  # -1100 .. -1199: malformed, refused by the API


class ErrorBody(msgspec.Struct):
    """{"code": -2010, "msg": "...", "data": ...}."""

    code: int
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(ErrorBody).decode


def error_body(body: bytes | msgspec.Raw) -> ErrorBody | None:
    """Returns the error in a body; None if it has another form."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def classify_code(code: int, msg: str, retry_after_ns: int = 0) -> Verdict:
    """Classifies an error code."""
    reason, cause = f"{code} {msg}"[:MAX_TEXT], refusal_cause(code, msg)
    if code == -2010 and DUPLICATE_TEXT in msg.lower():
        return Verdict(Outcome.DUPLICATE, reason)
    if code in _REJECTED:
        pause_ns = (retry_after_ns or _order_pause_ns(msg)) if code == -1015 else 0
        return Verdict(Outcome.REJECTED, reason, _REJECTED[code], pause_ns, cause)
    if code in _NOT_SENT:
        until_ns = banned_until_ns(msg)
        trouble = Trouble.BANNED if until_ns else _NOT_SENT[code]
        return Verdict(Outcome.NOT_SENT, reason, trouble, retry_after_ns, cause, until_ns)
    if code in _NOT_FOUND:
        return Verdict(Outcome.NOT_FOUND, reason)
    if code in _BAD_PARAMETER:
        trouble = Trouble.NO_MARKET if code == BAD_SYMBOL else Trouble.NONE
        return Verdict(Outcome.REJECTED, reason, trouble, refusal=cause)
    return Verdict(Outcome.UNKNOWN, reason)


def classify(answer: HttpAnswer | HttpFailure) -> Verdict:
    """Classifies the answer to any request. A good status is OK: the body contains the result."""
    if isinstance(answer, HttpFailure):
        outcome = Outcome.UNKNOWN if answer.sent else Outcome.NOT_SENT
        return Verdict(outcome, f"no answer: {answer.text}"[:MAX_TEXT])
    if answer.status == 200:
        return Verdict(Outcome.OK)
    error = error_body(answer.body)
    if answer.status in (418, 429) and (error is None or error.code != -1015):
        trouble = Trouble.BANNED if answer.status == 418 else Trouble.RATE_LIMITED
        outcome = Outcome.NOT_SENT if error is not None else Outcome.UNKNOWN
        text = error.msg if error is not None else "no reason given"
        until_ns = banned_until_ns(answer.body[:BODY_MAX].decode("utf-8", "replace"))
        pause_ns = _retry_after_ns(answer, 0 if until_ns else BAN_NS if answer.status == 418 else PAUSE_NS)
        reason = f"HTTP {answer.status}: {text}"[:MAX_TEXT]
        return Verdict(outcome, reason, Trouble.BANNED if until_ns else trouble, pause_ns, until_ns=until_ns)
    if answer.status >= 500 or error is None:
        text = f"HTTP {answer.status}: {error.code} {error.msg}" if error else f"HTTP {answer.status}"
        if answer.status == 403:
            return Verdict(Outcome.UNKNOWN, text, Trouble.RATE_LIMITED, WAF_PAUSE_NS)
        return Verdict(Outcome.UNKNOWN, text[:MAX_TEXT], Trouble.NONE if error else Trouble.UNREADABLE)
    default_ns = PAUSE_NS if error.code == -1003 else 0
    return classify_code(error.code, error.msg, _retry_after_ns(answer, default_ns))


def banned_until_ns(text: str) -> int:
    """Returns the end of the ban that a text states, ns UTC; 0 if it states none. A gateway may drop Retry-After."""
    found = _BANNED_UNTIL.search(text)
    return int(found[1]) * MS_NS if found else 0


def _order_pause_ns(text: str) -> int:
    words = text.upper().rstrip(" .").replace("_", " ").split()
    return ORDER_PAUSES_NS.get(words[-1].rstrip("S") if words else "", PAUSE_NS)


def _retry_after_ns(answer: HttpAnswer, default_ns: int) -> int:
    text = answer.headers.get("retry-after", "")
    return int(text) * SECOND_NS if text.isdecimal() and len(text) < 10 else default_ns
