"""Binance's answers about orders, trades and accounts: bytes to reports."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from connectors.binance.symbols import Symbols
from connectors.core.order_api import BadAnswer
from connectors.core.reports import AccountReport, BalanceRow, OrderReport, TradeReport, Unreadable
from protocol import Liquidity, OrdStatus, OrdType, Side

MS_NS = 1_000_000
MAX_MS = 2**43
MAX_TEXT = 200
DIGITS_MAX = 60  # of a number, before and after the point: sums of longer ones are not exact

STATUS = {
    "NEW": OrdStatus.NEW,
    "PENDING_NEW": OrdStatus.NEW,
    "PARTIALLY_FILLED": OrdStatus.PARTIALLY_FILLED,
    "PENDING_CANCEL": OrdStatus.NEW,
    "FILLED": OrdStatus.FILLED,
    "CANCELED": OrdStatus.CANCELED,
    "REJECTED": OrdStatus.REJECTED,
    "EXPIRED": OrdStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrdStatus.EXPIRED,
}
TYPE = {"LIMIT": OrdType.LIMIT, "MARKET": OrdType.MARKET, "LIMIT_MAKER": OrdType.LIMIT_MAKER}
SIDE = {"BUY": Side.BUY, "SELL": Side.SELL}

T = TypeVar("T")


class _Fill(msgspec.Struct):
    price: Decimal
    qty: Decimal
    tradeId: int
    commission: Decimal | None = None
    commissionAsset: str | None = None


class _Order(msgspec.Struct):
    """A placement, cancel or query answer, or a row of openOrders."""

    symbol: str
    orderId: int
    clientOrderId: str
    status: str
    price: Decimal
    origQty: Decimal
    executedQty: Decimal
    type: str
    side: str
    origClientOrderId: str = ""
    transactTime: int = 0
    updateTime: int = 0
    expiryReason: str | int = ""
    fills: list[_Fill] = []


class _Trade(msgspec.Struct):
    symbol: str
    id: int
    orderId: int
    price: Decimal
    qty: Decimal
    time: int
    isBuyer: bool
    isMaker: bool
    commission: Decimal | None = None
    commissionAsset: str | None = None


class _Balance(msgspec.Struct):
    asset: str
    free: Decimal
    locked: Decimal


class _Rates(msgspec.Struct):
    maker: Decimal
    taker: Decimal


class _Account(msgspec.Struct):
    balances: list[msgspec.Raw]
    canTrade: bool = True
    updateTime: int = 0
    uid: int = 0
    commissionRates: _Rates | None = None


class _Time(msgspec.Struct):
    serverTime: int


def typed(kind: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """Returns a decoder whose one error is BadAnswer."""
    decode = msgspec.json.Decoder(kind).decode

    def decoded(raw: bytes | msgspec.Raw) -> T:
        try:
            return decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
            raise BadAnswer(f"{error}"[:MAX_TEXT]) from None

    return decoded


_order, _trade, _balance, _rows = typed(_Order), typed(_Trade), typed(_Balance), typed(list[msgspec.Raw])
_account, _time = typed(_Account), typed(_Time)
_fields = typed(dict[str, object])


def number(value: Decimal) -> Decimal:
    """Returns a valid quantity or price. Raises BadAnswer for NaN, infinity and negative numbers."""
    if (
        not value.is_finite()
        or not -DIGITS_MAX <= value.adjusted() <= DIGITS_MAX
        or value < 0
        or len(value.as_tuple().digits) > DIGITS_MAX
    ):
        raise BadAnswer(f"{value} is not a quantity"[:MAX_TEXT])
    return value


def fee(value: Decimal | None) -> Decimal:
    """Returns a valid commission: negative for a rebate, 0 where the exchange gives none. Raises BadAnswer."""
    if value is None:
        return Decimal(0)
    if (
        not value.is_finite()
        or not -DIGITS_MAX <= value.adjusted() <= DIGITS_MAX
        or len(value.as_tuple().digits) > DIGITS_MAX
    ):
        raise BadAnswer(f"{value} is not a commission"[:MAX_TEXT])
    return value


def status_of(name: str, cum: Decimal) -> tuple[OrdStatus, str]:
    """Returns (status, oddity): a status that is not in the documentation is no evidence of an end."""
    found = STATUS.get(name)
    if found is not None:
        return found, ""
    return (OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW), f"its status {name[:50]!r} is unknown"


def unreadable(what: str, raw: bytes | msgspec.Raw, error: Exception, symbols: Symbols) -> Unreadable | None:
    """Returns what can be read of a row that cannot; None if it is of a market that is not ours."""
    try:
        row = _fields(raw)
    except BadAnswer:
        return Unreadable(what, str(error))
    name, trade_id = _text(row, "symbol", "s"), _text(row, "id" if what == "trade" else "", "t")
    if name and not symbols.symbol(name):
        return None
    cl_ord_id = _text(row, "origClientOrderId", "C") or _text(row, "clientOrderId", "c")
    return Unreadable(
        what, str(error), symbols.symbol(name), cl_ord_id,
        _text(row, "orderId", "i"), int(trade_id) if trade_id.isdecimal() else -1, _text(row, "asset", "a"),
    )  # fmt: skip


def _text(row: dict[str, object], *names: str) -> str:
    found = next((row[name] for name in names if name in row), "")
    return str(found)[:MAX_TEXT] if isinstance(found, str | int) else ""


def time_ns(time_ms: int) -> int:
    """Returns ns UTC. Raises BadAnswer."""
    if not 0 <= time_ms < MAX_MS:
        raise BadAnswer(f"time {time_ms} ms is out of range")
    return time_ms * MS_NS


def known(table: dict[str, T], name: str) -> T:
    """Returns the entry of `name`. Raises BadAnswer for a name that is not in the exchange's documentation."""
    found = table.get(name)
    if found is None:
        raise BadAnswer(f"{name[:MAX_TEXT]!r} is not one of {', '.join(table)}")
    return found


