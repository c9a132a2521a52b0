"""Binance's WebSocket API for orders: request frames, and answer frames in the form of REST answers.

Source: web-socket-api.md, "order.place", "order.cancel", "order.cancelReplace", "session.logon", "Rate limits".
"""

from collections.abc import Mapping

import msgspec

from actors.log.secret import ApiKey
from actors.net import HttpAnswer
from connectors.binance.answers import typed
from connectors.binance.sign import Value, sign, text, ws_payload
from connectors.binance.user_data import BAD_KEY_CODES, LOGON, PROBE
from connectors.core.order_api import BadAnswer, LoggedIn, LoginRefused, Pong, SocketAnswer
from connectors.core.reports import StreamEnded

_encode = msgspec.json.Encoder().encode
_NAMES = {("REQUEST_WEIGHT", "MINUTE"): "used-weight-%dm", ("ORDERS", "SECOND"): "order-count-%ds"}
_DAYS = "order-count-%dd"


class _Limit(msgspec.Struct):
    rateLimitType: str
    interval: str
    intervalNum: int
    count: int = 0


class _Wait(msgspec.Struct):
    serverTime: int = 0
    retryAfter: int = 0


class _Error(msgspec.Struct):
    code: int = 0
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


class _Kind(msgspec.Struct):
    e: str = ""


class _Frame(msgspec.Struct):
    id: str | int | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    rateLimits: list[_Limit] = []
    event: msgspec.Raw = msgspec.Raw()


_frame, _error, _wait, _kind = typed(_Frame), typed(_Error), typed(_Wait), typed(_Kind)


def request_frame(key: ApiKey, number: int, method: str, params: Mapping[str, Value], logged_on: bool) -> str:
    """Returns one request frame; it is signed unless its connection is logged on."""
    named: dict[str, Value] = {name: text(value) for name, value in params.items()}
    if not logged_on:
        named["apiKey"] = key.key
        named["signature"] = sign(key, ws_payload(named))
    return _encode({"id": number, "method": method, "params": named}).decode()


def plain_frame(key: ApiKey, number: int, method: str, payload: str, logged_on: bool) -> str:
    """Returns the frame of parameters that are text already, sorted, and need no encoding (see OrderTemplates)."""
    if not logged_on:
        payload = f"{payload}&signature={sign(key, payload.encode())}"
    fields = payload.replace("=", '":"').replace("&", '","')
    return f'{{"id":{number},"method":"{method}","params":{{"{fields}"}}}}'


def parse_frame(raw: bytes) -> SocketAnswer | LoggedIn | LoginRefused | StreamEnded | Pong | None:
    """Returns the event in a frame, None if it has no meaning here. Raises BadAnswer, and nothing else."""
    row = _frame(raw)
    if isinstance(row.id, int):
        body = bytes(row.result if row.status == 200 else row.error)
        return SocketAnswer(row.id, HttpAnswer(row.status, _headers(row), body))
    if row.id == LOGON:
        if row.status == 200:
            return LoggedIn()
        error = _error(row.error) if len(row.error) else _Error()
        return LoginRefused(f"{error.code} {error.msg}", error.code in BAD_KEY_CODES)
    if row.id == PROBE:
        return Pong()
    if len(row.event) and _kind(row.event).e == "serverShutdown":
        return StreamEnded("serverShutdown", is_soon=True)
    if row.id is None and not len(row.event):
        raise BadAnswer(f"unknown frame: {bytes(raw[:200])!r}")
    return None


def _headers(row: _Frame) -> dict[str, str]:
    """Returns the headers of the same answer over REST."""
    headers = {}
    for limit in row.rateLimits:
        name = _NAMES.get((limit.rateLimitType, limit.interval), _DAYS if limit.interval == "DAY" else "")
        if name:
            headers["x-mbx-" + name % limit.intervalNum] = str(limit.count)
    if row.status in (418, 429) and len(row.error):
        error = _error(row.error)
        wait = _wait(error.data) if len(error.data) else _Wait()
        if wait.retryAfter:
            headers["retry-after"] = str(max(1, -(-(wait.retryAfter - wait.serverTime) // 1000)))
    return headers
