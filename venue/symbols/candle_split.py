"""Splits a candle into shorter ones that together equal it."""

import math
from random import Random

from venue.base.units import SECOND_NS
from venue.symbols.candles import Candle

DRAWS = 8  # walks, of which the one is taken whose mean price is the nearest to the whole's
WIDENINGS = 8  # steps in which ranges are widened to the whole's


def split(whole: Candle, length_ns: int, part_ns: int, random: Random) -> list[Candle]:
    """The parts, oldest first. Each has at least one trade per second and one lot per trade, as the whole has."""
    number = length_ns // part_ns
    mean_ticks = whole.quote_volume / whole.volume_lots

    def distance(parts: list[Candle]) -> float:
        sums = (part.open_ticks + part.high_ticks + part.low_ticks + part.close_ticks for part in parts)
        return abs(sum(sums) / (4 * number) - mean_ticks)

    parts = min((prices(whole, number, part_ns, random) for _ in range(DRAWS)), key=distance)
    weights = [random.lognormvariate(0, 0.5) for _ in parts]
    seconds = part_ns // SECOND_NS
    extra_trades = shares(whole.count - number * seconds, weights)
    extra_lots = shares(whole.volume_lots - whole.count, weights)
    for part, trades, lots in zip(parts, extra_trades, extra_lots, strict=True):
        part.count = seconds + trades
        part.volume_lots = part.count + lots
    spread_quote(whole, parts)
    volumes, quotes = [part.volume_lots for part in parts], [part.quote_volume for part in parts]
    for part, lots, quote in zip(
        parts, shares(whole.taker_buy_lots, volumes), shares(whole.taker_buy_quote, quotes), strict=True
    ):
        part.taker_buy_lots, part.taker_buy_quote = lots, quote
    return parts


def shares(amount: int, weights: list[float] | list[int]) -> list[int]:
    """`amount` divided in proportion to the weights, in integers that are off by less than one and sum up to it."""
    total, found, given = sum(weights), [], 0
    summed: float = 0
    for weight in weights[:-1]:
        summed += weight
        due = int(amount * summed // total) if isinstance(total, float) else amount * int(summed) // total
        due = min(max(due, given), amount)
        found.append(due - given)
        given = due
    return [*found, amount - given]


def prices(whole: Candle, number: int, part_ns: int, random: Random) -> list[Candle]:
    """Parts from the whole's open to its close, within its range; one reaches the high and one the low."""
    step = (whole.high_ticks - whole.low_ticks) / (2 * math.sqrt(number))
    walk = [0.0]
    for _ in range(number):
        walk.append(walk[-1] + random.gauss(0, step))
    parts, open_ticks = [], whole.open_ticks
    for index in range(1, number + 1):
        drift = (whole.close_ticks - whole.open_ticks - walk[-1]) * index / number
        close = fold(round(whole.open_ticks + drift + walk[index]), whole.low_ticks, whole.high_ticks)
        close = whole.close_ticks if index == number else close
        high = min(max(open_ticks, close) + round(abs(random.gauss(0, step / 2))), whole.high_ticks)
        low = max(min(open_ticks, close) - round(abs(random.gauss(0, step / 2))), whole.low_ticks)
        parts.append(Candle(whole.open_ns + (index - 1) * part_ns, open_ticks, high, low, close))
        open_ticks = close
    max(parts, key=lambda part: part.high_ticks).high_ticks = whole.high_ticks
    min(parts, key=lambda part: part.low_ticks).low_ticks = whole.low_ticks
    return parts


def fold(value: int, low: int, high: int) -> int:
    """`value` reflected at the bounds until it is within them: a walk does not stay at a bound, as it would if cut."""
    span = high - low
    if not span:
        return low
    above = (value - low) % (2 * span)
    return low + min(above, 2 * span - above)


def spread_quote(whole: Candle, parts: list[Candle]) -> None:
    """Distributes the whole's quote volume over the parts, each at a mean price within its own range; all ranges are
    widened by the same share of what they lack to the whole's bound, where they do not suffice."""
    for part in parts:
        middle = part.open_ticks + part.high_ticks + part.low_ticks + part.close_ticks
        part.quote_volume = part.volume_lots * middle // 4
    missing = whole.quote_volume - sum(part.quote_volume for part in parts)
    sign = 1 if missing > 0 else -1

    def room(part: Candle) -> int:
        bound = part.high_ticks if sign > 0 else part.low_ticks
        return sign * (bound * part.volume_lots - part.quote_volume)

    for steps_left in range(WIDENINGS, 0, -1):
        if sum(map(room, parts)) >= sign * missing:
            break
        for part in parts:
            if sign > 0:
                part.high_ticks += -(-(whole.high_ticks - part.high_ticks) // steps_left)
            else:
                part.low_ticks -= -(-(part.low_ticks - whole.low_ticks) // steps_left)
    rooms = [room(part) for part in parts]
    if missing:
        for part, more in zip(parts, shares(sign * missing, rooms), strict=True):
            part.quote_volume += sign * more
