"""Binance's error codes: what each proves about the order that was asked for. What is not listed proves nothing.

Source: errors.md and rest-api.md of the exchange's documentation ("HTTP return codes").
"""

import msgspec

from actors.net import HttpAnswer, HttpFailure
from connectors.core.reports import Proof, Trouble, Verdict

SECOND_NS = 1_000_000_000
WAF_PAUSE_NS = 60 * SECOND_NS
PAUSE_NS = 10 * SECOND_NS  # where a 429 or 418 does not say how long
MAX_TEXT = 200
DUPLICATE_TEXT = "duplicate order"

# Refused by the exchange before or in its engine, with certainty: the order is not there.
_REFUSED = {
    -1013: Trouble.RULES,  # a filter
    -1014: Trouble.NONE,
    -1015: Trouble.NONE,  # too many new orders: the count is in the headers, and in our throttle
    -1020: Trouble.NONE,
    -2010: Trouble.NONE,  # balance, would match, closed market, ...
}
# Refused at the door: the order never came near the engine.
_NOT_LET_IN = {
    -1002: Trouble.BAD_KEY,
    -1003: Trouble.RATE_LIMITED,
    -1021: Trouble.CLOCK_SKEW,
    -1022: Trouble.BAD_KEY,
    -2008: Trouble.BAD_KEY,
    -2014: Trouble.BAD_KEY,
    -2015: Trouble.BAD_KEY,
}
_NOT_FOUND = {-2011, -2013}
_BAD_PARAMETER = range(-1199, -1099)  # -1100 .. -1199: malformed, refused by the API


class ErrorBody(msgspec.Struct):
    """{"code": -2010, "msg": "...", "data": ...}."""

    code: int
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(ErrorBody).decode


def error_body(body: bytes | msgspec.Raw) -> ErrorBody | None:
    """None for what is no error of Binance's."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def judge_code(code: int, msg: str, retry_after_ns: int = 0) -> Verdict:
    """What an error code proves."""
    reason = f"{code} {msg}"[:MAX_TEXT]
    if code == -2010 and DUPLICATE_TEXT in msg.lower():
        return Verdict(Proof.DUPLICATE, reason)
    if code in _REFUSED:
        return Verdict(Proof.REJECTED, reason, _REFUSED[code])
    if code in _NOT_LET_IN:
        return Verdict(Proof.NOT_PLACED, reason, _NOT_LET_IN[code], retry_after_ns)
    if code in _NOT_FOUND:
        return Verdict(Proof.NOT_FOUND, reason)
    if code in _BAD_PARAMETER:
        return Verdict(Proof.REJECTED, reason)
    return Verdict(Proof.UNKNOWN, reason)


def judge(answer: HttpAnswer | HttpFailure) -> Verdict:
    """What an answer to a signed request proves. A good status is PLACED: the body says what."""
    if isinstance(answer, HttpFailure):
        proof = Proof.UNKNOWN if answer.sent else Proof.NOT_PLACED
        return Verdict(proof, f"no answer: {answer.text}"[:MAX_TEXT])
    if answer.status == 200:
        return Verdict(Proof.PLACED)
    error = error_body(answer.body)
    if answer.status in (418, 429) and (error is None or error.code != -1015):
        trouble = Trouble.BANNED if answer.status == 418 else Trouble.RATE_LIMITED
        proof = Proof.NOT_PLACED if error is not None else Proof.UNKNOWN
        text = error.msg if error is not None else "no reason given"
        return Verdict(proof, f"HTTP {answer.status}: {text}"[:MAX_TEXT], trouble, _retry_after_ns(answer))
    if answer.status >= 500 or error is None:
        text = f"HTTP {answer.status}: {error.code} {error.msg}" if error else f"HTTP {answer.status}"
        if answer.status == 403:
            return Verdict(Proof.UNKNOWN, text, Trouble.RATE_LIMITED, WAF_PAUSE_NS)
        return Verdict(Proof.UNKNOWN, text[:MAX_TEXT], Trouble.NONE if error else Trouble.UNREADABLE)
    return judge_code(error.code, error.msg, _retry_after_ns(answer) if error.code == -1003 else 0)


def _retry_after_ns(answer: HttpAnswer) -> int:
    text = answer.headers.get("retry-after", "")
    return int(text) * SECOND_NS if text.isdecimal() and len(text) < 10 else PAUSE_NS
