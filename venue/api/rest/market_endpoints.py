"""Market data endpoints: time, rules, book, trades, klines."""

from itertools import islice
from typing import Any

from venue.api.requests.endpoint import ApiCall, Endpoint
from venue.api.requests.param_names import ORDER_TYPES
from venue.base import api_errors
from venue.base.params import Params
from venue.engine import account_filters
from venue.orders.exchange_order import AggTrade, PublicTrade
from venue.symbols import filters
from venue.symbols.candles import Candle
from venue.symbols.intervals import ending, parse_interval, parse_zone
from venue.symbols.klines import recent, since
from venue.symbols.symbol import Symbol

API = "/api/v3"
PERMISSIONS = ("SPOT", "MARGIN", "LEVERAGED")
SHOWN_PERMISSIONS = ["SPOT"]
"""All symbols are spot."""


def ping(call: ApiCall) -> dict[str, Any]:
    return {}


def server_time(call: ApiCall) -> dict[str, Any]:
    return {"serverTime": call.ms(call.now_ns)}


def exchange_info(call: ApiCall) -> dict[str, Any]:
    params = call.params
    chosen = [name for name in ("symbol", "symbols", "permissions") if name in params]
    if len(chosen) > 1 or ("symbolStatus" in params and "permissions" not in chosen and chosen):
        raise api_errors.bad_combination()
    is_spot = set(read_permissions(params)) & set(SHOWN_PERMISSIONS)
    symbols = [symbol_info(symbol) for symbol in call.symbols()] if is_spot else []
    if not params.flag("showPermissionSets", True):
        for row in symbols:
            row["permissionSets"] = []
    return {
        "timezone": "UTC",
        "serverTime": call.ms(call.now_ns),
        "rateLimits": call.limits.rows(call.is_websocket),
        "exchangeFilters": account_filters.exchange_rows(call.engine),
        "symbols": symbols,
    }


def read_permissions(params: Params) -> list[str]:
    """`SPOT`, or a JSON list of permissions. Raises -1130 for an unknown one."""
    text = params.optional("permissions")
    if text is None:
        return list(PERMISSIONS)
    names = (params.strings("permissions") or []) if text.startswith("[") else [text]
    if not all(name in PERMISSIONS or name.startswith("TRD_GRP_") for name in names):
        raise api_errors.invalid("permissions")
    return names


def symbol_info(symbol: Symbol) -> dict[str, Any]:
    return {
        "symbol": symbol.name,
        "status": symbol.status,
        "baseAsset": symbol.base,
        "baseAssetPrecision": 8,
        "quoteAsset": symbol.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": symbol.settings.amend_allowed,
        "pegInstructionsAllowed": symbol.settings.peg_allowed,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters.rows(symbol),
        "permissions": [],
        "permissionSets": [SHOWN_PERMISSIONS],
        "defaultSelfTradePreventionMode": symbol.settings.default_stp_mode,
        "allowedSelfTradePreventionModes": symbol.settings.stp_modes,
    }


def depth_weight(params: Params) -> int:
    limit = params.limit(100, maximum=5000)
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1000 else 250


def depth(call: ApiCall) -> dict[str, Any]:
    symbol = call.symbol()
    limit = call.params.limit(100, maximum=5000)
    bids, asks = symbol.matching.snapshot(limit)
    return {"lastUpdateId": symbol.update_id, "bids": symbol.levels(bids), "asks": symbol.levels(asks)}


