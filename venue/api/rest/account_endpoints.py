"""Account endpoints: orders, trades, balances, commission, order counts."""

from bisect import bisect_left
from typing import Any

from venue.api.requests.endpoint import USER_DATA, ApiCall, Endpoint
from venue.api.rest.market_endpoints import API
from venue.base import api_errors
from venue.base.numbers import fixed8
from venue.base.params import Params
from venue.base.units import DAY_NS
from venue.orders.exchange_order import Execution
from venue.render import order_json


def query_order(call: ApiCall) -> dict[str, Any]:
    symbol = call.symbol()
    order_id = call.params.optional_integer("orderId")
    client_order_id = call.params.optional("origClientOrderId")
    if order_id is None and client_order_id is None:
        raise api_errors.one_of("origClientOrderId", "orderId")
    order = call.account.find(symbol.name, order_id, client_order_id)
    if order is None:
        raise api_errors.no_such_order()
    return order_json.status(symbol, order, call.ms)


def open_orders(call: ApiCall) -> list[dict[str, Any]]:
    wanted = call.symbol().name if "symbol" in call.params else None
    return [
        order_json.status(call.engine.symbols[order.symbol], order, call.ms)
        for order in call.account.open_orders.values()
        if wanted is None or order.symbol == wanted
    ]


def all_orders(call: ApiCall) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.limit(500, maximum=1000)
    order_id = call.params.optional_integer("orderId")
    start_ns, end_ns = span(call)
    rows = [
        order
        for order in call.account.orders.values()
        if order.symbol == symbol.name
        and (order_id is None or order.order_id >= order_id)
        and (start_ns is None or order.time_ns >= start_ns)
        and (end_ns is None or order.time_ns <= end_ns)
    ]
    rows.sort(key=lambda order: order.order_id)
    rows = rows[:limit] if order_id is not None or start_ns is not None else rows[-limit:]
    return [order_json.status(symbol, order, call.ms) for order in rows]


def span(call: ApiCall) -> tuple[int | None, int | None]:
    """startTime and endTime. Raises -1127 for more than 24 hours between them."""
    start_ns, end_ns = call.time_ns("startTime"), call.time_ns("endTime")
    if start_ns is not None and end_ns is not None and end_ns - start_ns > DAY_NS:
        raise api_errors.ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start_ns, end_ns


def my_trades(call: ApiCall) -> list[dict[str, Any]]:
    """Filters: orderId, fromId, startTime, endTime, limit. Raises -1128 for combinations that the docs do not list."""
    symbol = call.symbol()
    params = call.params
    limit = params.limit(500, maximum=1000)
    order_id, from_id = params.optional_integer("orderId"), params.optional_integer("fromId")
    start_ns, end_ns = span(call)
    if from_id is not None and (start_ns is not None or end_ns is not None):
        raise api_errors.ApiError(-1128, "Combination of optional parameters invalid.")
    if order_id is not None and (start_ns is not None or end_ns is not None):
        raise api_errors.ApiError(-1128, "Combination of optional parameters invalid.")
    account = call.account
    kept = account.executions if order_id is None else account.executions_by_order.get(order_id, [])
    first = 0
    if start_ns is not None:
        first = bisect_left(kept, start_ns, key=lambda one: one.time_ns)
    rows: list[Execution] = [
        one
        for one in kept[first:]
        if one.symbol == symbol.name
        and (from_id is None or one.trade_id >= from_id)
        and (end_ns is None or one.time_ns <= end_ns)
    ]
    rows = rows[:limit] if from_id is not None or start_ns is not None else rows[-limit:]
    return [order_json.execution(symbol, one, call.ms) for one in rows]


def account_information(call: ApiCall) -> dict[str, Any]:
    account = call.account
    skip_zero = call.params.flag("omitZeroBalances", False)
    maker, taker = account.maker_fee_atoms, account.taker_fee_atoms
    group = {} if account.trade_group_id < 0 else {"tradeGroupId": account.trade_group_id}
    return {
        "makerCommission": maker // 10_000,
        "takerCommission": taker // 10_000,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": fixed8(maker),
            "taker": fixed8(taker),
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": account.settings.require_stp,
        "preventSor": False,
        "updateTime": call.ms(account.update_ns),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": fixed8(balance.free), "locked": fixed8(balance.locked)}
            for asset, balance in account.balances.items()
            if not skip_zero or balance.free or balance.locked
        ],
        "permissions": ["SPOT"],
        "uid": account.uid,
        **group,
    }


def order_counts(call: ApiCall) -> Any:
    return call.limits.order_rows(call.account.name, call.now_ns)


def open_orders_weight(params: Params) -> int:
    return 6 if "symbol" in params else 80


def my_trades_weight(params: Params) -> int:
    return 5 if "orderId" in params else 20


ENDPOINTS = [
    Endpoint("GET", f"{API}/order", query_order, 4, USER_DATA, "order.status"),
    Endpoint("GET", f"{API}/openOrders", open_orders, open_orders_weight, USER_DATA, "openOrders.status"),
    Endpoint("GET", f"{API}/allOrders", all_orders, 20, USER_DATA, "allOrders"),
    Endpoint("GET", f"{API}/myTrades", my_trades, my_trades_weight, USER_DATA, "myTrades"),
    Endpoint("GET", f"{API}/account", account_information, 20, USER_DATA, "account.status"),
    Endpoint("GET", f"{API}/rateLimit/order", order_counts, 40, USER_DATA, "account.rateLimits.orders"),
]
