"""Klines for requests: of the synthetic history before the exchange's start, and of its own trades."""

from venue.symbols.candles import Candle
from venue.symbols.intervals import ending, opening
from venue.symbols.symbol import Symbol
from venue.symbols.synthetic_history import SyntheticHistory


def latest(symbol: Symbol, interval: str, now_ns: int, zone_ns: int) -> Candle:
    """The candle that contains `now_ns`."""
    candle = symbol.candles.latest(interval, now_ns, symbol.last_ticks, zone_ns)
    history = symbol.history
    if history is None or not history.start_ns <= candle.open_ns < history.end_ns:
        return candle
    whole = history.over(candle.open_ns, history.end_ns)
    whole.merge(candle)
    return whole


def since(symbol: Symbol, interval: str, zone_ns: int, start_ns: int, end_ns: int, limit: int) -> list[Candle]:
    """The oldest `limit` candles that open in [start, end]."""
    rows: list[Candle] = []
    history = symbol.history
    if history is not None:
        first_ns = max(start_ns, history.start_ns)
        open_ns = opening(first_ns, interval, zone_ns)
        if open_ns < first_ns:
            open_ns = ending(open_ns, interval, zone_ns)
        while open_ns < history.end_ns and open_ns <= end_ns and len(rows) < limit:
            close_ns = ending(open_ns, interval, zone_ns)
            rows.append(history.over(open_ns, min(close_ns, history.end_ns)))
            open_ns = close_ns
    return joined(rows, symbol.candles.merged(interval, start_ns, end_ns, zone_ns))[:limit]


def recent(symbol: Symbol, interval: str, zone_ns: int, end_ns: int, limit: int) -> list[Candle]:
    """The latest `limit` candles that open until `end`."""
    rows = symbol.candles.merged(interval, 0, end_ns, zone_ns)[-limit:]
    if symbol.history is None:
        return rows
    return joined(before(symbol.history, interval, zone_ns, end_ns, limit - len(rows)), rows)[-limit:]


def before(history: SyntheticHistory, interval: str, zone_ns: int, end_ns: int, number: int) -> list[Candle]:
    """The last `number` candles of the history and one more: its last may be part of the first real candle."""
    found: list[Candle] = []
    open_ns = opening(min(end_ns, history.end_ns - 1), interval, zone_ns)
    while open_ns >= history.start_ns and len(found) <= number:
        found.append(history.over(open_ns, min(ending(open_ns, interval, zone_ns), history.end_ns)))
        open_ns = opening(open_ns - 1, interval, zone_ns)
    return found[::-1]


def joined(earlier: list[Candle], later: list[Candle]) -> list[Candle]:
    """Both lists joined; the last and the first are merged if they are parts of one candle."""
    if earlier and later and earlier[-1].open_ns == later[0].open_ns:
        earlier[-1].merge(later[0])
        later = later[1:]
    return earlier + later
