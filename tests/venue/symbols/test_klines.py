"""Klines of the time before the exchange's start: their number, and consistent values in all intervals."""

from decimal import Decimal as D
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venue.base.settings import FlowSettings, MarketSettings
from venue.base.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from venue.symbols.candle_split import shares, split
from venue.symbols.candles import Candle
from venue.symbols.intervals import INTERVALS_NS
from venue.symbols.synthetic_history import SyntheticHistory

STILL = FlowSettings(limit_rate=0, market_rate=0)
START_NS = 1_700_000_000_123_456_789  # twenty seconds past a minute
FEW = settings(max_examples=30, deadline=None)


@pytest.fixture
def old(world):
    """A still market at 60,000 with ten years behind it."""
    return world(markets=[MarketSettings(flow=STILL, history_days=3650)])


def klines(world, interval, path="klines", **params):
    return world.get(path, symbol="BTCUSDT", interval=interval, **params)


def merged(rows):
    """Klines as one: opening, high, low, close, volume, quote volume, count, and of takers that buy."""
    sums = [sum(D(row[at]) for row in rows) for at in (5, 7, 8, 9, 10)]
    return [rows[0][1], max(D(row[2]) for row in rows), min(D(row[3]) for row in rows), rows[-1][4], *sums]


@pytest.mark.parametrize("interval", sorted(INTERVALS_NS.keys() - {"1M"}))
def test_a_request_for_five_hundred_klines_gets_them_and_they_end_at_the_first_price(old, interval):
    rows = klines(old, interval, limit=500)
    assert len(rows) == 500
    assert D(rows[-1][4]) == 60_000
    for before, after in pairwise(rows):
        assert (before[6] + 1, before[4]) == (after[0], after[1])  # no gap in time, none in price
    for row in rows:
        opened, high, low, closed = map(D, row[1:5])
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert low * D(row[5]) <= D(row[7]) <= high * D(row[5])
        assert D(row[9]) <= D(row[5])
        assert D(row[10]) <= D(row[7])
        assert row[8] > 0


def test_months_reach_as_far_as_the_history(old):
    rows = klines(old, "1M", limit=500)
    assert 118 <= len(rows) <= 120
    assert klines(old, "1d", startTime=0, limit=1)[0][0] > rows[0][0] - 31 * 86_400_000


def test_ui_klines_are_the_same(old):
    for interval in ("1s", "15m", "1d"):
        assert klines(old, interval, "uiKlines") == klines(old, interval)


@pytest.mark.parametrize(
    ("long", "short", "number"),
    [("1m", "1s", 60), ("3m", "1m", 3), ("1h", "1m", 60), ("4h", "30m", 8), ("1d", "1h", 24), ("1w", "1d", 7)],
)
def test_a_long_kline_is_what_the_short_ones_make(old, long, short, number):
    for whole in klines(old, long, limit=3)[:2]:
        parts = klines(old, short, startTime=whole[0], endTime=whole[6])
        assert len(parts) == number
        assert merged(parts) == merged([whole])


def test_other_time_zones_cut_the_same_story(old):
    rows = klines(old, "1d", timeZone="5:45", limit=5)
    for whole in rows[:4]:
        parts = klines(old, "15m", startTime=whole[0], endTime=whole[6])
        assert len(parts) == 96
        assert merged(parts) == merged([whole])
    assert len(klines(old, "1d", timeZone="5:45")) == 500


def test_the_same_seed_has_the_same_past_and_another_has_another(world):
    def past(seed):
        return klines(world(seed=seed, markets=[MarketSettings(flow=STILL, history_days=100)]), "1h")

    assert past(1) == past(1)
    assert past(1) != past(2)


def test_the_order_of_requests_changes_nothing(world):
    first, second = (world(markets=[MarketSettings(flow=STILL, history_days=100)]) for _ in range(2))
    days = klines(first, "1d", limit=90)
    seconds = klines(second, "1s")
    assert klines(second, "1d", limit=90) == days
    assert klines(first, "1s") == seconds


def test_the_past_goes_over_into_the_present(old):
    (before,) = klines(old, "1m", limit=1)
    stream = old.open("/ws/btcusdt@kline_1m")
    old.order("SELL", "1", "60500", who="bob")
    old.order("BUY", "1", "60500")
    (now,) = klines(old, "1m", limit=1)
    assert (now[0], now[1], D(now[4]), now[8]) == (before[0], before[1], 60_500, before[8] + 1)
    assert D(now[5]) == D(before[5]) + 1
    assert klines(old, "1m", startTime=now[0]) == [now]
    assert klines(old, "1m", limit=2)[1] == now
    old.advance(3000)
    reported = old.received(stream)[-1]["k"]
    assert [reported[name] for name in "tohlcvn"] == [now[0], *now[1:6], now[8]]
    old.advance(60_000)
    old.order("SELL", "1", "60400", who="bob")
    old.order("BUY", "1", "60400")
    rows = klines(old, "1m", limit=3)
    assert [row[0] for row in rows] == [now[0] - 60_000, now[0], now[0] + 60_000]
    assert [row[8] for row in rows[1:]] == [now[8], 1]


