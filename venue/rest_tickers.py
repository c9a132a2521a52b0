"""Market data endpoints that sum up: average price and tickers."""

from typing import Any

from venue import errors
from venue.candles import DAY_NS, Candle
from venue.endpoint import Call, Endpoint
from venue.params import Params
from venue.rest_market import API
from venue.symbol import AVERAGE_MINUTES, Symbol


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


ENDPOINTS = [
    Endpoint("GET", f"{API}/avgPrice", avg_price, 2, ws_method="avgPrice"),
    Endpoint("GET", f"{API}/ticker/24hr", ticker_24hr, day_ticker_weight, ws_method="ticker.24hr"),
    Endpoint("GET", f"{API}/ticker/price", ticker_price, ticker_weight, ws_method="ticker.price"),
    Endpoint("GET", f"{API}/ticker/bookTicker", book_ticker, ticker_weight, ws_method="ticker.book"),
]
