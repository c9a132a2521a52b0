"""Orders, executions and user events in Binance's JSON. `ms` converts nanoseconds to the requested unit."""

from collections.abc import Callable, Iterable
from typing import Any

from protocol.enums import Side
from venue.base.numbers import fixed8
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.symbols.symbol import Symbol

Clock = Callable[[int], int]
EventMaker = Callable[[int], dict[str, Any]]
"""Makes an event, given the time unit in nanoseconds."""


def ack(symbol: Symbol, order: ExchangeOrder, ms: Clock) -> dict[str, Any]:
    return {
        "symbol": symbol.name,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": ms(order.time_ns),
    }


def result(symbol: Symbol, order: ExchangeOrder, ms: Clock) -> dict[str, Any]:
    body = ack(symbol, order, ms)
    body |= _state(symbol, order, ms)
    body |= _working(order, ms)
    body |= _stp(symbol, order)
    return body


def full(symbol: Symbol, order: ExchangeOrder, fills: Iterable[Execution], ms: Clock) -> dict[str, Any]:
    rows = [
        {
            "price": symbol.price(fill.price_ticks),
            "qty": symbol.size(fill.size_lots),
            "commission": fixed8(fill.fee_atoms),
            "commissionAsset": fill.fee_asset,
            "tradeId": fill.trade_id,
        }
        for fill in fills
    ]
    body = result(symbol, order, ms)
    body["fills"] = rows
    return body


def canceled(symbol: Symbol, order: ExchangeOrder, cancel_id: str, ms: Clock) -> dict[str, Any]:
    return {
        "symbol": symbol.name,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": cancel_id,
        "transactTime": ms(order.update_ns),
        **_state(symbol, order, ms),
        **_stp(symbol, order),
    }


def amended(symbol: Symbol, order: ExchangeOrder, old_client_order_id: str, ms: Clock) -> dict[str, Any]:
    """The order after an amendment; this answer has field names of its own."""
    state = _state(symbol, order, ms)
    shown = {
        "symbol": symbol.name,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "origClientOrderId": old_client_order_id,
        "clientOrderId": order.client_order_id,
        "price": state.pop("price"),
        "qty": state.pop("origQty"),
        "executedQty": state.pop("executedQty"),
        "preventedQty": symbol.size(order.prevented_lots),
        "quoteOrderQty": state.pop("origQuoteOrderQty"),
        "cumulativeQuoteQty": state.pop("cummulativeQuoteQty"),
        **state,
        "selfTradePreventionMode": order.stp,
    }
    return shown | _working(order, ms) if order.working_ns else shown


def status(symbol: Symbol, order: ExchangeOrder, ms: Clock) -> dict[str, Any]:
    """As in the answers to GET order, openOrders and allOrders."""
    state = _state(symbol, order, ms)
    quote_order_qty = state.pop("origQuoteOrderQty")
    return {
        "symbol": symbol.name,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        **state,
        "time": ms(order.time_ns),
        "updateTime": ms(order.update_ns),
        "isWorking": order.is_working,
        **_working(order, ms),
        "origQuoteOrderQty": quote_order_qty,
        **_stp(symbol, order),
    }