def trade_row(symbol: Symbol, trade: PublicTrade, call: ApiCall) -> dict[str, Any]:
    return {
        "id": trade.trade_id,
        "price": symbol.price(trade.price_ticks),
        "qty": symbol.size(trade.size_lots),
        "quoteQty": symbol.amount(trade.price_ticks * trade.size_lots),
        "time": call.ms(trade.time_ns),
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def trades(call: ApiCall) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.limit(500, maximum=1000)
    rows = islice(symbol.trades, max(0, len(symbol.trades) - limit), None)
    return [trade_row(symbol, trade, call) for trade in rows]


def historical_trades(call: ApiCall) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.limit(500, maximum=1000)
    from_id = call.params.optional_integer("fromId")
    if from_id is None:
        return trades(call)
    rows = (trade for trade in symbol.trades if trade.trade_id >= from_id)
    return [trade_row(symbol, trade, call) for trade in islice(rows, limit)]


def agg_trades(call: ApiCall) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.limit(500, maximum=1000)
    from_id = call.params.optional_integer("fromId")
    start_ns, end_ns = call.time_ns("startTime"), call.time_ns("endTime")
    if from_id is not None and (start_ns is not None or end_ns is not None):
        raise api_errors.bad_combination()
    rows: list[AggTrade] = [
        row
        for row in symbol.agg_trades
        if (from_id is None or row.agg_id >= from_id)
        and (start_ns is None or row.time_ns >= start_ns)
        and (end_ns is None or row.time_ns <= end_ns)
    ]
    rows = rows[:limit] if from_id is not None or start_ns is not None else rows[-limit:]
    return [
        {
            "a": row.agg_id,
            "p": symbol.price(row.price_ticks),
            "q": symbol.size(row.size_lots),
            "f": row.first_id,
            "l": row.last_id,
            "T": call.ms(row.time_ns),
            "m": row.buyer_is_maker,
            "M": True,
        }
        for row in rows
    ]


def klines(call: ApiCall) -> list[list[Any]]:
    """With `startTime` the oldest from there on, else the latest up to `endTime`; intervals are of `timeZone`."""
    symbol = call.symbol()
    interval = parse_interval(call.params.text("interval"))
    zone_ns = parse_zone(call.params.optional("timeZone") or "0")
    limit = call.params.limit(500, maximum=1000)
    start_ns, end_ns = call.time_ns("startTime"), call.time_ns("endTime")
    if start_ns is not None and start_ns > call.now_ns:
        return []
    last_ns = call.now_ns if end_ns is None else min(end_ns, call.now_ns)
    if start_ns is not None:
        rows = since(symbol, interval, zone_ns, start_ns, last_ns, limit)
    else:
        rows = recent(symbol, interval, zone_ns, last_ns, limit)
    return [kline_row(symbol, row, ending(row.open_ns, interval, zone_ns), call) for row in rows]


def kline_row(symbol: Symbol, row: Candle, end_ns: int, call: ApiCall) -> list[Any]:
    return [
        call.ms(row.open_ns),
        symbol.price(row.open_ticks),
        symbol.price(row.high_ticks),
        symbol.price(row.low_ticks),
        symbol.price(row.close_ticks),
        symbol.size(row.volume_lots),
        call.ms(end_ns) - 1,
        symbol.amount(row.quote_volume),
        row.count,
        symbol.size(row.taker_buy_lots),
        symbol.amount(row.taker_buy_quote),
        "0",
    ]


def block_trades(call: ApiCall) -> list[dict[str, Any]]:
    """There are no block trades here."""
    call.symbol()
    call.params.integer("fromId")
    call.params.limit(500, maximum=1000)
    return []


ENDPOINTS = [
    Endpoint("GET", f"{API}/ping", ping, 1, ws_method="ping"),
    Endpoint("GET", f"{API}/time", server_time, 1, ws_method="time"),
    Endpoint("GET", f"{API}/exchangeInfo", exchange_info, 20, ws_method="exchangeInfo"),
    Endpoint("GET", f"{API}/depth", depth, depth_weight, ws_method="depth"),
    Endpoint("GET", f"{API}/trades", trades, 25, ws_method="trades.recent"),
    Endpoint("GET", f"{API}/historicalTrades", historical_trades, 25, ws_method="trades.historical"),
    Endpoint("GET", f"{API}/historicalBlockTrades", block_trades, 25, ws_method="blockTrades.historical"),
    Endpoint("GET", f"{API}/aggTrades", agg_trades, 4, ws_method="trades.aggregate"),
    Endpoint("GET", f"{API}/klines", klines, 2, ws_method="klines"),
    Endpoint("GET", f"{API}/uiKlines", klines, 2, ws_method="uiKlines"),
]
