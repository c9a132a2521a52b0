"""MarketStats: the statistics of a market, of a recording or of a run of the order flow."""

import itertools

import msgspec

from venue.calibration import series
from venue.calibration.stats_collector import BANDS_BPS, StatsCollector
from venue.sources.profiles import PROBABILITIES

HORIZONS_S = (0.1, 0.5, 1, 5, 10, 30, 60)
WINDOWS_S = (0.1, 1, 5, 10)
SIGN_LAGS = (1, 2, 3, 5, 10, 20, 50)
GRID_S = 0.1


class BandStats(msgspec.Struct):
    """One band of the book, by distance from the best price of its side. Rates are of both sides."""

    from_bps: float
    to_bps: float
    levels: float  # per side
    notional: float  # per side, in the quote asset
    grown_per_s: float  # increases of levels since the delta before
    shrunk_per_s: float


class MarketStats(msgspec.Struct):
    """Times in seconds, distances in basis points of the price, sizes in the quote asset.

    Lists go with HORIZONS_S, WINDOWS_S, SIGN_LAGS and (distributions) PROBABILITIES.
    """

    seconds: float
    price: float
    tick_bps: float
    updates_per_s: float  # counted by update ids
    level_changes_per_s: float  # in deltas of 100 ms
    best_changes_per_s: float
    trades_per_s: float
    market_orders_per_s: float
    trades_per_order: float
    narrow_share: float  # share of the time with a spread of one tick
    spread_bps: float  # mean over time
    wide_ms: list[float]
    touch_notional: float  # per side, mean over time
    touch_grown_per_s: float  # of both sides
    touch_shrunk_per_s: float
    touch_sizes: list[float]
    bands: list[BandStats]
    market_sizes: list[float]
    limit_sizes: list[float]
    bursts: list[float]  # Fano factors of market orders
    changes_bursts: list[float]  # Fano factors of level changes
    changes_per_order: float  # level changes per market order, within a second
    wait_spread: float  # standard deviation over mean of the times between market orders
    signs: list[float]  # autocorrelations of the signs of market orders
    volatility_bps: list[float]  # of the mid price, divided by the square root of the horizon
    kurtosis: list[float]
    moves_per_s: float  # between two times with a spread of one tick
    moves_bps: list[float]


def market_stats(collector: StatsCollector) -> MarketStats:
    """The statistics of everything that a collector has received."""
    seconds, price = collector.seconds, series.mean([mid for _, mid in collector.mids])
    orders = collector.orders
    times_s = [time_ms / 1000 for time_ms, _, _, _ in orders]
    starts_s = [time_s - times_s[0] for time_s in times_s] if times_s else []
    waits_s = [later - earlier for earlier, later in itertools.pairwise(starts_s)]
    signs = [float(sign) for _, sign, _, _ in orders]
    grid = _grid(collector.mids)
    moves = _moves(collector)
    return MarketStats(
        seconds=seconds,
        price=price,
        tick_bps=collector.tick / price * 1e4,
        updates_per_s=collector.updates / seconds,
        level_changes_per_s=sum(collector.changes_s.values()) / seconds,
        best_changes_per_s=len(collector.mids) / seconds,
        trades_per_s=collector.trades / seconds,
        market_orders_per_s=len(orders) / seconds,
        trades_per_order=collector.trades / max(1, len(orders)),
        narrow_share=collector.narrow_s / collector.known_s,
        spread_bps=collector.spread_s / collector.known_s / price * 1e4,
        wide_ms=series.quantiles(collector.wide_ms, PROBABILITIES),
        touch_notional=collector.touch_s / collector.known_s / 2,
        touch_grown_per_s=len(collector.touch_grown) / seconds,
        touch_shrunk_per_s=collector.touch_shrunk / seconds,
        touch_sizes=series.quantiles(collector.touch_grown, PROBABILITIES),
        bands=_bands(collector),
        market_sizes=series.quantiles([size for _, _, size, _ in orders], PROBABILITIES),
        limit_sizes=series.quantiles(collector.grown_sizes, PROBABILITIES),
        bursts=[series.fano(series.counts(starts_s, window_s, seconds)) for window_s in WINDOWS_S],
        changes_bursts=[series.fano(_changes(collector, window_s)) for window_s in WINDOWS_S],
        changes_per_order=_slope(collector),
        wait_spread=series.variance(waits_s) ** 0.5 / series.mean(waits_s) if waits_s else 0.0,
        signs=[series.autocorrelation(signs, lag) for lag in SIGN_LAGS],
        volatility_bps=[series.variance(_returns(grid, one)) ** 0.5 / one**0.5 for one in HORIZONS_S],
        kurtosis=[series.kurtosis(_returns(grid, one)) for one in HORIZONS_S],
        moves_per_s=len(moves) / seconds,
        moves_bps=series.quantiles(moves, PROBABILITIES),
    )


def _grid(mids: list[tuple[int, float]]) -> list[float]:
    """The mid price at every tenth of a second."""
    found, index, at_ns = [], 0, mids[0][0]
    while at_ns <= mids[-1][0]:
        while index + 1 < len(mids) and mids[index + 1][0] <= at_ns:
            index += 1
        found.append(mids[index][1])
        at_ns += int(GRID_S * 1e9)
    return found


def _returns(grid: list[float], horizon_s: float) -> list[float]:
    step = round(horizon_s / GRID_S)
    return [(later / earlier - 1) * 1e4 for earlier, later in zip(grid, grid[step:], strict=False)]


def _moves(collector: StatsCollector) -> list[float]:
    """The changes of the mid price between two narrow spreads, in basis points, without zeros."""
    pairs = zip(collector.narrow_mids, collector.narrow_mids[1:], strict=False)
    return [abs(later / earlier - 1) * 1e4 for earlier, later in pairs if later != earlier]


def _changes(collector: StatsCollector, window_s: float) -> list[int]:
    found = [0] * max(1, int(collector.seconds / window_s))
    for tenth, number in collector.changes_s.items():
        index = int(tenth * GRID_S / window_s + 1e-9)
        if index < len(found):
            found[index] += number
    return found


def _slope(collector: StatsCollector) -> float:
    """Level changes per market order within a second, by least squares."""
    changes = _changes(collector, 1)
    seconds = [
        (time_ms * 1_000_000 - collector.offset_ns - collector.start_ns) / 1e9 for time_ms, _, _, _ in collector.orders
    ]
    orders = series.counts(seconds, 1, collector.seconds)
    length = min(len(orders), len(changes))
    spread = series.variance(orders[:length])
    return series.covariance(orders[:length], changes[:length]) / spread if spread else 0.0


def _bands(collector: StatsCollector) -> list[BandStats]:
    found = []
    for index, (low, high) in enumerate(itertools.pairwise(BANDS_BPS)):
        seen, levels, notional = collector.depth[index]
        seen = max(1, seen)
        grown, shrunk = collector.grown[index] / collector.book_s, collector.shrunk[index] / collector.book_s
        found.append(BandStats(low, high, levels / seen, notional / seen, grown, shrunk))
    return found
