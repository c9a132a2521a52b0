"""Endpoints about an account's rules: commissions, test orders, filters, prevented matches."""

from typing import Any

from venue.accounts import prevented_matches
from venue.accounts.prevented_matches import PreventedMatch
from venue.api.requests.endpoint import TRADE, USER_DATA, ApiCall, Endpoint
from venue.api.requests.order_form import read_order
from venue.api.rest.account_endpoints import span
from venue.api.rest.market_endpoints import API
from venue.base import api_errors
from venue.base.params import Params
from venue.engine import account_filters


def commission(call: ApiCall) -> dict[str, Any]:
    symbol, commissions = call.symbol(), call.engine.settlement.funds.commissions
    rates = commissions.of(call.account, symbol)
    return {
        "symbol": symbol.name,
        "standardCommission": rates.standard.shown(),
        "specialCommission": rates.special.shown(),
        "taxCommission": rates.tax.shown(),
        "discount": commissions.shown_discount(call.account, symbol),
    }


def place_test(call: ApiCall) -> dict[str, Any]:
    """Runs all checks except matching; places nothing. With `computeCommissionRates` it returns the commissions."""
    new_order = read_order(call)
    if not call.params.flag("computeCommissionRates", False):
        return {}
    commissions, is_buy = call.engine.settlement.funds.commissions, new_order.side.sign > 0
    rates = commissions.of(call.account, new_order.symbol)
    return {
        "standardCommissionForOrder": rates.standard.for_side(is_buy),
        "specialCommissionForOrder": rates.special.for_side(is_buy),
        "taxCommissionForOrder": rates.tax.for_side(is_buy),
        "discount": commissions.shown_discount(call.account, new_order.symbol),
    }


def place_test_weight(params: Params) -> int:
    return 20 if params.flag("computeCommissionRates", False) else 1


def my_filters(call: ApiCall) -> dict[str, Any]:
    symbol = call.symbol()
    return {
        "exchangeFilters": account_filters.exchange_rows(call.engine),
        "symbolFilters": account_filters.symbol_rows(symbol),
        "assetFilters": account_filters.asset_rows(call.account, symbol),
    }


def my_prevented_matches(call: ApiCall) -> list[dict[str, Any]]:
    """By preventedMatchId, or by orderId (from fromPreventedMatchId on). Raises -1128 for other combinations."""
    symbol, params, kept = call.symbol(), call.params, call.account.prevented
    match_id, order_id = params.optional_integer("preventedMatchId"), params.optional_integer("orderId")
    from_id = params.optional_integer("fromPreventedMatchId")
    limit = params.limit(500, maximum=1000)
    bad = api_errors.ApiError(-1128, "Combination of optional parameters invalid.")
    if match_id is not None:
        if order_id is not None or from_id is not None or "limit" in params:
            raise bad
        found = kept.get(symbol.name, match_id)
        rows = [] if found is None else [found]
    elif order_id is not None:
        if from_id is None and "limit" in params:
            raise bad
        rows = kept.of_order(symbol.name, order_id, from_id or 0)[:limit]
    else:
        raise bad
    return [prevented_row(call, one) for one in rows]


def prevented_row(call: ApiCall, match: PreventedMatch) -> dict[str, Any]:
    symbol = call.engine.symbols[match.symbol]
    return {
        "symbol": match.symbol,
        "takerOrderId": match.taker_order_id,
        "tradeGroupId": match.trade_group_id,
        "selfTradePreventionMode": match.stp,
        "transactTime": call.ms(match.time_ns),
        **prevented_matches.shown(symbol, match),
    }


def prevented_weight(params: Params) -> int:
    return 20 if "orderId" in params else 2


def my_allocations(call: ApiCall) -> list[dict[str, Any]]:
    """Always empty: there is no smart order routing here. Raises -1128 for combinations that the docs do not list."""
    call.symbol()
    params = call.params
    params.limit(500, maximum=1000)
    by_time = any(time_ns is not None for time_ns in span(call))
    by_id = [params.optional_integer(name) is not None for name in ("fromAllocationId", "orderId")]
    if by_time and any(by_id):
        raise api_errors.ApiError(-1128, "Combination of optional parameters invalid.")
    return []


ENDPOINTS = [
    Endpoint("POST", f"{API}/order/test", place_test, place_test_weight, TRADE, "order.test"),
    Endpoint("GET", f"{API}/account/commission", commission, 20, USER_DATA, "account.commission"),
    Endpoint("GET", f"{API}/myFilters", my_filters, 40, USER_DATA, "myFilters"),
    Endpoint(
        "GET", f"{API}/myPreventedMatches", my_prevented_matches, prevented_weight, USER_DATA, "myPreventedMatches"
    ),
    Endpoint("GET", f"{API}/myAllocations", my_allocations, 20, USER_DATA, "myAllocations"),
]
