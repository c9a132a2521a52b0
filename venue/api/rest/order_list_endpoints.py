"""Order list endpoints: place, cancel, query."""

from collections.abc import Callable
from typing import Any

from venue.api.requests import order_list_form
from venue.api.requests.endpoint import TRADE, USER_DATA, ApiCall, Endpoint
from venue.api.requests.order_form import client_id
from venue.api.rest.account_endpoints import span
from venue.api.rest.market_endpoints import API
from venue.api.rest.trade_endpoints import RESPONSES, cancel_list, report
from venue.base import api_errors
from venue.engine import order_list_placement
from venue.engine.order_list_placement import NewOrderList
from venue.orders.order_lists import OrderList
from venue.render import order_list_json

Reader = Callable[[ApiCall], NewOrderList]


def placing(read: Reader) -> Callable[[ApiCall], dict[str, Any]]:
    """The handler that places the list that `read` makes of a request."""

    def place(call: ApiCall) -> dict[str, Any]:
        shape = call.params.choice("newOrderRespType", RESPONSES, "RESULT")
        new_list = read(call)
        call.limits.count_order(call.account.name, call.now_ns, len(new_list.new_orders))
        placed = order_list_placement.place(call.engine, call.account, new_list, call.now_ns)
        reports = [report(call, new_list.symbol, order, fills, shape) for order, fills in placed.orders]
        return order_list_json.with_reports(placed.order_list, reports, call.ms)

    return place


def cancel(call: ApiCall) -> dict[str, Any]:
    """DELETE /api/v3/orderList. Raises -2011 if no such list is open."""
    symbol = call.symbol()
    cancel_id = client_id(call.params, "newClientOrderId")
    one = find(call, "listClientOrderId")
    if one is None or one.is_done or one.symbol != symbol.name:
        raise api_errors.unknown_order()
    return cancel_list(call, one, cancel_id)


def find(call: ApiCall, client_id_name: str) -> OrderList | None:
    """The requested list; None if there is none. Raises -1102 without an id."""
    list_id, list_client_id = call.params.optional_integer("orderListId"), call.params.optional(client_id_name)
    if list_id is None and list_client_id is None:
        raise api_errors.one_of("orderListId", client_id_name)
    return call.engine.lists.find(call.account.name, list_id, list_client_id)


def query(call: ApiCall) -> dict[str, Any]:
    one = find(call, "origClientOrderId")
    if one is None:
        raise api_errors.no_such_order()
    return order_list_json.order_list(one, call.ms)


def open_lists(call: ApiCall) -> list[dict[str, Any]]:
    lists = call.engine.lists.open.values()
    return [order_list_json.order_list(one, call.ms) for one in lists if one.account == call.account.name]


def all_lists(call: ApiCall) -> list[dict[str, Any]]:
    """With `fromId` or `startTime` the oldest from there on, else the latest."""
    params = call.params
    limit, from_id = params.limit(500, maximum=1000), params.optional_integer("fromId")
    start_ns, end_ns = span(call)
    if from_id is not None and (start_ns is not None or end_ns is not None):
        raise api_errors.ApiError(-1128, "Combination of optional parameters invalid.")
    rows = [
        one
        for one in call.engine.lists.by_account.get(call.account.name, {}).values()
        if (from_id is None or one.list_id >= from_id)
        and (start_ns is None or one.time_ns >= start_ns)
        and (end_ns is None or one.time_ns <= end_ns)
    ]
    rows = rows[:limit] if from_id is not None or start_ns is not None else rows[-limit:]
    return [order_list_json.order_list(one, call.ms) for one in rows]


def placement(path: str, read: Reader, ws_method: str) -> Endpoint:
    return Endpoint("POST", f"{API}/{path}", placing(read), 1, TRADE, ws_method, is_free=True)


ENDPOINTS = [
    placement("order/oco", order_list_form.old_oco, "orderList.place"),
    placement("orderList/oco", order_list_form.oco, "orderList.place.oco"),
    placement("orderList/oto", order_list_form.oto, "orderList.place.oto"),
    placement("orderList/otoco", order_list_form.otoco, "orderList.place.otoco"),
    placement("orderList/opo", order_list_form.opo, "orderList.place.opo"),
    placement("orderList/opoco", order_list_form.opoco, "orderList.place.opoco"),
    Endpoint("DELETE", f"{API}/orderList", cancel, 1, TRADE, "orderList.cancel", is_free=True),
    Endpoint("GET", f"{API}/orderList", query, 4, USER_DATA, "orderList.status"),
    Endpoint("GET", f"{API}/openOrderList", open_lists, 6, USER_DATA, "openOrderLists.status"),
    Endpoint("GET", f"{API}/allOrderList", all_lists, 20, USER_DATA, "allOrderLists"),
]
