"""Synthetic candles of the time before the exchange's start, generated from a seed; they end at its first price.

A random walk goes back from that price, day by day. A day is split into hours only when a request needs them, and so
on down to seconds. The parts have together the prices and volumes of the whole, so all intervals are consistent.
"""

import math
from collections import OrderedDict
from random import Random

import msgspec

from venue.base.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from venue.symbols.candle_split import split
from venue.symbols.candles import Candle

LEVELS_NS = (DAY_NS, 6 * HOUR_NS, HOUR_NS, 15 * MINUTE_NS, MINUTE_NS, SECOND_NS)
"""Several levels: a day of another time zone then needs few parts at its edges."""
DAY_S = 86_400
DAY_VOLATILITY = 0.02
PULL = 0.005
"""Share of its distance from the first price that the walk loses per day, so that it stays near that price."""
TRADES_S = 10
KEPT_SPLITS = 2000


class SyntheticHistory:
    """The history of one market, `days` days long. Candles are generated when they are first requested."""

    def __init__(self, seed: str, now_ns: int, price_ticks: int, trade_lots: int, days: int) -> None:
        """`price_ticks`: its last price; `trade_lots`: the size of a trade."""
        self.seed = seed
        self.end_ns = now_ns - now_ns % SECOND_NS
        self.start_ns = self.end_ns - self.end_ns % DAY_NS - days * DAY_NS
        self._anchor_ticks = max(1, price_ticks)
        self._trade_lots = max(1, trade_lots)
        self._walked: dict[tuple[int, int], Candle] = {}  # by (length, open time): from the end back, without gaps
        self._walked_ns = self.end_ns
        self._walked_ticks = self._anchor_ticks
        self._splits: OrderedDict[tuple[int, int], list[Candle]] = OrderedDict()

    def over(self, from_ns: int, to_ns: int) -> Candle:
        """One candle over [from, to); both are whole seconds within the history."""
        assert self.start_ns <= from_ns < to_ns <= self.end_ns, (from_ns, to_ns)
        total: Candle | None = None
        at_ns = from_ns
        while at_ns < to_ns:
            level = next(n for n, ns in enumerate(LEVELS_NS) if at_ns % ns == 0 and at_ns + ns <= to_ns)
            part = self._block(level, at_ns)
            if total is None:
                total = msgspec.structs.replace(part)
            else:
                total.merge(part)
            at_ns += LEVELS_NS[level]
        assert total is not None
        return total

    # Inside

    def _block(self, level: int, open_ns: int) -> Candle:
        """The candle of one whole block of a level: a day, hour, minute and so on."""
        length_ns, wider_ns = LEVELS_NS[level], LEVELS_NS[max(0, level - 1)]
        parent_ns = open_ns - open_ns % wider_ns
        if level == 0 or parent_ns + wider_ns > self.end_ns:
            while self._walked_ns > open_ns:
                self._walk()
            return self._walked[length_ns, open_ns]
        return self._parts(level - 1, parent_ns)[(open_ns - parent_ns) // length_ns]

    def _parts(self, level: int, open_ns: int) -> list[Candle]:
        key = (level, open_ns)
        found = self._splits.get(key)
        if found is None:
            random = Random(f"{self.seed}:{level}:{open_ns}")
            found = split(self._block(level, open_ns), LEVELS_NS[level], LEVELS_NS[level + 1], random)
            self._splits[key] = found
            if len(self._splits) > KEPT_SPLITS:
                self._splits.popitem(last=False)
        return found

    def _walk(self) -> None:
        """Generates the candle before the known ones: the longest that ends where they begin."""
        length_ns = next(ns for ns in LEVELS_NS if self._walked_ns % ns == 0)
        open_ns = self._walked_ns - length_ns
        candle = self._drawn(open_ns, length_ns // SECOND_NS)
        self._walked[length_ns, open_ns] = candle
        self._walked_ns, self._walked_ticks = open_ns, candle.open_ticks

    def _drawn(self, open_ns: int, seconds: int) -> Candle:
        random, close_ticks = Random(f"{self.seed}:{open_ns}"), self._walked_ticks
        share = seconds / DAY_S
        volatility = DAY_VOLATILITY * math.sqrt(share)
        away = math.log(close_ticks / self._anchor_ticks) * (1 - PULL * share) + random.gauss(0, volatility)
        open_ticks = max(1, round(self._anchor_ticks * math.exp(away)))
        reach = [round(abs(random.gauss(0, volatility / 2)) * close_ticks) for _ in range(2)]
        high_ticks = max(open_ticks, close_ticks) + reach[0]
        low_ticks = max(1, min(open_ticks, close_ticks) - reach[1])
        count = seconds + round(seconds * TRADES_S * random.lognormvariate(0, 0.3))
        volume_lots = count * self._trade_lots
        quote_volume = volume_lots * (open_ticks + high_ticks + low_ticks + close_ticks) // 4
        taker_share = random.uniform(0.45, 0.55)
        return Candle(
            open_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, quote_volume, count,
            round(volume_lots * taker_share), round(quote_volume * taker_share),
        )  # fmt: skip
