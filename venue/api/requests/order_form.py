"""Reads a new order from a request, and applies the filters that need no matching."""

import re

from protocol.enums import SelfTradePrevention, Side
from venue.api.requests.endpoint import ApiCall
from venue.api.requests.param_names import PLAIN, Leg
from venue.api.requests.peg_form import read_peg, read_pegged_price
from venue.base import api_errors
from venue.base.params import Params
from venue.engine import account_filters
from venue.engine.engine import NewOrder
from venue.orders.exchange_order import WORKS_AS
from venue.symbols import filters
from venue.symbols.symbol import Symbol

SIDES = {side.name: side for side in Side}
STP_MODES = {mode.name for mode in SelfTradePrevention}
CLIENT_ID = "^[a-zA-Z0-9-_]{1,36}$"
_CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")


def client_id(params: Params, name: str) -> str | None:
    """A client order id. Raises -1100 for other characters, or more than 36 of them."""
    value = params.optional(name)
    if value is not None and _CLIENT_ID.fullmatch(value) is None:
        raise api_errors.illegal_characters(name, CLIENT_ID)
    return value


def read_order(call: ApiCall) -> NewOrder:
    """The order of a request for a single order, after all filters."""
    new_order = read_new_order(call)
    account_filters.check(call.engine, call.account, [new_order], call.now_ns)
    return new_order


def read_new_order(call: ApiCall, leg: Leg = PLAIN) -> NewOrder:
    """One order of a request, after all parameter rules and filters except those that count open orders."""
    params, symbol, name = call.params, call.symbol(), leg.name
    side = SIDES[params.choice(name["side"], SIDES, None, api_errors.bad_side)]
    ord_type = leg.ord_type or params.choice(name["type"], leg.types, None, api_errors.bad_order_type)
    new_order = NewOrder(
        symbol=symbol,
        side=side,
        ord_type=ord_type,
        time_in_force=read_time_in_force(params, leg, ord_type),
        stp=read_stp(call, symbol),
        price_ticks=0,
        size_lots=0,
        client_order_id=client_id(params, name["newClientOrderId"]),
        strategy_id=params.optional_integer(name["strategyId"]),
        strategy_type=params.optional_integer(name["strategyType"]),
    )
    if new_order.strategy_type is not None and new_order.strategy_type < 1_000_000:
        raise api_errors.ApiError(-1134, "`strategyType` was less than 1000000.")
    if ord_type in WORKS_AS:
        read_trigger(params, leg, new_order)
    else:
        for plain in ("stopPrice", "trailingDelta"):
            if name[plain] in params.values:
                raise api_errors.not_required(name[plain])
    sent = params.values
    if name["pegPriceType"] in sent or name["pegOffsetType"] in sent or name["pegOffsetValue"] in sent:
        read_peg(params, leg, new_order)
    if new_order.is_market:
        read_market(call, leg, new_order)
    else:
        read_limit(call, leg, new_order)
    if leg.has_size:
        check_size(new_order, call.now_ns)
    read_iceberg(params, leg, new_order)
    return new_order


def read_stp(call: ApiCall, symbol: Symbol) -> str:
    """The mode of self-trade prevention. Raises -1130 for an unknown mode, -1013 for one that the symbol does not
    allow, -2010 for NONE if the account requires one."""
    s = symbol.settings
    stp = call.params.choice("selfTradePreventionMode", STP_MODES, s.default_stp_mode)
    if stp not in s.stp_modes:
        raise api_errors.ApiError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    if stp == "NONE" and call.account.settings.require_stp:
        raise api_errors.rejected("This action is disabled on this account.")
    return stp


def read_time_in_force(params: Params, leg: Leg, ord_type: str) -> str:
    name = leg.name["timeInForce"]
    if WORKS_AS.get(ord_type, ord_type) == "LIMIT":
        return params.choice(name, ("GTC", "IOC", "FOK"), None, api_errors.bad_time_in_force)
    if params.optional(name) is not None:
        raise api_errors.not_required(name)
    return "GTC"


