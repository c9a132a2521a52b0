"""Candles, aggregated from trades."""

from collections import deque
from collections.abc import Iterator

import msgspec

from venue.base.units import MINUTE_NS, SECOND_NS
from venue.orders.exchange_order import PublicTrade
from venue.symbols.intervals import opening

KEPT_SECONDS = 3600
KEPT_MINUTES = 8 * 1440


class Candle(msgspec.Struct, gc=False):
    """Prices in ticks, volume in lots, quote volume in price_ticks x size_lots."""

    open_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int = 0
    quote_volume: int = 0
    count: int = 0
    taker_buy_lots: int = 0
    taker_buy_quote: int = 0
    first_id: int = -1
    last_id: int = -1

    def add(self, trade: PublicTrade) -> None:
        price, size = trade.price_ticks, trade.size_lots
        if self.first_id < 0:
            self.first_id = trade.trade_id
        self.last_id = trade.trade_id
        self.high_ticks = max(self.high_ticks, price)
        self.low_ticks = min(self.low_ticks, price)
        self.close_ticks = price
        self.volume_lots += size
        self.quote_volume += price * size
        self.count += 1
        if not trade.buyer_is_maker:
            self.taker_buy_lots += size
            self.taker_buy_quote += price * size

    def merge(self, later: "Candle") -> None:
        """Merges a later candle into this one."""
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.low_ticks = min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.volume_lots += later.volume_lots
        self.quote_volume += later.quote_volume
        self.count += later.count
        self.taker_buy_lots += later.taker_buy_lots
        self.taker_buy_quote += later.taker_buy_quote
        if self.first_id < 0:
            self.first_id = later.first_id
        if later.last_id >= 0:
            self.last_id = later.last_id


class Candles:
    """The candles of a symbol: seconds for an hour, minutes for eight days; longer ones are merged on demand."""

    def __init__(self) -> None:
        self.seconds: deque[Candle] = deque(maxlen=KEPT_SECONDS)
        self.minutes: deque[Candle] = deque(maxlen=KEPT_MINUTES)
        self._summed = (-1, -1, -1)  # the key of `_earlier`: span, second and latest candle
        self._earlier = (0, 0)

    def add(self, trade: PublicTrade) -> None:
        for candles, length_ns in ((self.seconds, SECOND_NS), (self.minutes, MINUTE_NS)):
            start_ns = trade.time_ns - trade.time_ns % length_ns
            if not candles or candles[-1].open_ns < start_ns:
                price = trade.price_ticks
                candles.append(Candle(start_ns, price, price, price, price))
            candles[-1].add(trade)

    def latest(self, interval: str, now_ns: int, last_ticks: int, zone_ns: int = 0) -> Candle:
        """The candle that contains `now_ns`; flat at the last price without trades."""
        start_ns = opening(now_ns, interval, zone_ns)
        flat = Candle(start_ns, last_ticks, last_ticks, last_ticks, last_ticks)
        return next(self._merged(interval, start_ns, zone_ns), flat)

    def merged(self, interval: str, from_ns: int, to_ns: int, zone_ns: int = 0) -> list[Candle]:
        """The candles that open in [from, to], oldest first; none for spans without trades."""
        first_ns = opening(from_ns, interval, zone_ns)
        return [c for c in self._merged(interval, first_ns, zone_ns) if from_ns <= c.open_ns <= to_ns]

    def _merged(self, interval: str, from_ns: int, zone_ns: int) -> Iterator[Candle]:
        base = self.seconds if interval == "1s" else self.minutes
        current: Candle | None = None
        recent: list[Candle] = []
        for candle in reversed(base):
            if candle.open_ns < from_ns:
                break
            recent.append(candle)
        for candle in reversed(recent):
            start_ns = opening(candle.open_ns, interval, zone_ns)
            if current is not None and current.open_ns == start_ns:
                current.merge(candle)
                continue
            if current is not None:
                yield current
            current = msgspec.structs.replace(candle, open_ns=start_ns)
        if current is not None:
            yield current

    def over(self, span_ns: int, now_ns: int) -> Candle | None:
        """One candle over the last `span_ns`, to the second or minute; None without trades."""
        base = self.seconds if span_ns <= KEPT_SECONDS * SECOND_NS else self.minutes
        length_ns = SECOND_NS if base is self.seconds else MINUTE_NS
        total: Candle | None = None
        recent: list[Candle] = []
        for candle in reversed(base):
            if candle.open_ns + length_ns <= now_ns - span_ns:
                break
            recent.append(candle)
        for candle in reversed(recent):
            if total is None:
                total = msgspec.structs.replace(candle)
            else:
                total.merge(candle)
        return total

    def turnover(self, span_ns: int, now_ns: int) -> tuple[int, int]:
        """(volume in lots, in price_ticks x size_lots) of `over`; zeros without trades.

        Needed for each order, so for spans up to an hour the sum of all but the latest candle is cached for a second.
        """
        if span_ns > KEPT_SECONDS * SECOND_NS:
            recent = self.over(span_ns, now_ns)
            return (0, 0) if recent is None else (recent.volume_lots, recent.quote_volume)
        if not self.seconds:
            return 0, 0
        last, first_ns = self.seconds[-1], now_ns - now_ns % SECOND_NS - span_ns
        key = (span_ns, first_ns, last.open_ns)
        if key != self._summed:
            earlier = [one for one in self.seconds if first_ns <= one.open_ns < last.open_ns]
            self._summed = key
            self._earlier = (sum(one.volume_lots for one in earlier), sum(one.quote_volume for one in earlier))
        if last.open_ns < first_ns:
            return 0, 0
        return self._earlier[0] + last.volume_lots, self._earlier[1] + last.quote_volume
