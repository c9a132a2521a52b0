"""Endpoints about execution: its rules and the reference price."""

from typing import Any

from venue.api.requests.endpoint import ApiCall, Endpoint
from venue.api.rest.market_endpoints import API
from venue.base import api_errors
from venue.base.params import Params
from venue.symbols.reference_price import ReferencePrice


def execution_rules(call: ApiCall) -> dict[str, Any]:
    """No symbol has execution rules here. Raises -1128 for more than one parameter."""
    if sum(name in call.params for name in ("symbol", "symbols", "symbolStatus")) > 1:
        raise api_errors.bad_combination()
    return {"symbolRules": [{"symbol": symbol.name, "rules": []} for symbol in call.symbols()]}


def reference_price(call: ApiCall) -> dict[str, Any]:
    """The price is null without a trade in the window. Raises -2043 if there never was a price."""
    symbol = call.symbol()
    if symbol.reference is None or not symbol.reference.is_set:
        raise api_errors.no_reference_price()
    price = symbol.reference.text(call.now_ns)
    return {"symbol": symbol.name, "referencePrice": price, "timestamp": call.ms(call.now_ns)}


def reference_calculation(call: ApiCall) -> dict[str, Any]:
    symbol = call.symbol()
    reference: ReferencePrice | None = symbol.reference
    if reference is None:
        raise api_errors.no_reference_price()
    return {
        "symbol": symbol.name,
        "calculationType": "ARITHMETIC_MEAN",
        "bucketCount": reference.settings.bucket_count,
        "bucketWidthMs": reference.settings.bucket_width_ms,
    }


def rules_weight(params: Params) -> int:
    if "symbols" in params:
        return min(40, 2 * len(params.strings("symbols") or ()))
    return 2 if "symbol" in params else 40


ENDPOINTS = [
    Endpoint("GET", f"{API}/executionRules", execution_rules, rules_weight, ws_method="executionRules"),
    Endpoint("GET", f"{API}/referencePrice", reference_price, 2, ws_method="referencePrice"),
    Endpoint(
        "GET", f"{API}/referencePrice/calculation", reference_calculation, 2, ws_method="referencePrice.calculation"
    ),
]
