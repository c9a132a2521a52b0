"""The endpoint that cancels an order and places another."""

from typing import Any

from venue.api.requests.endpoint import TRADE, ApiCall, Endpoint
from venue.api.requests.order_form import client_id, read_order
from venue.api.rest.market_endpoints import API
from venue.api.rest.trade_endpoints import answer, cancel_one, check_restrictions, find_open, response_type
from venue.base import api_errors
from venue.engine import pegs

MODES = ("STOP_ON_FAILURE", "ALLOW_FAILURE")
SUCCESS, FAILURE, NOT_ATTEMPTED = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"


def cancel_replace(call: ApiCall) -> dict[str, Any]:
    """Filters and the order count are checked first. Raises -2021 if one half failed, -2022 if both did."""
    params, symbol = call.params, call.symbol()
    mode = params.choice("cancelReplaceMode", MODES, None)
    exceeded = params.choice("orderRateLimitExceededMode", ("DO_NOTHING", "CANCEL_ONLY"), "DO_NOTHING")
    if "cancelOrderId" not in params and "cancelOrigClientOrderId" not in params:
        raise api_errors.one_of("cancelOrigClientOrderId", "cancelOrderId")
    shape = response_type(params)
    cancel_id = client_id(params, "cancelNewClientOrderId")
    new_order = read_order(call)
    over_limit: api_errors.ApiError | None = None
    try:
        call.limits.count_order(call.account.name, call.now_ns)
    except api_errors.ApiError as error:
        if exceeded == "DO_NOTHING":
            raise
        over_limit = error
    canceled: Any = None
    cancel_error: api_errors.ApiError | None = None
    try:
        order = find_open(call, symbol, "cancelOrderId", "cancelOrigClientOrderId")
        check_restrictions(params, order)
        canceled = cancel_one(call, symbol, order, cancel_id)
    except api_errors.ApiError as error:
        cancel_error = error
    if cancel_error is not None and (mode == "STOP_ON_FAILURE" or over_limit is not None):
        status = 400 if over_limit is None else 429
        raise failure(cancel_error.body(), None, FAILURE, NOT_ATTEMPTED, status)
    new_error: api_errors.ApiError | None = over_limit
    placed: Any = None
    if new_error is None:
        try:
            if new_order.peg:  # the cancel may have changed the book
                pegs.reselect(symbol, new_order, call.now_ns)
            order, fills = call.engine.place(call.account, new_order, call.now_ns)
            placed = answer(call, symbol, order, fills, shape)
        except api_errors.ApiError as error:
            new_error = error
    if cancel_error is None and new_error is None:
        return {
            "cancelResult": SUCCESS,
            "newOrderResult": SUCCESS,
            "cancelResponse": canceled,
            "newOrderResponse": placed,
        }
    raise failure(
        cancel_error.body() if cancel_error else canceled,
        new_error.body() if new_error else placed,
        FAILURE if cancel_error else SUCCESS,
        FAILURE if new_error else SUCCESS,
        429 if over_limit else 400 if cancel_error and new_error else 409,
    )


def failure(canceled: Any, placed: Any, cancel_result: str, new_result: str, status: int) -> api_errors.ApiError:
    data = {
        "cancelResult": cancel_result,
        "newOrderResult": new_result,
        "cancelResponse": canceled,
        "newOrderResponse": placed,
    }
    if SUCCESS in (cancel_result, new_result):
        return api_errors.ApiError(-2021, "Order cancel-replace partially failed.", status, data)
    return api_errors.ApiError(-2022, "Order cancel-replace failed.", status, data)


ENDPOINTS = [
    Endpoint("POST", f"{API}/order/cancelReplace", cancel_replace, 1, TRADE, "order.cancelReplace", is_free=True),
]
