"""Order lists in Binance's JSON."""

from collections.abc import Iterable
from typing import Any

from venue.orders.order_lists import OrderList
from venue.render.order_json import Clock


def order_list(one: OrderList, ms: Clock) -> dict[str, Any]:
    """As in the answer to GET orderList, and the first part of the answers to placing and canceling."""
    return {
        "orderListId": one.list_id,
        "contingencyType": one.contingency,
        "listStatusType": status_type(one),
        "listOrderStatus": order_status(one),
        "listClientOrderId": one.client_id,
        "transactionTime": ms(one.update_ns),
        "symbol": one.symbol,
        "orders": [
            {"symbol": one.symbol, "orderId": order_id, "clientOrderId": client_id}
            for order_id, client_id in one.orders
        ],
    }


def amended(one: OrderList) -> dict[str, Any]:
    """As in the answer to an amendment of one of its orders."""
    return {
        "orderListId": one.list_id,
        "contingencyType": one.contingency,
        "listOrderStatus": order_status(one),
        "listClientOrderId": one.client_id,
        "symbol": one.symbol,
        "orders": [
            {"symbol": one.symbol, "orderId": order_id, "clientOrderId": client_id}
            for order_id, client_id in one.orders
        ],
    }


def with_reports(one: OrderList, reports: Iterable[dict[str, Any]], ms: Clock) -> dict[str, Any]:
    """As in the answers to placing and canceling."""
    return {**order_list(one, ms), "orderReports": list(reports)}


def list_status(one: OrderList, now_ns: int, ms: Clock, kind: str | None = None) -> dict[str, Any]:
    """The user event `listStatus`."""
    return {
        "e": "listStatus",
        "E": ms(now_ns),
        "s": one.symbol,
        "g": one.list_id,
        "c": one.contingency,
        "l": kind or status_type(one),
        "L": order_status(one),
        "r": "NONE",
        "C": one.client_id,
        "T": ms(one.update_ns),
        "O": [{"s": one.symbol, "i": order_id, "c": client_id} for order_id, client_id in one.orders],
    }


def status_type(one: OrderList) -> str:
    return "ALL_DONE" if one.is_done else "EXEC_STARTED"


def order_status(one: OrderList) -> str:
    return "ALL_DONE" if one.is_done else "EXECUTING"
