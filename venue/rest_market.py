"""Market data endpoints."""

from itertools import islice
from typing import Any

from venue import errors, filters
from venue.candles import DAY_NS, INTERVALS_NS, Candle
from venue.endpoint import Call, Endpoint
from venue.orders import AggTrade, PublicTrade
from venue.params import Params
from venue.symbol import AVERAGE_MINUTES, Symbol

STP_MODES = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]
FAR_NS = 2**62


def ping(call: Call) -> dict[str, Any]:
    return {}


def server_time(call: Call) -> dict[str, Any]:
    return {"serverTime": call.ms(call.now_ns)}


def exchange_info(call: Call) -> dict[str, Any]:
    return {
        "timezone": "UTC",
        "serverTime": call.ms(call.now_ns),
        "rateLimits": call.limits.rows(),
        "exchangeFilters": [],
        "symbols": [symbol_info(symbol) for symbol in call.symbols()],
    }


def symbol_info(symbol: Symbol) -> dict[str, Any]:
    return {
        "symbol": symbol.name,
        "status": "TRADING",
        "baseAsset": symbol.base,
        "baseAssetPrecision": 8,
        "quoteAsset": symbol.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters.rows(symbol),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": STP_MODES,
    }


def depth_weight(params: Params) -> int:
    limit = params.integer("limit", 100)
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1000 else 250


def depth(call: Call) -> dict[str, Any]:
    symbol = call.symbol()
    limit = call.params.integer("limit", 100, most=5000)
    if limit < 1:
        raise errors.ApiError(
            -1100, "Illegal characters found in parameter 'limit'; legal range is '^[1-9][0-9]{0,3}$'."
        )
    bids, asks = symbol.matching.snapshot(limit)
    return {"lastUpdateId": symbol.update_id, "bids": symbol.levels(bids), "asks": symbol.levels(asks)}


