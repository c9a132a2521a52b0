"""Endpoints that reduce an open order in its place in the queue, and list such amendments."""

from typing import Any

import msgspec

from venue.accounts import amendments
from venue.api.requests.endpoint import TRADE, USER_DATA, ApiCall, Endpoint
from venue.api.requests.order_form import client_id
from venue.api.rest.market_endpoints import API
from venue.base import api_errors
from venue.engine.order_amendment import amend_order, check_amendable
from venue.orders.exchange_order import ExchangeOrder
from venue.render import order_json, order_list_json
from venue.symbols import filters
from venue.symbols.symbol import Symbol

WEIGHT = 4


def amend(call: ApiCall) -> dict[str, Any]:
    """Raises -1013 if the quantity violates a filter, -2038 if the amendment is rejected."""
    symbol, params = call.symbol(), call.params
    order_id, old_id = params.optional_integer("orderId"), params.optional("origClientOrderId")
    if order_id is None and old_id is None:
        raise api_errors.one_of("origClientOrderId", "orderId")
    new_id = client_id(params, "newClientOrderId")
    new_lots = symbol.to_lots(params.atoms("newQty"))
    if not symbol.settings.amend_allowed:
        raise api_errors.amend_rejected("Order amend is not supported for this symbol.")
    order = call.account.find(symbol.name, order_id, old_id)
    if order is None or not order.is_open:
        raise api_errors.amend_rejected("Unknown order sent.")
    check_amendable(call.engine, order)
    check_quantity(symbol, order, new_lots, call.now_ns)
    amendment = amend_order(call.engine, order, new_lots, new_id, call.now_ns)
    if not order.is_open:
        call.limits.refund(call.remote, WEIGHT, call.now_ns)
    answer = {
        "transactTime": call.ms(order.update_ns),
        "executionId": amendment.execution_id,
        "amendedOrder": order_json.amended(symbol, order, amendment.old_client_order_id, call.ms),
    }
    one = call.engine.lists.find(call.account.name, order.list_id, None) if order.list_id >= 0 else None
    return answer if one is None else {**answer, "listStatus": order_list_json.amended(one)}


def check_quantity(symbol: Symbol, order: ExchangeOrder, new_lots: int, now_ns: int) -> None:
    """Raises -2038 unless the quantity is smaller, -1013 if it violates a filter."""
    if new_lots > order.size_lots:
        raise api_errors.amend_rejected("Order amend (quantity increase) is not supported.")
    if new_lots == order.size_lots:
        raise api_errors.amend_rejected("The requested action would change no state; rejecting")
    filters.check_size_and_notional(symbol, msgspec.structs.replace(order, size_lots=new_lots), now_ns)


def order_amendments(call: ApiCall) -> list[dict[str, Any]]:
    symbol, params = call.symbol(), call.params
    order_id = params.integer("orderId")
    from_id = params.optional_integer("fromExecutionId") or 0
    limit = params.limit(500, maximum=1000)
    rows = [one for one in call.account.amendments.get(order_id, []) if one.symbol == symbol.name]
    return [amendments.shown(symbol, one, call.ms) for one in rows if one.execution_id >= from_id][:limit]


ENDPOINTS = [
    Endpoint("PUT", f"{API}/order/amend/keepPriority", amend, WEIGHT, TRADE, "order.amend.keepPriority"),
    Endpoint("GET", f"{API}/order/amendments", order_amendments, 4, USER_DATA, "order.amendments"),
]
