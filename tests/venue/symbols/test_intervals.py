"""Candles, windows and days: where they open and end, in any time zone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.base.api_errors import ApiError
from venue.base.units import DAY_NS, HOUR_NS, MINUTE_NS
from venue.symbols import intervals
from venue.symbols.intervals import INTERVALS_NS

MOMENTS = st.integers(0, 4 * 10**18)
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: minutes * MINUTE_NS)


def ns(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 10**9


@given(MOMENTS, st.sampled_from(sorted(INTERVALS_NS)), ZONES)
def test_every_moment_is_in_one_candle(at_ns, interval, zone_ns):
    open_ns = intervals.opening(at_ns, interval, zone_ns)
    end_ns = intervals.ending(open_ns, interval, zone_ns)
    assert open_ns <= at_ns < end_ns
    assert intervals.opening(open_ns, interval, zone_ns) == open_ns
    assert intervals.opening(end_ns, interval, zone_ns) == end_ns
    assert intervals.opening(end_ns - 1, interval, zone_ns) == open_ns


@pytest.mark.parametrize(
    ("interval", "zone", "opens", "ends"),
    [
        ("1M", "0", (2024, 2, 1), (2024, 3, 1)),
        ("1M", "8", (2024, 1, 31, 16), (2024, 2, 29, 16)),
        ("1w", "0", (2024, 2, 26), (2024, 3, 4)),
        ("1w", "-1:00", (2024, 2, 26, 1), (2024, 3, 4, 1)),
        ("1d", "05:45", (2024, 2, 28, 18, 15), (2024, 2, 29, 18, 15)),
        ("4h", "0", (2024, 2, 29, 8), (2024, 2, 29, 12)),
        ("1h", "05:45", (2024, 2, 29, 10, 15), (2024, 2, 29, 11, 15)),
    ],
)
def test_candles_open_and_end_by_the_calendar_of_their_zone(interval, zone, opens, ends):
    zone_ns = intervals.parse_zone(zone)
    open_ns = intervals.opening(ns(2024, 2, 29, 10, 20), interval, zone_ns)
    assert (open_ns, intervals.ending(open_ns, interval, zone_ns)) == (ns(*opens), ns(*ends))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0", 0), ("8", 8 * HOUR_NS), ("-1:00", -HOUR_NS), ("05:45", 345 * MINUTE_NS), ("+14:00", 14 * HOUR_NS)],
)
def test_zones(text, wanted):
    assert intervals.parse_zone(text) == wanted


@pytest.mark.parametrize("text", ["", "x", "14:01", "-12:30", "1:60", "1:5", "UTC", "--1"])
def test_other_zones_are_refused(text):
    with pytest.raises(ApiError, match="timeZone"):
        intervals.parse_zone(text)


@pytest.mark.parametrize(
    ("text", "wanted"), [("1m", MINUTE_NS), ("59m", 59 * MINUTE_NS), ("23h", 23 * HOUR_NS), ("7d", 7 * DAY_NS)]
)
def test_windows(text, wanted):
    assert intervals.parse_window(text) == wanted


@pytest.mark.parametrize("text", ["", "0m", "60m", "24h", "8d", "1w", "1d2h", "m", "-1m"])
def test_other_windows_are_refused(text):
    with pytest.raises(ApiError, match="windowSize"):
        intervals.parse_window(text)
