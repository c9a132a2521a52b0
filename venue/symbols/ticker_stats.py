"""Numbers of a ticker: the trades of a window as one candle, and a change in percent."""

from venue.symbols.candles import Candle
from venue.symbols.symbol import Symbol


def window_candle(symbol: Symbol, open_ns: int, now_ns: int) -> Candle:
    """All trades since `open_ns` (to the minute) as one candle; flat at the last price without trades."""
    last = symbol.last_ticks
    return symbol.candles.over(now_ns - open_ns, now_ns) or Candle(now_ns, last, last, last, last)


def percent(change: int, base: int) -> str:
    """100 * change / base with three decimals, cut off; "0.000" for a base of 0."""
    if not base:
        return "0.000"
    thousandths = abs(change) * 100_000 // base
    return f"{'-' if change < 0 else ''}{thousandths // 1000}.{thousandths % 1000:03d}"
