"""Binance's answers about orders, trades and accounts: bytes to reports."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from connectors.binance.symbols import Symbols
from connectors.core.order_api import BadAnswer
from connectors.core.reports import AccountReport, BalanceRow, OrderReport, TradeReport
from protocol import Liquidity, OrdStatus, OrdType, Side

MS_NS = 1_000_000
MAX_MS = 2**43
MAX_TEXT = 200

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
    commission: Decimal
    commissionAsset: str
    tradeId: int


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
    commission: Decimal
    commissionAsset: str
    time: int
    isBuyer: bool
    isMaker: bool


class _Balance(msgspec.Struct):
    asset: str
    free: Decimal
    locked: Decimal


class _Rates(msgspec.Struct):
    maker: Decimal
    taker: Decimal


class _Account(msgspec.Struct):
    balances: list[_Balance]
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


_order, _orders, _trades = typed(_Order), typed(list[_Order]), typed(list[_Trade])
_account, _time = typed(_Account), typed(_Time)


def number(value: Decimal) -> Decimal:
    """Returns a valid quantity or price. Raises BadAnswer for NaN, infinity and negative numbers."""
    if not value.is_finite() or value < 0:
        raise BadAnswer(f"{value} is not a quantity")
    return value


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
            number(fill.commission), fill.commissionAsset, Liquidity.TAKER, report.ts_event_ns, report.cl_ord_id,
        )
        for fill in row.fills
        if fill.tradeId >= 0
    ]  # fmt: skip
    return report, trades


def parse_orders(body: bytes, symbols: Symbols) -> list[OrderReport]:
    """Returns open orders of our markets. Types that we do not trade become limit orders. Raises BadAnswer."""
    reports = [_report(row, symbols) for row in _orders(body)]
    return [report for report in reports if report.symbol]


def _report(row: _Order, symbols: Symbols) -> OrderReport:
    return OrderReport(
        symbols.symbol(row.symbol),
        row.origClientOrderId or row.clientOrderId,
        str(row.orderId),
        known(SIDE, row.side),
        TYPE.get(row.type, OrdType.LIMIT),
        known(STATUS, row.status),
        number(row.price),
        number(row.origQty),
        number(row.executedQty),
        time_ns(max(row.updateTime, row.transactTime)),
        str(row.expiryReason),
    )


def parse_trades(body: bytes, symbols: Symbols) -> list[TradeReport]:
    """Returns own trades of our markets, in the order given. Raises BadAnswer."""
    return [
        TradeReport(
            symbols.symbol(row.symbol), row.id, str(row.orderId), Side.BUY if row.isBuyer else Side.SELL,
            number(row.price), number(row.qty), number(row.commission), row.commissionAsset,
            Liquidity.MAKER if row.isMaker else Liquidity.TAKER, time_ns(row.time),
        )
        for row in _trades(body)
        if symbols.symbol(row.symbol)
    ]  # fmt: skip


def parse_account(body: bytes) -> AccountReport:
    """Returns every balance, the account's id and its fees. Raises BadAnswer."""
    row = _account(body)
    rates = row.commissionRates
    return AccountReport(
        [BalanceRow(one.asset, number(one.free), number(one.locked)) for one in row.balances],
        time_ns(row.updateTime),
        True,
        str(row.uid or ""),
        row.canTrade,
        None if rates is None else rates.maker,
        None if rates is None else rates.taker,
    )


def parse_time(body: bytes) -> int:
    """Returns ns UTC. Raises BadAnswer."""
    return time_ns(_time(body).serverTime)