def trade_row(symbol: Symbol, trade: PublicTrade, call: Call) -> dict[str, Any]:
    return {
        "id": trade.trade_id,
        "price": symbol.price(trade.price_ticks),
        "qty": symbol.size(trade.size_lots),
        "quoteQty": symbol.amount(trade.price_ticks * trade.size_lots),
        "time": call.ms(trade.time_ns),
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def trades(call: Call) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.integer("limit", 500, most=1000)
    rows = islice(symbol.trades, max(0, len(symbol.trades) - limit), None)
    return [trade_row(symbol, trade, call) for trade in rows]


def historical_trades(call: Call) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.integer("limit", 500, most=1000)
    from_id = call.params.optional_integer("fromId")
    if from_id is None:
        return trades(call)
    rows = (trade for trade in symbol.trades if trade.trade_id >= from_id)
    return [trade_row(symbol, trade, call) for trade in islice(rows, limit)]


def agg_trades(call: Call) -> list[dict[str, Any]]:
    symbol = call.symbol()
    limit = call.params.integer("limit", 500, most=1000)
    from_id = call.params.optional_integer("fromId")
    start_ns, end_ns = call.time_ns("startTime"), call.time_ns("endTime")
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


def klines(call: Call) -> list[list[Any]]:
    symbol = call.symbol()
    interval_ns = INTERVALS_NS.get(call.params.text("interval"))
    if interval_ns is None:
        raise errors.ApiError(-1120, "Invalid interval.")
    limit = call.params.integer("limit", 500, most=1000)
    start_ns, end_ns = call.time_ns("startTime"), call.time_ns("endTime")
    first_ns = start_ns if start_ns is not None else call.now_ns - interval_ns * limit
    rows = symbol.candles.merged(interval_ns, first_ns, end_ns if end_ns is not None else FAR_NS)
    rows = rows[:limit] if start_ns is not None else rows[-limit:]
    return [kline_row(symbol, row, interval_ns, call) for row in rows]


def kline_row(symbol: Symbol, row: Candle, interval_ns: int, call: Call) -> list[Any]:
    return [
        call.ms(row.open_ns),
        symbol.price(row.open_ticks),
        symbol.price(row.high_ticks),
        symbol.price(row.low_ticks),
        symbol.price(row.close_ticks),
        symbol.size(row.volume_lots),
        call.ms(row.open_ns + interval_ns) - 1,
        symbol.amount(row.quote_volume),
        row.count,
        symbol.size(row.taker_buy_lots),
        symbol.amount(row.taker_buy_quote),
        "0",
    ]


def avg_price(call: Call) -> dict[str, Any]:
    symbol = call.symbol()
    last_ns = symbol.trades[-1].time_ns if symbol.trades else call.now_ns
    return {
        "mins": AVERAGE_MINUTES,
        "price": symbol.price(symbol.average_ticks(call.now_ns)),
        "closeTime": call.ms(last_ns),
    }


def one_or_all(call: Call, rows: list[dict[str, Any]]) -> Any:
    """An object where one `symbol` was asked for, else a list."""
    return rows[0] if "symbol" in call.params else rows


def ticker_price(call: Call) -> Any:
    rows = [{"symbol": symbol.name, "price": symbol.price(symbol.last_ticks)} for symbol in call.symbols()]
    return one_or_all(call, rows)


def book_ticker(call: Call) -> Any:
    return one_or_all(call, [{"symbol": symbol.name, **best(symbol)} for symbol in call.symbols()])


def best(symbol: Symbol) -> dict[str, str]:
    matching = symbol.matching
    return {
        "bidPrice": symbol.price(matching.best_bid_ticks),
        "bidQty": symbol.size(matching.best_bid_lots),
        "askPrice": symbol.price(matching.best_ask_ticks),
        "askQty": symbol.size(matching.best_ask_lots),
    }


def ticker_24hr(call: Call) -> Any:
    is_full = call.params.choice("type", ("FULL", "MINI"), "FULL", errors.ApiError(-1139, "Invalid ticker type."))
    return one_or_all(call, [statistics(symbol, DAY_NS, is_full == "FULL", call) for symbol in call.symbols()])


def statistics(symbol: Symbol, span_ns: int, is_full: bool, call: Call) -> dict[str, Any]:
    """One row of ticker/24hr."""
    last = symbol.last_ticks
    day = symbol.candles.over(span_ns, call.now_ns) or Candle(call.now_ns, last, last, last, last)
    change = last - day.open_ticks
    average = day.quote_volume // day.volume_lots if day.volume_lots else last
    row: dict[str, Any] = {"symbol": symbol.name}
    if is_full:
        row |= {
            "priceChange": symbol.price(change),
            "priceChangePercent": percent(change, day.open_ticks),
            "weightedAvgPrice": symbol.price(average),
            "prevClosePrice": symbol.price(day.open_ticks),
            "lastPrice": symbol.price(last),
            "lastQty": symbol.size(symbol.trades[-1].size_lots if symbol.trades else 0),
            **best(symbol),
            "openPrice": symbol.price(day.open_ticks),
            "highPrice": symbol.price(day.high_ticks),
            "lowPrice": symbol.price(day.low_ticks),
        }
    else:
        row |= {
            "openPrice": symbol.price(day.open_ticks),
            "highPrice": symbol.price(day.high_ticks),
            "lowPrice": symbol.price(day.low_ticks),
            "lastPrice": symbol.price(last),
        }
    row |= {
        "volume": symbol.size(day.volume_lots),
        "quoteVolume": symbol.amount(day.quote_volume),
        "openTime": call.ms(call.now_ns - span_ns),
        "closeTime": call.ms(call.now_ns),
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.count,
    }
    return row


def percent(change: int, of: int) -> str:
    """Three decimals of 100 * change / of, cut."""
    if not of:
        return "0.000"
    thousandths = abs(change) * 100_000 // of
    return f"{'-' if change < 0 else ''}{thousandths // 1000}.{thousandths % 1000:03d}"


def ticker_weight(params: Params) -> int:
    return 2 if "symbol" in params else 4


def day_ticker_weight(params: Params) -> int:
    if "symbol" in params:
        return 2
    count = len(params.strings("symbols") or ()) if "symbols" in params else 101
    return 2 if count <= 20 else 40 if count <= 100 else 80


API = "/api/v3"
ENDPOINTS = [
    Endpoint("GET", f"{API}/ping", ping, 1, ws_method="ping"),
    Endpoint("GET", f"{API}/time", server_time, 1, ws_method="time"),
    Endpoint("GET", f"{API}/exchangeInfo", exchange_info, 20, ws_method="exchangeInfo"),
    Endpoint("GET", f"{API}/depth", depth, depth_weight, ws_method="depth"),
    Endpoint("GET", f"{API}/trades", trades, 25, ws_method="trades.recent"),
    Endpoint("GET", f"{API}/historicalTrades", historical_trades, 25, ws_method="trades.historical"),
    Endpoint("GET", f"{API}/aggTrades", agg_trades, 4, ws_method="trades.aggregate"),
    Endpoint("GET", f"{API}/klines", klines, 2, ws_method="klines"),
    Endpoint("GET", f"{API}/uiKlines", klines, 2, ws_method="uiKlines"),
    Endpoint("GET", f"{API}/avgPrice", avg_price, 2, ws_method="avgPrice"),
    Endpoint("GET", f"{API}/ticker/24hr", ticker_24hr, day_ticker_weight, ws_method="ticker.24hr"),
    Endpoint("GET", f"{API}/ticker/price", ticker_price, ticker_weight, ws_method="ticker.price"),
    Endpoint("GET", f"{API}/ticker/bookTicker", book_ticker, ticker_weight, ws_method="ticker.book"),
]
