"""The API's time spans: kline intervals in any time zone, rolling windows, trading days."""

import re
from datetime import date, timedelta

from venue.base import api_errors
from venue.base.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

MONDAY_NS = 4 * DAY_NS
"""The first Monday after the epoch; weeks are counted from it."""
MONTH = "1M"
EPOCH = date(1970, 1, 1)

INTERVALS_NS = {
    "1s": SECOND_NS,
    "1m": MINUTE_NS,
    "3m": 3 * MINUTE_NS,
    "5m": 5 * MINUTE_NS,
    "15m": 15 * MINUTE_NS,
    "30m": 30 * MINUTE_NS,
    "1h": HOUR_NS,
    "2h": 2 * HOUR_NS,
    "4h": 4 * HOUR_NS,
    "6h": 6 * HOUR_NS,
    "8h": 8 * HOUR_NS,
    "12h": 12 * HOUR_NS,
    "1d": DAY_NS,
    "3d": 3 * DAY_NS,
    "1w": 7 * DAY_NS,
    MONTH: 30 * DAY_NS,  # approximate: months follow the calendar
}
_ZONE = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-9]{2}))?")
_WINDOW = re.compile(r"([1-9][0-9]?)([mhd])")
_WINDOW_UNITS = {"m": (MINUTE_NS, 59), "h": (HOUR_NS, 23), "d": (DAY_NS, 7)}


def opening(at_ns: int, interval: str, zone_ns: int = 0) -> int:
    """The open time (UTC) of the candle that contains `at_ns`; `zone_ns` is the time zone's offset from UTC."""
    local_ns = at_ns + zone_ns
    if interval == MONTH:
        return _first_of_month(local_ns, 0) - zone_ns
    length_ns = INTERVALS_NS[interval]
    shift = MONDAY_NS if interval == "1w" else 0
    return at_ns - (local_ns - shift) % length_ns


def ending(open_ns: int, interval: str, zone_ns: int = 0) -> int:
    """The open time of the candle after the one that opens at `open_ns`."""
    if interval == MONTH:
        return _first_of_month(open_ns + zone_ns, 1) - zone_ns
    return open_ns + INTERVALS_NS[interval]


def _first_of_month(local_ns: int, later: int) -> int:
    day = EPOCH + timedelta(days=local_ns // DAY_NS)
    month = day.month - 1 + later
    return (date(day.year + month // 12, month % 12 + 1, 1) - EPOCH).days * DAY_NS


def parse_interval(text: str) -> str:
    """The interval. Raises -1120 for an unknown one."""
    if text not in INTERVALS_NS:
        raise api_errors.ApiError(-1120, "Invalid interval.")
    return text


def parse_zone(text: str) -> int:
    """The UTC offset of `-1:00`, `05:45` or `8`, in nanoseconds. Raises -1130 outside [-12:00, +14:00]."""
    match = _ZONE.fullmatch(text.strip())
    if match is None or int(match.group(3) or 0) > 59:
        raise api_errors.invalid("timeZone")
    zone_ns = int(match.group(2)) * HOUR_NS + int(match.group(3) or 0) * MINUTE_NS
    zone_ns = -zone_ns if match.group(1) == "-" else zone_ns
    if not -12 * HOUR_NS <= zone_ns <= 14 * HOUR_NS:
        raise api_errors.invalid("timeZone")
    return zone_ns


def parse_window(text: str) -> int:
    """The length of `1m`..`59m`, `1h`..`23h`, `1d`..`7d` in nanoseconds. Raises -1130 for other text."""
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise api_errors.invalid("windowSize")
    unit_ns, most = _WINDOW_UNITS[match.group(2)]
    if int(match.group(1)) > most:
        raise api_errors.invalid("windowSize")
    return int(match.group(1)) * unit_ns
