"""A new order as it is asked for: its parameters, and the filters that it meets before the engine does."""

import re

from protocol.enums import SelfTradePrevention, Side
from venue import account_filters, errors, filters
from venue.endpoint import Call
from venue.engine import Intent
from venue.params import Params
from venue.symbol import Symbol

ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET")
UNSUPPORTED_TYPES = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
STP_MODES = [mode.name for mode in SelfTradePrevention]
CLIENT_ID = "^[a-zA-Z0-9-_]{1,36}$"
_CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")


def client_id(params: Params, name: str) -> str | None:
    """A client order id. Raises -1100 for other characters, or more than 36."""
    value = params.optional(name)
    if value is not None and _CLIENT_ID.fullmatch(value) is None:
        raise errors.illegal_characters(name, CLIENT_ID)
    return value


def read_intent(call: Call) -> Intent:
    """The order that is asked for, through all parameter rules and filters."""
    params, symbol = call.params, call.symbol()
    side = Side[params.choice("side", ("BUY", "SELL"), None, errors.ApiError(-1117, "Invalid side."))]
    bad_type = errors.ApiError(-1116, "Invalid orderType.")
    ord_type = params.choice("type", ORDER_TYPES + UNSUPPORTED_TYPES, None, bad_type)
    if ord_type in UNSUPPORTED_TYPES:
        name = ord_type.replace("_", " ").capitalize()
        raise errors.ApiError(-1013, f"{name} orders are not supported for this symbol.")
    for name, code_text in (
        ("icebergQty", "Iceberg orders are not supported for this symbol."),
        ("trailingDelta", "Trailing stop orders are not supported for this symbol."),
        ("pegPriceType", "Pegged orders are not supported for this symbol."),
    ):
        if name in params:
            raise errors.ApiError(-1013, code_text)
    if "stopPrice" in params:
        raise errors.not_required("stopPrice")
    intent = Intent(
        symbol=symbol,
        side=side,
        ord_type=ord_type,
        time_in_force=read_time_in_force(params, ord_type),
        stp=read_stp(params, symbol),
        price_ticks=0,
        size_lots=0,
        client_order_id=client_id(params, "newClientOrderId"),
        strategy_id=params.optional_integer("strategyId"),
        strategy_type=params.optional_integer("strategyType"),
    )
    if intent.strategy_type is not None and intent.strategy_type < 1_000_000:
        raise errors.ApiError(-1134, "`strategyType` was less than 1000000.")
    if ord_type == "MARKET":
        read_market(call, intent)
    else:
        read_limit(call, intent)
    account_filters.check(call.engine, call.account, intent, call.now_ns)
    return intent


def read_stp(params: Params, symbol: Symbol) -> str:
    """Raises -1130 for an unknown mode of self-trade prevention, -1013 for one that the symbol does not allow."""
    error = errors.invalid("selfTradePreventionMode")
    stp = params.choice("selfTradePreventionMode", STP_MODES, symbol.settings.default_stp_mode, error)
    if stp not in symbol.settings.stp_modes:
        raise errors.ApiError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    return stp


def read_time_in_force(params: Params, ord_type: str) -> str:
    value = params.optional("timeInForce")
    if ord_type == "LIMIT":
        return params.choice("timeInForce", ("GTC", "IOC", "FOK"), None, errors.ApiError(-1115, "Invalid timeInForce."))
    if value is not None:
        raise errors.not_required("timeInForce")
    return "GTC"


def read_limit(call: Call, intent: Intent) -> None:
    params, symbol = call.params, intent.symbol
    if "quoteOrderQty" in params:
        raise errors.not_required("quoteOrderQty")
    size_atoms, price_atoms = params.atoms("quantity"), params.atoms("price")
    intent.price_ticks = symbol.to_ticks(price_atoms)
    filters.check_price(symbol, intent.side, intent.price_ticks, call.now_ns)
    intent.size_lots = symbol.to_lots(size_atoms)
    filters.check_size(symbol, intent.size_lots, is_market=False)
    filters.check_notional(symbol, intent.price_ticks * intent.size_lots * symbol.notional_atoms, is_market=False)


def read_market(call: Call, intent: Intent) -> None:
    params, symbol = call.params, intent.symbol
    if "price" in params:
        raise errors.not_required("price")
    size_atoms, quote_atoms = params.optional_atoms("quantity"), params.optional_atoms("quoteOrderQty")
    if size_atoms is not None and quote_atoms is not None:
        raise errors.ApiError(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if quote_atoms is not None:
        filters.check_notional(symbol, quote_atoms, is_market=True)
        intent.quote_order_atoms = quote_atoms
        lots = symbol.matching.lots_for_notional(intent.side, quote_atoms // symbol.notional_atoms)
        intent.size_lots = filters.market_lots(symbol, lots)
        return
    if size_atoms is None:
        raise errors.one_of("quantity", "quoteOrderQty")
    intent.size_lots = symbol.to_lots(size_atoms)
    filters.check_size(symbol, intent.size_lots, is_market=True)
    filters.check_notional(symbol, filters.worth_atoms(symbol, intent.size_lots, call.now_ns), is_market=True)
