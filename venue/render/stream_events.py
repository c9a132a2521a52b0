"""The JSON of market stream events. Each function returns a maker, which is called with the time unit."""

from collections.abc import Callable
from typing import Any

from market.levels import pack_levels, unpack_levels
from venue.base.units import DAY_NS, MINUTE_NS
from venue.orders.exchange_order import AggTrade, PublicTrade
from venue.symbols.candles import Candle
from venue.symbols.intervals import ending
from venue.symbols.reference_price import ReferencePrice
from venue.symbols.symbol import Symbol
from venue.symbols.ticker_stats import percent, window_candle

StreamEvent = Callable[[int], Any]


def pairs(packed: bytes) -> list[tuple[int, int]]:
    """(price_ticks, size_lots) of packed levels."""
    return unpack_levels(packed)


def packed(levels: dict[int, int], reverse: bool = False) -> bytes:
    """Levels packed in price order."""
    return pack_levels(sorted(levels.items(), reverse=reverse))


def trade(symbol: Symbol, one: PublicTrade, now_ns: int) -> StreamEvent:
    return lambda unit_ns: {
        "e": "trade",
        "E": now_ns // unit_ns,
        "s": symbol.name,
        "t": one.trade_id,
        "p": symbol.price(one.price_ticks),
        "q": symbol.size(one.size_lots),
        "T": one.time_ns // unit_ns,
        "m": one.buyer_is_maker,
        "M": True,
    }


def agg_trade(symbol: Symbol, one: AggTrade, now_ns: int) -> StreamEvent:
    return lambda unit_ns: {
        "e": "aggTrade",
        "E": now_ns // unit_ns,
        "s": symbol.name,
        "a": one.agg_id,
        "p": symbol.price(one.price_ticks),
        "q": symbol.size(one.size_lots),
        "f": one.first_id,
        "l": one.last_id,
        "T": one.time_ns // unit_ns,
        "m": one.buyer_is_maker,
        "M": True,
    }


def book_ticker(symbol: Symbol) -> StreamEvent:
    matching = symbol.matching
    return lambda unit_ns: {
        "u": symbol.update_id,
        "s": symbol.name,
        "b": symbol.price(matching.best_bid_ticks),
        "B": symbol.size(matching.best_bid_lots),
        "a": symbol.price(matching.best_ask_ticks),
        "A": symbol.size(matching.best_ask_lots),
    }


def delta(symbol: Symbol, first_id: int, bids: bytes, asks: bytes, now_ns: int) -> StreamEvent:
    return lambda unit_ns: {
        "e": "depthUpdate",
        "E": now_ns // unit_ns,
        "s": symbol.name,
        "U": first_id,
        "u": symbol.update_id,
        "b": symbol.levels(bids),
        "a": symbol.levels(asks),
    }


def partial(symbol: Symbol, n: int) -> StreamEvent:
    def make(unit_ns: int) -> dict[str, Any]:
        bids, asks = symbol.matching.snapshot(n)
        return {"lastUpdateId": symbol.update_id, "bids": symbol.levels(bids), "asks": symbol.levels(asks)}

    return make


def kline(symbol: Symbol, candle: Candle, interval: str, zone_ns: int, now_ns: int) -> StreamEvent:
    end_ns = ending(candle.open_ns, interval, zone_ns)
    return lambda unit_ns: {
        "e": "kline",
        "E": now_ns // unit_ns,
        "s": symbol.name,
        "k": {
            "t": candle.open_ns // unit_ns,
            "T": end_ns // unit_ns - 1,
            "s": symbol.name,
            "i": interval,
            "f": candle.first_id,
            "L": candle.last_id,
            "o": symbol.price(candle.open_ticks),
            "c": symbol.price(candle.close_ticks),
            "h": symbol.price(candle.high_ticks),
            "l": symbol.price(candle.low_ticks),
            "v": symbol.size(candle.volume_lots),
            "n": candle.count,
            "x": now_ns >= end_ns,
            "q": symbol.amount(candle.quote_volume),
            "V": symbol.size(candle.taker_buy_lots),
            "Q": symbol.amount(candle.taker_buy_quote),
            "B": "0",
        },
    }


