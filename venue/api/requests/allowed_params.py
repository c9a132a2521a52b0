"""The parameters of each documented endpoint (`!`: mandatory); others are rejected."""

import msgspec

from venue.base import api_errors
from venue.base.params import Params

SIGNED = frozenset(("recvWindow", "timestamp", "signature"))
WEBSOCKET = frozenset(("apiKey", "returnRateLimits"))
_PEG = "pegPriceType pegOffsetValue pegOffsetType"
_ORDER = (
    "symbol! side! type! timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType stopPrice "
    f"trailingDelta icebergQty newOrderRespType selfTradePreventionMode {_PEG}"
)
_LIST = "symbol! listClientOrderId newOrderRespType selfTradePreventionMode"
_LEG = "ClientOrderId IcebergQty Price TimeInForce StrategyId StrategyType PegPriceType PegOffsetType PegOffsetValue"
_STOP = "StopPrice TrailingDelta"
_SPAN = "startTime endTime limit"
_TICKER = "symbol symbols symbolStatus"


def _leg(prefix: str, *more: str) -> str:
    return " ".join(prefix + name for name in " ".join((*more, _LEG)).split())


_WORKING = _leg("working", "Type! Side! Quantity!")
_PENDING = _leg("pending", "Type! Side!", _STOP)
_PENDING_PAIR = "pendingSide! " + _leg("pendingAbove", "Type!", _STOP) + " " + _leg("pendingBelow", "Type", _STOP)

PARAMS = {
    "GET /api/v3/ping": "",
    "GET /api/v3/time": "",
    "GET /api/v3/exchangeInfo": "symbol symbols permissions showPermissionSets symbolStatus",
    "GET /api/v3/executionRules": _TICKER,
    "GET /api/v3/depth": "symbol! limit symbolStatus",
    "GET /api/v3/trades": "symbol! limit",
    "GET /api/v3/historicalTrades": "symbol! limit fromId",
    "GET /api/v3/historicalBlockTrades": "symbol! fromId! limit",
    "GET /api/v3/aggTrades": f"symbol! fromId {_SPAN}",
    "GET /api/v3/klines": f"symbol! interval! timeZone {_SPAN}",
    "GET /api/v3/uiKlines": f"symbol! interval! timeZone {_SPAN}",
    "GET /api/v3/avgPrice": "symbol!",
    "GET /api/v3/ticker/24hr": f"{_TICKER} type",
    "GET /api/v3/ticker/tradingDay": f"{_TICKER} timeZone type",
    "GET /api/v3/ticker/price": _TICKER,
    "GET /api/v3/ticker/bookTicker": _TICKER,
    "GET /api/v3/ticker": f"{_TICKER} windowSize type",
    "GET /api/v3/referencePrice": "symbol!",
    "GET /api/v3/referencePrice/calculation": "symbol! symbolStatus",
    "POST /api/v3/order": _ORDER,
    "POST /api/v3/order/test": f"{_ORDER} computeCommissionRates",
    "DELETE /api/v3/order": "symbol! orderId origClientOrderId newClientOrderId cancelRestrictions",
    "DELETE /api/v3/openOrders": "symbol!",
    "POST /api/v3/order/cancelReplace": f"{_ORDER} cancelReplaceMode! cancelNewClientOrderId cancelOrigClientOrderId "
    "cancelOrderId cancelRestrictions orderRateLimitExceededMode",
    "PUT /api/v3/order/amend/keepPriority": "symbol! orderId origClientOrderId newClientOrderId newQty!",
    "POST /api/v3/order/oco": f"{_LIST} side! quantity! limitClientOrderId price! limitStrategyId limitStrategyType "
    "limitIcebergQty trailingDelta stopClientOrderId stopPrice! stopStrategyId stopStrategyType stopLimitPrice "
    "stopIcebergQty stopLimitTimeInForce",
    "POST /api/v3/orderList/oco": f"{_LIST} side! quantity! {_leg('above', 'Type!', _STOP)} "
    f"{_leg('below', 'Type!', _STOP)}",
    "POST /api/v3/orderList/oto": f"{_LIST} {_WORKING} {_PENDING} pendingQuantity!",
    "POST /api/v3/orderList/otoco": f"{_LIST} {_WORKING} {_PENDING_PAIR} pendingQuantity!",
    "POST /api/v3/orderList/opo": f"{_LIST} {_WORKING} {_PENDING}",
    "POST /api/v3/orderList/opoco": f"{_LIST} {_WORKING} {_PENDING_PAIR}",
    "DELETE /api/v3/orderList": "symbol! orderListId listClientOrderId newClientOrderId",
    "GET /api/v3/account": "omitZeroBalances",
    "GET /api/v3/order": "symbol! orderId origClientOrderId",
    "GET /api/v3/openOrders": "symbol",
    "GET /api/v3/allOrders": f"symbol! orderId {_SPAN}",
    "GET /api/v3/orderList": "orderListId origClientOrderId",
    "GET /api/v3/allOrderList": f"fromId {_SPAN}",
    "GET /api/v3/openOrderList": "",
    "GET /api/v3/myTrades": f"symbol! orderId fromId {_SPAN}",
    "GET /api/v3/rateLimit/order": "",
    "GET /api/v3/myPreventedMatches": "symbol! preventedMatchId orderId fromPreventedMatchId limit",
    "GET /api/v3/myAllocations": f"symbol! fromAllocationId orderId {_SPAN}",
    "GET /api/v3/account/commission": "symbol!",
    "GET /api/v3/order/amendments": "symbol! orderId! fromExecutionId limit",
    "GET /api/v3/myFilters": "symbol!",
}


class AllowedParams(msgspec.Struct, frozen=True):
    """The allowed parameters of one endpoint."""

    known: frozenset[str]
    mandatory: tuple[str, ...]


def _allowed(names: str) -> AllowedParams:
    listed = names.split()
    mandatory = tuple(name[:-1] for name in listed if name.endswith("!"))
    return AllowedParams(frozenset(name.removesuffix("!") for name in listed), mandatory)


ALLOWED = {tuple(route.split(" ")): _allowed(names) for route, names in PARAMS.items()}


def check_allowed(method: str, path: str, params: Params, extra: frozenset[str]) -> None:
    """Raises -1101 or -1104 for parameters that the endpoint does not have, -1102 first for a missing mandatory one.

    `extra`: parameters of a signature or of the websocket API. Endpoints outside the table accept any parameters.
    """
    allowed = ALLOWED.get((method, path))
    if allowed is None:
        return
    sent = params.values.keys()
    unread = [name for name in sent if name not in allowed.known and name not in extra]
    if not unread:
        return
    for name in allowed.mandatory:
        params.text(name)
    most = len(allowed.known) + len(extra)
    if len(sent) > most:
        raise api_errors.too_many_parameters(most, len(sent))
    raise api_errors.not_all_read(len(sent) - len(unread), len(sent))