def test_a_start_and_an_end_are_kept_to(old):
    known = klines(old, "1m", limit=100)
    begin, end = known[10][0], known[19][0]
    assert klines(old, "1m", startTime=begin, endTime=end) == known[10:20]
    assert klines(old, "1m", startTime=begin - 1, limit=5) == known[10:15]
    assert klines(old, "1m", endTime=end, limit=10) == known[10:20]
    assert klines(old, "1m", endTime=1_000) == []
    assert klines(old, "1m", startTime=1_000, endTime=2_000) == []


def test_a_market_without_history_begins_with_itself(world):
    assert klines(world(markets=[MarketSettings(flow=STILL, history_days=0)]), "1m") == []


def test_tickers_and_average_prices_know_nothing_of_it(old):
    assert old.get("ticker/24hr", symbol="BTCUSDT")["count"] == 0
    assert D(old.get("avgPrice", symbol="BTCUSDT")["price"]) == 60_000


def test_a_market_of_one_tick_has_a_past_too(world):
    coarse = MarketSettings(flow=STILL, tick_size=D(1), lot_size=D(1), start_price=D(1), min_price=D(1), min_size=D(1))
    rows = klines(world(markets=[coarse]), "1d")
    assert (len(rows), rows[-1][4]) == (500, "1.00000000")
    assert min(D(row[3]) for row in rows) >= 1


# -- the parts ----------------------------------------------------------------------------------------


@FEW
@given(
    st.integers(1, 10**7), st.integers(0, 10**5), st.integers(0, 10**5), st.data(),
    st.sampled_from([(DAY_NS, HOUR_NS), (HOUR_NS, MINUTE_NS), (MINUTE_NS, SECOND_NS)]), st.integers(),
)  # fmt: skip
def test_parts_are_together_just_the_whole(low, opening, closing, data, lengths, seed):
    length_ns, part_ns = lengths
    high = low + max(opening, closing) + data.draw(st.integers(0, 1000))
    seconds = length_ns // SECOND_NS
    count = seconds + data.draw(st.integers(0, 20 * seconds))
    lots = count + data.draw(st.integers(0, 10**9))
    quote = data.draw(st.integers(low * lots, high * lots))
    taker, taker_quote = data.draw(st.integers(0, lots)), data.draw(st.integers(0, quote))
    whole = Candle(0, low + opening, high, low, low + closing, lots, quote, count, taker, taker_quote)
    parts = split(whole, length_ns, part_ns, Random(seed))
    for part in parts:
        assert part.low_ticks <= min(part.open_ticks, part.close_ticks)
        assert max(part.open_ticks, part.close_ticks) <= part.high_ticks
        assert part.low_ticks * part.volume_lots <= part.quote_volume <= part.high_ticks * part.volume_lots
        assert part_ns // SECOND_NS <= part.count <= part.volume_lots
        assert 0 <= part.taker_buy_lots <= part.volume_lots
        assert 0 <= part.taker_buy_quote <= part.quote_volume
    for before, after in pairwise(parts):
        assert (before.close_ticks, before.open_ns + part_ns) == (after.open_ticks, after.open_ns)
    total = parts[0]
    for part in parts[1:]:
        total.merge(part)
    assert total == whole


@FEW
@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1).filter(sum))
def test_shares_are_all_of_it_and_in_proportion(amount, weights):
    found = shares(amount, weights)
    assert sum(found) == amount
    for share, weight in zip(found, weights, strict=True):
        assert abs(share - amount * weight / sum(weights)) <= 1


def test_the_past_of_a_start_on_midnight_is_whole_days():
    midnight_ns = START_NS - START_NS % DAY_NS
    history = SyntheticHistory("x", midnight_ns, 6_000_000, 10, 3)
    assert history.over(history.start_ns, midnight_ns).close_ticks == 6_000_000
    assert history.over(midnight_ns - SECOND_NS, midnight_ns).close_ticks == 6_000_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_neighbouring_minutes_differ_as_in_a_market(seed):
    history = SyntheticHistory(f"{seed}", START_NS, 6_000_000, 100, 10)
    last_ns = history.end_ns - history.end_ns % MINUTE_NS
    minutes = [history.over(last_ns - n * MINUTE_NS, last_ns - (n - 1) * MINUTE_NS) for n in range(1_440, 0, -1)]
    same = sum((a.high_ticks, a.low_ticks) == (b.high_ticks, b.low_ticks) for a, b in pairwise(minutes))
    flat = sum(one.open_ticks == one.close_ticks for one in minutes)
    assert same <= 3
    assert flat < len(minutes) / 50
