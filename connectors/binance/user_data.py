"""Binance's user data stream, over its WebSocket API: login frames, and frames to events.

The former listenKey no longer exists. Events arrive after `userDataStream.subscribe.signature` (any kind of key), or
after `session.logon` and `userDataStream.subscribe`, wrapped as {"subscriptionId": n, "event": {...}}.
"""

from decimal import Decimal

import msgspec

from actors.log.secret import ApiKey
from connectors.binance.answers import SIDE, TYPE, balances, fee, known, number, status_of, time_ns, typed, unreadable
from connectors.binance.error_codes import banned_until_ns
from connectors.binance.sign import signed_params
from connectors.binance.symbols import Symbols
from connectors.core.order_api import BadAnswer, LoggedIn, LoginRefused, Pong, StreamEvent
from connectors.core.reports import AccountReport, BalanceRow, OrderReport, StreamEnded, TradeReport
from protocol import Liquidity, OrdType

LOGIN, LOGON, PROBE = "login", "logon", "probe"
BAD_KEY_CODES = (-1022, -2014, -2015)


class _Error(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Outer(msgspec.Struct):
    event: msgspec.Raw = msgspec.Raw()
    id: str | int | None = None
    status: int = 0
    error: _Error | None = None


class _Kind(msgspec.Struct):
    e: str = ""


class _Execution(msgspec.Struct):
    """An executionReport; one-letter names are Binance's."""

    s: str
    c: str
    S: str
    o: str
    q: Decimal
    p: Decimal
    C: str | None
    x: str
    X: str
    r: str
    i: int
    l: Decimal  # noqa: E741
    z: Decimal
    L: Decimal
    T: int
    t: int
    m: bool
    n: Decimal | None = None
    N: str | None = None
    eR: str | int = ""


class _Asset(msgspec.Struct):
    a: str
    f: Decimal
    l: Decimal  # noqa: E741


class _Position(msgspec.Struct):
    u: int
    B: list[msgspec.Raw]


_outer, _kind, _execution = typed(_Outer), typed(_Kind), typed(_Execution)
_position, _asset = typed(_Position), typed(_Asset)


def login_frames(key: ApiKey, ts_ms: int, by_session: bool) -> list[str]:
    """Returns the frames that subscribe to the user's events."""
    params = signed_params(key, {"timestamp": ts_ms})
    if not by_session:
        return [_frame(LOGIN, "userDataStream.subscribe.signature", params)]
    return [_frame(LOGON, "session.logon", params), _frame(LOGIN, "userDataStream.subscribe", {})]


def probe_frame() -> str:
    """Returns a frame that the exchange answers."""
    return _frame(PROBE, "ping", {})


def _frame(name: str, method: str, params: object) -> str:
    return msgspec.json.encode({"id": name, "method": method, "params": params}).decode()


def parse_user(frame: bytes, symbols: Symbols) -> list[StreamEvent]:
    """Returns the events in a frame; [] for those without a meaning here. Raises BadAnswer, and nothing else."""
    outer = _outer(frame)
    if len(outer.event):
        return _event(outer.event, symbols)
    if outer.id in (LOGIN, LOGON):
        return _logged_in(outer)
    if outer.id == PROBE and outer.status == 200:
        return [Pong()]
    if outer.id is None and outer.error is None:
        raise BadAnswer(f"unknown frame: {bytes(frame[:200])!r}")
    return []


def _logged_in(outer: _Outer) -> list[StreamEvent]:
    if outer.status == 200:
        return [LoggedIn()] if outer.id == LOGIN else []
    error = outer.error or _Error()
    return [LoginRefused(f"{error.code} {error.msg}", error.code in BAD_KEY_CODES, banned_until_ns(error.msg))]


def _event(raw: msgspec.Raw, symbols: Symbols) -> list[StreamEvent]:
    kind = _kind(raw).e
    if kind == "executionReport":
        try:
            return _executed(_execution(raw), symbols)
        except BadAnswer as error:
            bad = unreadable("order", raw, error, symbols)
            return [] if bad is None else [bad]
    if kind == "outboundAccountPosition":
        row = _position(raw)
        rows, bad_rows = balances(row.B, _balance)
        return [AccountReport(rows, time_ns(row.u), is_whole=False, unreadable=bad_rows)]
    if kind in ("eventStreamTerminated", "serverShutdown"):
        return [StreamEnded(kind, is_soon=kind == "serverShutdown")]
    return []


def _balance(raw: msgspec.Raw) -> BalanceRow:
    row = _asset(raw)
    return BalanceRow(row.a, number(row.f), number(row.l))


def _executed(row: _Execution, symbols: Symbols) -> list[StreamEvent]:
    """Returns the trade, if the report is one, then the order after it."""
    symbol = symbols.symbol(row.s)
    if not symbol:
        return []
    cl_ord_id = row.C if row.C and row.x in ("CANCELED", "REPLACED") else row.c
    at_ns, side = time_ns(row.T), known(SIDE, row.S)
    events: list[StreamEvent] = []
    if row.x == "TRADE" and row.t >= 0:
        liquidity = Liquidity.MAKER if row.m else Liquidity.TAKER
        events.append(
            TradeReport(
                symbol, row.t, str(row.i), side, number(row.L), number(row.l), fee(row.n), row.N or "",
                liquidity, at_ns, cl_ord_id,
            )
        )  # fmt: skip
    reason = row.r if row.r != "NONE" else str(row.eR)
    cum = number(row.z)
    status, oddity = status_of(row.X, cum)
    events.append(
        OrderReport(
            symbol, cl_ord_id, str(row.i), side, TYPE.get(row.o, OrdType.LIMIT), status,
            number(row.p), number(row.q), cum, at_ns, reason, oddity, row.c if row.x == "REPLACED" else "",
        )
    )  # fmt: skip
    return events