def _state(symbol: Symbol, order: ExchangeOrder, ms: Clock) -> dict[str, Any]:
    state: dict[str, Any] = {
        "price": symbol.price(order.asked_ticks if order.peg else order.price_ticks),
        "origQty": symbol.size(order.size_lots),
        "executedQty": symbol.size(order.executed_lots),
        "origQuoteOrderQty": fixed8(order.quote_order_atoms),
        "cummulativeQuoteQty": fixed8(order.quote_atoms),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.ord_type,
        "side": order.side.name,
    }
    if not order.size_lots and order.status == "PENDING_NEW":  # it will be set by the order that it waits for
        del state["origQty"]
    if order.is_contingent:
        state["stopPrice"] = symbol.price(order.stop_ticks)
    if order.trailing_delta:
        state["trailingDelta"] = order.trailing_delta
        state["trailingTime"] = ms(order.trailing_ns) if order.trailing_ns else -1
    if order.iceberg_lots:
        state["icebergQty"] = symbol.size(order.iceberg_lots)
    if order.strategy_id is not None:
        state["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        state["strategyType"] = order.strategy_type
    if order.expiry_reason:
        state["expiryReason"] = order.expiry_reason
    if order.peg:
        state.update(_peg(symbol, order))
    return state


def _peg(symbol: Symbol, order: ExchangeOrder) -> dict[str, Any]:
    shown: dict[str, Any] = {"pegPriceType": order.peg}
    if order.peg_offset:
        shown |= {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": order.peg_offset}
    if order.is_working:
        shown["peggedPrice"] = symbol.price(order.price_ticks)
    return shown


EVENT_NAMES = {"pegPriceType": "gP", "pegOffsetType": "gOT", "pegOffsetValue": "gOV", "peggedPrice": "gp"}


def _working(order: ExchangeOrder, ms: Clock) -> dict[str, Any]:
    return {"workingTime": ms(order.working_ns) if order.working_ns else -1}


def _stp(symbol: Symbol, order: ExchangeOrder) -> dict[str, Any]:
    shown: dict[str, Any] = {"selfTradePreventionMode": order.stp}
    if order.prevented_lots:
        shown["preventedMatchId"] = order.prevented_match_id
        shown["preventedQuantity"] = symbol.size(order.prevented_lots)
    return shown


def execution(symbol: Symbol, one: Execution, ms: Clock) -> dict[str, Any]:
    """As in the answer to myTrades."""
    return {
        "symbol": symbol.name,
        "id": one.trade_id,
        "orderId": one.order_id,
        "orderListId": one.list_id,
        "price": symbol.price(one.price_ticks),
        "qty": symbol.size(one.size_lots),
        "quoteQty": fixed8(one.quote_atoms),
        "commission": fixed8(one.fee_atoms),
        "commissionAsset": one.fee_asset,
        "time": ms(one.time_ns),
        "isBuyer": one.side is Side.BUY,
        "isMaker": one.is_maker,
        "isBestMatch": True,
    }


def execution_report(
    symbol: Symbol,
    order: ExchangeOrder,
    kind: str,
    execution_id: int,
    now_ns: int,
    ms: Clock,
    fill: Execution | None = None,
    cancel_id: str | None = None,
) -> dict[str, Any]:
    """The user event `executionReport`; `kind` is its execution type `x`."""
    report: dict[str, Any] = {
        "e": "executionReport",
        "E": ms(now_ns),
        "s": symbol.name,
        "c": order.client_order_id if cancel_id is None else cancel_id,
        "S": order.side.name,
        "o": order.ord_type,
        "f": order.time_in_force,
        "q": symbol.size(order.size_lots),
        "p": symbol.price(order.asked_ticks if order.peg else order.price_ticks),
        "P": symbol.price(order.stop_ticks),
        "F": symbol.size(order.iceberg_lots),
        "g": order.list_id,
        "C": "" if cancel_id is None else order.client_order_id,
        "x": kind,
        "X": order.status,
        "r": "NONE",
        "i": order.order_id,
        "l": symbol.size(fill.size_lots) if fill else "0.00000000",
        "z": symbol.size(order.executed_lots),
        "L": symbol.price(fill.price_ticks) if fill else "0.00000000",
        "n": fixed8(fill.fee_atoms) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": ms(order.update_ns),
        "t": fill.trade_id if fill else -1,
        "I": execution_id,
        "w": order.is_open and order.is_working and not order.is_market,
        "m": bool(fill and fill.is_maker),
        "M": bool(fill),
        "O": ms(order.time_ns),
        "Z": fixed8(order.quote_atoms),
        "Y": fixed8(fill.quote_atoms) if fill else "0.00000000",
        "Q": fixed8(order.quote_order_atoms),
        "V": order.stp,
    }
    report.update(_report_conditions(symbol, order, ms))
    return report


def _report_conditions(symbol: Symbol, order: ExchangeOrder, ms: Clock) -> dict[str, Any]:
    """The fields of `executionReport` that only some orders have."""
    report: dict[str, Any] = {}
    if order.working_ns:
        report["W"] = ms(order.working_ns)
    if order.trailing_delta:
        report["d"] = order.trailing_delta
        if order.trailing_ns:
            report["D"] = ms(order.trailing_ns)
    if order.prevented_lots:
        report["v"] = order.prevented_match_id
        report["A"] = symbol.size(order.prevented_lots)
    if order.expiry_reason:
        report["eR"] = order.expiry_reason
    if order.strategy_id is not None:
        report["j"] = order.strategy_id
    if order.strategy_type is not None:
        report["J"] = order.strategy_type
    if order.peg:
        report |= {EVENT_NAMES[name]: value for name, value in _peg(symbol, order).items()}
    return report
