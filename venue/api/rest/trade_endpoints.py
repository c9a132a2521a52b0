"""Trading endpoints: place and cancel orders."""

from typing import Any

from venue.accounts import prevented_matches
from venue.api.requests.endpoint import TRADE, ApiCall, Endpoint
from venue.api.requests.order_form import client_id, read_order
from venue.api.rest.market_endpoints import API
from venue.base import api_errors
from venue.base.params import Params
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.orders.order_lists import OrderList
from venue.render import order_json, order_list_json
from venue.symbols.symbol import Symbol

RESPONSES = ("ACK", "RESULT", "FULL")


def response_type(params: Params) -> str:
    """The parameter newOrderRespType; empty if the order's type decides."""
    return params.choice("newOrderRespType", RESPONSES, "")


def answer(call: ApiCall, symbol: Symbol, order: ExchangeOrder, fills: list[Execution], shape: str) -> dict[str, Any]:
    """The answer in the form of newOrderRespType."""
    default = "FULL" if order.ord_type in ("LIMIT", "MARKET") else "ACK"
    return report(call, symbol, order, fills, shape or default)


def report(call: ApiCall, symbol: Symbol, order: ExchangeOrder, fills: list[Execution], shape: str) -> dict[str, Any]:
    if shape == "ACK":
        return order_json.ack(symbol, order, call.ms)
    if shape == "RESULT":
        return order_json.result(symbol, order, call.ms)
    body = order_json.full(symbol, order, fills, call.ms)
    prevented = call.account.prevented.of_taker(order)
    if prevented:
        body["preventedMatches"] = [prevented_matches.shown(symbol, match) for match in prevented]
    if order.prevented_lots and call.account.trade_group_id >= 0:
        body["tradeGroupId"] = call.account.trade_group_id
    return body


def place(call: ApiCall) -> dict[str, Any]:
    shape = response_type(call.params)
    new_order = read_order(call)
    call.limits.count_order(call.account.name, call.now_ns)
    order, fills = call.engine.place(call.account, new_order, call.now_ns)
    return answer(call, new_order.symbol, order, fills, shape)


def find_open(call: ApiCall, symbol: Symbol, id_name: str, client_id_name: str) -> ExchangeOrder:
    """The open order of a cancel request. Raises -2011 if there is none, -1102 without an id."""
    order_id = call.params.optional_integer(id_name)
    client_order_id = call.params.optional(client_id_name)
    if order_id is None and client_order_id is None:
        raise api_errors.one_of(client_id_name, id_name)
    order = call.account.find(symbol.name, order_id, client_order_id)
    if order is None or not order.is_open:
        raise api_errors.unknown_order()
    return order


def check_restrictions(params: Params, order: ExchangeOrder) -> None:
    known = {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}
    wanted = params.choice("cancelRestrictions", known, "", api_errors.bad_restrictions)
    if wanted and order.status != known[wanted]:
        raise api_errors.ApiError(-2011, "Order was not canceled due to cancel restrictions.")


def cancel_one(call: ApiCall, symbol: Symbol, order: ExchangeOrder, cancel_id: str | None) -> dict[str, Any]:
    """Cancels an order, or all orders of its list."""
    if order.list_id >= 0:
        return cancel_list(call, call.engine.lists.open[order.list_id], cancel_id)
    cancel_id = cancel_id or call.engine.new_client_id("cancel", order.order_id, call.now_ns)
    call.engine.cancel(order, cancel_id, call.now_ns)
    return order_json.canceled(symbol, order, cancel_id, call.ms)


def cancel_list(call: ApiCall, one: OrderList, cancel_id: str | None) -> dict[str, Any]:
    """Cancels the open orders of a list; the answer has a report of each."""
    symbol = call.engine.symbols[one.symbol]
    cancel_id = cancel_id or call.engine.new_client_id("cancel", "list", one.list_id, call.now_ns)
    ended = call.engine.cancel_list(one, cancel_id, call.now_ns)
    return order_list_json.with_reports(
        one, [order_json.canceled(symbol, o, cancel_id, call.ms) for o in ended], call.ms
    )


def cancel(call: ApiCall) -> dict[str, Any]:
    symbol = call.symbol()
    cancel_id = client_id(call.params, "newClientOrderId")
    order = find_open(call, symbol, "orderId", "origClientOrderId")
    check_restrictions(call.params, order)
    return cancel_one(call, symbol, order, cancel_id)


def cancel_all(call: ApiCall) -> list[dict[str, Any]]:
    symbol = call.symbol()
    orders = [order for order in call.account.open_orders.values() if order.symbol == symbol.name]
    if not orders:
        raise api_errors.unknown_order()
    return [cancel_one(call, symbol, order, None) for order in orders if order.is_open]


ENDPOINTS = [
    Endpoint("POST", f"{API}/order", place, 1, TRADE, "order.place", is_free=True),
    Endpoint("DELETE", f"{API}/order", cancel, 1, TRADE, "order.cancel", is_free=True),
    Endpoint("DELETE", f"{API}/openOrders", cancel_all, 1, TRADE, "openOrders.cancelAll", is_free=True),
]