def mini_ticker(symbol: Symbol, now_ns: int) -> StreamEvent:
    def make(unit_ns: int) -> dict[str, Any]:
        day = window_candle(symbol, now_ns - DAY_NS, now_ns)
        return {
            "e": "24hrMiniTicker",
            "E": now_ns // unit_ns,
            "s": symbol.name,
            "c": symbol.price(day.close_ticks),
            "o": symbol.price(day.open_ticks),
            "h": symbol.price(day.high_ticks),
            "l": symbol.price(day.low_ticks),
            "v": symbol.size(day.volume_lots),
            "q": symbol.amount(day.quote_volume),
        }

    return make


def each(makers: list[StreamEvent]) -> StreamEvent:
    """The events of several symbols in one array."""
    return lambda unit_ns: [make(unit_ns) for make in makers]


def ticker(symbol: Symbol, now_ns: int) -> StreamEvent:
    def make(unit_ns: int) -> dict[str, Any]:
        day, matching = window_candle(symbol, now_ns - DAY_NS, now_ns), symbol.matching
        change = day.close_ticks - day.open_ticks
        return {
            "e": "24hrTicker",
            "E": now_ns // unit_ns,
            "s": symbol.name,
            "p": symbol.price(change),
            "P": percent(change, day.open_ticks),
            "w": symbol.weighted(day),
            "x": symbol.price(day.open_ticks),
            "c": symbol.price(day.close_ticks),
            "Q": symbol.size(symbol.trades[-1].size_lots if symbol.trades else 0),
            "b": symbol.price(matching.best_bid_ticks),
            "B": symbol.size(matching.best_bid_lots),
            "a": symbol.price(matching.best_ask_ticks),
            "A": symbol.size(matching.best_ask_lots),
            "o": symbol.price(day.open_ticks),
            "h": symbol.price(day.high_ticks),
            "l": symbol.price(day.low_ticks),
            "v": symbol.size(day.volume_lots),
            "q": symbol.amount(day.quote_volume),
            "O": (now_ns - DAY_NS) // unit_ns,
            "C": now_ns // unit_ns,
            "F": day.first_id,
            "L": day.last_id,
            "n": day.count,
        }

    return make


def average(symbol: Symbol, now_ns: int) -> StreamEvent:
    last_ns = symbol.trades[-1].time_ns if symbol.trades else now_ns
    return lambda unit_ns: {
        "e": "avgPrice",
        "E": now_ns // unit_ns,
        "s": symbol.name,
        "i": "5m",
        "w": symbol.average(now_ns),
        "T": last_ns // unit_ns,
    }


def window_ticker(symbol: Symbol, name: str, span_ns: int, now_ns: int) -> StreamEvent:
    """The ticker of a window that opens on a whole minute."""
    open_ns = (now_ns - span_ns) // MINUTE_NS * MINUTE_NS

    def make(unit_ns: int) -> dict[str, Any]:
        span = window_candle(symbol, open_ns, now_ns)
        change = span.close_ticks - span.open_ticks
        return {
            "e": name + "Ticker",
            "E": now_ns // unit_ns,
            "s": symbol.name,
            "p": symbol.price(change),
            "P": percent(change, span.open_ticks),
            "o": symbol.price(span.open_ticks),
            "h": symbol.price(span.high_ticks),
            "l": symbol.price(span.low_ticks),
            "c": symbol.price(span.close_ticks),
            "w": symbol.weighted(span),
            "v": symbol.size(span.volume_lots),
            "q": symbol.amount(span.quote_volume),
            "O": open_ns // unit_ns,
            "C": now_ns // unit_ns,
            "F": span.first_id,
            "L": span.last_id,
            "n": span.count,
        }

    return make


def reference_price(symbol: Symbol, reference: ReferencePrice, now_ns: int) -> StreamEvent:
    return lambda unit_ns: {
        "e": "referencePrice",
        "s": symbol.name,
        "r": reference.text(now_ns),
        "t": now_ns // unit_ns,
    }