def read_trigger(params: Params, leg: Leg, new_order: NewOrder) -> None:
    """The stop price, the trailing delta or both, of contingent orders."""
    symbol, stop, trailing = new_order.symbol, leg.name["stopPrice"], leg.name["trailingDelta"]
    stop_atoms, delta = params.optional_atoms(stop), params.optional_integer(trailing)
    if stop_atoms is None and delta is None:
        raise api_errors.one_of(stop, trailing)
    if stop_atoms is not None:
        new_order.stop_ticks = symbol.to_ticks(stop_atoms)
        filters.check_price_range(symbol, new_order.stop_ticks)
    if delta is not None:
        filters.check_trailing_delta(symbol, delta)
        new_order.trailing_delta = delta


def read_limit(call: ApiCall, leg: Leg, new_order: NewOrder) -> None:
    params, symbol, name = call.params, new_order.symbol, leg.name
    if name["quoteOrderQty"] in params.values:
        raise api_errors.not_required(name["quoteOrderQty"])
    size_atoms = params.atoms(name["quantity"]) if leg.has_size else 0
    if new_order.peg:
        new_order.size_lots = symbol.to_lots(size_atoms)
        read_pegged_price(call, leg, new_order)
        return
    price_atoms = params.atoms(name["price"])
    new_order.price_ticks = symbol.to_ticks(price_atoms)
    filters.check_price(symbol, new_order.side, new_order.price_ticks, call.now_ns)
    new_order.size_lots = symbol.to_lots(size_atoms)


def read_market(call: ApiCall, leg: Leg, new_order: NewOrder) -> None:
    params, symbol = call.params, new_order.symbol
    if leg.name["price"] in params:
        raise api_errors.not_required(leg.name["price"])
    quantity, quote_quantity = leg.name["quantity"], leg.name["quoteOrderQty"]
    if leg is not PLAIN or new_order.ord_type != "MARKET":
        if quote_quantity in params:
            raise api_errors.not_required(quote_quantity)
        new_order.size_lots = symbol.to_lots(params.atoms(quantity)) if leg.has_size else 0
        return
    size_atoms, quote_atoms = params.optional_atoms(quantity), params.optional_atoms(quote_quantity)
    if size_atoms is not None and quote_atoms is not None:
        raise api_errors.ApiError(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if quote_atoms is not None:
        new_order.quote_order_atoms = quote_atoms
        new_order.size_lots = symbol.matching.lots_for_notional(new_order.side, quote_atoms // symbol.notional_atoms)
        return
    if size_atoms is None:
        raise api_errors.one_of(quantity, quote_quantity)
    new_order.size_lots = symbol.to_lots(size_atoms)


def check_size(new_order: NewOrder, now_ns: int) -> None:
    """Checks LOT_SIZE and NOTIONAL, or the limits of an order by quote quantity."""
    symbol = new_order.symbol
    if new_order.quote_order_atoms:
        filters.check_notional(symbol, new_order.quote_order_atoms, is_market=True)
        new_order.size_lots = filters.market_lots(symbol, new_order.size_lots)
        return
    filters.check_size_and_notional(symbol, new_order, now_ns)


def read_iceberg(params: Params, leg: Leg, new_order: NewOrder) -> None:
    """The displayed quantity of an iceberg."""
    name = leg.name["icebergQty"]
    size_atoms = params.optional_atoms(name)
    if not size_atoms:
        return
    symbol = new_order.symbol
    if new_order.is_market:
        raise api_errors.not_required(name)
    if new_order.time_in_force != "GTC":
        raise api_errors.rejected("Unsupported order combination")
    new_order.iceberg_lots = symbol.to_lots(size_atoms)
    filters.check_size(symbol, new_order.iceberg_lots, is_market=False)
    if leg.has_size:
        filters.check_iceberg(symbol, new_order)
