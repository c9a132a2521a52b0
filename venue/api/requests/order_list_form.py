"""Reads a new order list from a request: the parameters of its orders and their combinations."""

from venue.api.requests.endpoint import ApiCall
from venue.api.requests.order_form import client_id, read_new_order
from venue.api.requests.param_names import ORDER_TYPES, Leg
from venue.base import api_errors
from venue.engine import account_filters
from venue.engine.count_filters import check_lists
from venue.engine.engine import NewOrder
from venue.engine.order_list_placement import NewOrderList

OCO_TYPES = ("STOP_LOSS_LIMIT", "STOP_LOSS", "LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
WORKING_TYPES = ("LIMIT", "LIMIT_MAKER")
WORKING = Leg("working", WORKING_TYPES)
PENDING = Leg("pending")
PENDING_PAID = Leg("pending", has_size=False)
OLD_LIMIT = Leg("limit", ord_type="LIMIT_MAKER", names={"side": "side", "quantity": "quantity", "price": "price"})
OLD_STOP_NAMES = {
    "side": "side",
    "quantity": "quantity",
    "price": "stopLimitPrice",
    "timeInForce": "stopLimitTimeInForce",
    "stopPrice": "stopPrice",
    "trailingDelta": "trailingDelta",
}
WRONG_SIDES_OF_MARKET = {
    # (side, kind of order, is above): code and text
    ("BUY", "LIMIT", True): (-1165, "A limit order in a buy OCO must be below."),
    ("SELL", "LIMIT", False): (-1166, "A limit order in a sell OCO must be above."),
    ("BUY", "STOP_LOSS", False): (-1196, "A stop loss order in a buy OCO must be above."),
    ("SELL", "STOP_LOSS", True): (-1197, "A stop loss order in a sell OCO must be below."),
    ("BUY", "TAKE_PROFIT", True): (-1198, "A take profit order in a buy OCO must be below."),
    ("SELL", "TAKE_PROFIT", False): (-1199, "A take profit order in a sell OCO must be above."),
}


def oco(call: ApiCall) -> NewOrderList:
    """POST /api/v3/orderList/oco"""
    names = {"side": "side", "quantity": "quantity"}
    return finished(call, NewOrderList("OCO", read_pair(call, "above", "below", names)))


def old_oco(call: ApiCall) -> NewOrderList:
    """POST /api/v3/order/oco: a limit order on one side of the market, a stop loss on the other."""
    call.params.text("stopPrice")
    ord_type = "STOP_LOSS_LIMIT" if "stopLimitPrice" in call.params else "STOP_LOSS"
    stop = read_new_order(call, Leg("stop", ord_type=ord_type, names=OLD_STOP_NAMES))
    return finished(call, NewOrderList("OCO", [stop, read_new_order(call, OLD_LIMIT)]))


def oto(call: ApiCall) -> NewOrderList:
    """POST /api/v3/orderList/oto"""
    return finished(call, NewOrderList("OTO", [read_new_order(call, WORKING), read_new_order(call, PENDING)]))


def otoco(call: ApiCall) -> NewOrderList:
    """POST /api/v3/orderList/otoco"""
    names = {"side": "pendingSide", "quantity": "pendingQuantity"}
    pair = read_pair(call, "pendingAbove", "pendingBelow", names)
    return finished(call, NewOrderList("OTO", [read_new_order(call, WORKING), *pair]))


def opo(call: ApiCall) -> NewOrderList:
    """POST /api/v3/orderList/opo"""
    new_orders = [read_new_order(call, WORKING), read_new_order(call, PENDING_PAID)]
    return finished(call, NewOrderList("OTO", check_paid(new_orders), is_paid=True))


def opoco(call: ApiCall) -> NewOrderList:
    """POST /api/v3/orderList/opoco"""
    pair = read_pair(call, "pendingAbove", "pendingBelow", {"side": "pendingSide"}, has_size=False)
    return finished(call, NewOrderList("OTO", check_paid([read_new_order(call, WORKING), *pair]), is_paid=True))


def read_pair(call: ApiCall, above: str, below: str, names: dict[str, str], has_size: bool = True) -> list[NewOrder]:
    """The two orders of an OCO, the stop loss first."""
    new_orders: list[NewOrder] = []
    kinds: list[str] = []
    for prefix, is_above in ((above, True), (below, False)):
        leg = Leg(prefix, names=names, has_size=has_size)
        ord_type = call.params.choice(leg.name["type"], ORDER_TYPES, None, api_errors.bad_order_type)
        if ord_type not in OCO_TYPES:
            raise api_errors.ApiError(-1158, "Order type not supported in OCO.")
        if leg.name["icebergQty"] in call.params and call.params.optional(leg.name["timeInForce"]) in ("IOC", "FOK"):
            text = f"Parameter '{leg.name['icebergQty']}' is not supported if '{leg.name['timeInForce']}' is not GTC."
            raise api_errors.ApiError(-1160, text)
        new_order = read_new_order(call, leg)
        kinds.append(ord_type.removesuffix("_MAKER") if ord_type == "LIMIT_MAKER" else ord_type.removesuffix("_LIMIT"))
        if kinds == ["LIMIT", "LIMIT"]:
            raise api_errors.ApiError(-1168, "At least one OCO order must be contingent.")
        wrong = WRONG_SIDES_OF_MARKET.get((new_order.side.name, kinds[-1], is_above))
        if wrong is not None:
            raise api_errors.ApiError(*wrong)
        new_orders.append(new_order)
    return new_orders if kinds[0] == "STOP_LOSS" else new_orders[::-1]


def check_paid(new_orders: list[NewOrder]) -> list[NewOrder]:
    """Raises -1222, -1223 unless the working order buys and the pending ones sell."""
    if new_orders[0].side.name != "BUY":
        raise api_errors.ApiError(-1222, "Working order in an OPO list must be a bid.")
    if any(new_order.side.name != "SELL" for new_order in new_orders[1:]):
        raise api_errors.ApiError(-1223, "Pending orders in an OPO list must be asks.")
    return new_orders


def finished(call: ApiCall, new_list: NewOrderList) -> NewOrderList:
    """Sets the client id, and applies the filters that count open orders."""
    new_list.client_id = client_id(call.params, "listClientOrderId")
    check_lists(call.engine, call.account, new_list.symbol)
    account_filters.check(call.engine, call.account, new_list.new_orders, call.now_ns)
    return new_list
