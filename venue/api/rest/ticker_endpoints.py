"""Endpoints of statistics: average price and tickers."""

from typing import Any

from venue.api.requests.endpoint import ApiCall, Endpoint
from venue.api.rest.market_endpoints import API
from venue.base import api_errors
from venue.base.params import Params
from venue.base.units import DAY_NS, MINUTE_NS
from venue.symbols.candles import Candle
from venue.symbols.intervals import opening, parse_window, parse_zone
from venue.symbols.symbol import AVERAGE_MINUTES, Symbol
from venue.symbols.ticker_stats import percent, window_candle

MAX_SYMBOLS = 100
"""Maximum symbols in one request for windows or trading days."""


def avg_price(call: ApiCall) -> dict[str, Any]:
    symbol = call.symbol()
    last_ns = symbol.trades[-1].time_ns if symbol.trades else call.now_ns
    return {"mins": AVERAGE_MINUTES, "price": symbol.average(call.now_ns), "closeTime": call.ms(last_ns)}


def one_or_all(call: ApiCall, rows: list[dict[str, Any]]) -> Any:
    """An object for one `symbol`, else a list."""
    return rows[0] if "symbol" in call.params else rows


def ticker_price(call: ApiCall) -> Any:
    rows = [{"symbol": symbol.name, "price": symbol.price(symbol.last_ticks)} for symbol in call.symbols()]
    return one_or_all(call, rows)


def book_ticker(call: ApiCall) -> Any:
    return one_or_all(call, [{"symbol": symbol.name, **best(symbol)} for symbol in call.symbols()])


def best(symbol: Symbol) -> dict[str, str]:
    matching = symbol.matching
    return {
        "bidPrice": symbol.price(matching.best_bid_ticks),
        "bidQty": symbol.size(matching.best_bid_lots),
        "askPrice": symbol.price(matching.best_ask_ticks),
        "askQty": symbol.size(matching.best_ask_lots),
    }


def is_full(call: ApiCall) -> bool:
    """Whether the parameter `type` is FULL. Raises -1139 for unknown text."""
    known = call.params.choice("type", ("FULL", "MINI"), "FULL", api_errors.bad_ticker_type)
    return known == "FULL"


def ticker_24hr(call: ApiCall) -> Any:
    full, open_ns = is_full(call), call.now_ns - DAY_NS
    rows = []
    for symbol in call.symbols():
        day = window_candle(symbol, open_ns, call.now_ns)
        changed = changes(symbol, day) | day_more(symbol, day) if full else {}
        rows.append({"symbol": symbol.name, **changed, **totals(symbol, day), **ids(day, open_ns, call.now_ns, call)})
    return one_or_all(call, rows)


def ticker_window(call: ApiCall) -> Any:
    """The window opens on a whole minute, so it may be up to a minute longer than requested."""
    span_ns = parse_window(call.params.optional("windowSize") or "1d")
    open_ns = (call.now_ns - span_ns) // MINUTE_NS * MINUTE_NS
    return one_or_all(call, window_rows(call, open_ns, call.now_ns))


def ticker_trading_day(call: ApiCall) -> Any:
    zone_ns = parse_zone(call.params.optional("timeZone") or "0")
    open_ns = opening(call.now_ns, "1d", zone_ns)
    return one_or_all(call, window_rows(call, open_ns, open_ns + DAY_NS - call.unit_ns))


def window_rows(call: ApiCall, open_ns: int, close_ns: int) -> list[dict[str, Any]]:
    full, rows = is_full(call), []
    for symbol in call.symbols(is_required=True, maximum=MAX_SYMBOLS):
        span = window_candle(symbol, open_ns, call.now_ns)
        changed = changes(symbol, span) if full else {}
        rows.append({"symbol": symbol.name, **changed, **totals(symbol, span), **ids(span, open_ns, close_ns, call)})
    return rows


def changes(symbol: Symbol, span: Candle) -> dict[str, str]:
    change = span.close_ticks - span.open_ticks
    return {
        "priceChange": symbol.price(change),
        "priceChangePercent": percent(change, span.open_ticks),
        "weightedAvgPrice": symbol.weighted(span),
    }


def day_more(symbol: Symbol, day: Candle) -> dict[str, str]:
    """The fields that only ticker/24hr has."""
    return {
        "prevClosePrice": symbol.price(day.open_ticks),
        "lastQty": symbol.size(symbol.trades[-1].size_lots if symbol.trades else 0),
        **best(symbol),
    }


def totals(symbol: Symbol, span: Candle) -> dict[str, str]:
    return {
        "openPrice": symbol.price(span.open_ticks),
        "highPrice": symbol.price(span.high_ticks),
        "lowPrice": symbol.price(span.low_ticks),
        "lastPrice": symbol.price(span.close_ticks),
        "volume": symbol.size(span.volume_lots),
        "quoteVolume": symbol.amount(span.quote_volume),
    }


def ids(span: Candle, open_ns: int, close_ns: int, call: ApiCall) -> dict[str, int]:
    return {
        "openTime": call.ms(open_ns),
        "closeTime": call.ms(close_ns),
        "firstId": span.first_id,
        "lastId": span.last_id,
        "count": span.count,
    }


def ticker_weight(params: Params) -> int:
    return 2 if "symbol" in params else 4


def day_ticker_weight(params: Params) -> int:
    if "symbol" in params:
        return 2
    count = len(params.strings("symbols") or ()) if "symbols" in params else 101
    return 2 if count <= 20 else 40 if count <= 100 else 80


def window_weight(params: Params) -> int:
    return min(200, 4 * max(1, len(params.strings("symbols") or ())))


ENDPOINTS = [
    Endpoint("GET", f"{API}/avgPrice", avg_price, 2, ws_method="avgPrice"),
    Endpoint("GET", f"{API}/ticker/24hr", ticker_24hr, day_ticker_weight, ws_method="ticker.24hr"),
    Endpoint("GET", f"{API}/ticker/tradingDay", ticker_trading_day, window_weight, ws_method="ticker.tradingDay"),
    Endpoint("GET", f"{API}/ticker", ticker_window, window_weight, ws_method="ticker"),
    Endpoint("GET", f"{API}/ticker/price", ticker_price, ticker_weight, ws_method="ticker.price"),
    Endpoint("GET", f"{API}/ticker/bookTicker", book_ticker, ticker_weight, ws_method="ticker.book"),
]