def parse_order(body: bytes | msgspec.Raw, symbols: Symbols) -> tuple[OrderReport, list[TradeReport]]:
    """Returns one order, with the trades in an answer of type FULL. Raises BadAnswer."""
    row = _order(body)
    report = _report(row, symbols)
    if not report.symbol:
        raise BadAnswer(f"{row.symbol[:MAX_TEXT]!r} is not one of our markets")
    trades = [
        TradeReport(
            report.symbol, fill.tradeId, report.order_id, report.side, number(fill.price), number(fill.qty),
            fee(fill.commission), fill.commissionAsset or "", Liquidity.TAKER, report.ts_event_ns, report.cl_ord_id,
        )
        for fill in row.fills
        if fill.tradeId >= 0
    ]  # fmt: skip
    return report, trades


def parse_orders(body: bytes, symbols: Symbols) -> list[OrderReport | Unreadable]:
    """Returns the orders of our markets. Types that we do not trade become limit orders. Raises BadAnswer."""

    def read(raw: msgspec.Raw) -> OrderReport | None:
        row = _order(raw)
        return _report(row, symbols) if symbols.symbol(row.symbol) else None

    return _each("order", body, read, symbols)


def _each(
    what: str, body: bytes, read: Callable[[msgspec.Raw], T | None], symbols: Symbols
) -> list[T | Unreadable]:  # fmt: skip
    """Returns the rows of an answer that concern us; one that cannot be read costs itself alone."""
    found: list[T | Unreadable] = []
    for raw in _rows(body):
        row: T | Unreadable | None
        try:
            row = read(raw)
        except BadAnswer as error:
            row = unreadable(what, raw, error, symbols)
        if row is not None:
            found.append(row)
    return found


def _report(row: _Order, symbols: Symbols) -> OrderReport:
    cum = number(row.executedQty)
    status, oddity = status_of(row.status, cum)
    return OrderReport(
        symbols.symbol(row.symbol),
        row.origClientOrderId or row.clientOrderId,
        str(row.orderId),
        known(SIDE, row.side),
        TYPE.get(row.type, OrdType.LIMIT),
        status,
        number(row.price),
        number(row.origQty),
        cum,
        time_ns(max(row.updateTime, row.transactTime)),
        str(row.expiryReason),
        oddity,
    )


def parse_trades(body: bytes, symbols: Symbols) -> list[TradeReport | Unreadable]:
    """Returns own trades of our markets, in the order given. Raises BadAnswer."""

    def read(raw: msgspec.Raw) -> TradeReport | None:
        row = _trade(raw)
        symbol = symbols.symbol(row.symbol)
        if not symbol:
            return None
        return TradeReport(
            symbol, row.id, str(row.orderId), Side.BUY if row.isBuyer else Side.SELL, number(row.price),
            number(row.qty), fee(row.commission), row.commissionAsset or "",
            Liquidity.MAKER if row.isMaker else Liquidity.TAKER, time_ns(row.time),
        )  # fmt: skip

    return _each("trade", body, read, symbols)


def parse_account(body: bytes) -> AccountReport:
    """Returns every balance, the account's id and its fees. Raises BadAnswer."""
    row = _account(body)
    rates = row.commissionRates
    rows, bad = balances(row.balances, lambda raw: _balance_row(_balance(raw)))
    return AccountReport(
        rows,
        time_ns(row.updateTime),
        True,
        str(row.uid or ""),
        row.canTrade,
        None if rates is None else rates.maker,
        None if rates is None else rates.taker,
        bad,
    )


def _balance_row(row: _Balance) -> BalanceRow:
    return BalanceRow(row.asset, number(row.free), number(row.locked))


def balances(
    raws: list[msgspec.Raw], read: Callable[[msgspec.Raw], BalanceRow]
) -> tuple[list[BalanceRow], tuple[Unreadable, ...]]:  # fmt: skip
    """Returns (the balances, those that cannot be read)."""
    rows, bad = [], []
    for raw in raws:
        try:
            rows.append(read(raw))
        except BadAnswer as error:
            bad.append(unreadable("balance", raw, error, Symbols()) or Unreadable("balance", str(error)))
    return rows, tuple(bad)


def parse_time(body: bytes) -> int:
    """Returns ns UTC. Raises BadAnswer."""
    return time_ns(_time(body).serverTime)
