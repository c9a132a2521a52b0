"""Statistics side by side, as a Markdown table."""

from collections.abc import Iterator

from venue.calibration.market_stats import HORIZONS_S, SIGN_LAGS, WINDOWS_S, MarketStats
from venue.sources.profiles import PROBABILITIES

ROWS = (
    ("updates_per_s", "book updates a second"),
    ("level_changes_per_s", "level changes a second, in deltas of 100 ms"),
    ("best_changes_per_s", "changes of the best prices or their sizes, a second"),
    ("trades_per_s", "trades a second"),
    ("market_orders_per_s", "market orders a second"),
    ("trades_per_order", "trades of a market order"),
    ("narrow_share", "share of the time with a spread of one tick"),
    ("spread_bps", "spread, bps, on average over time"),
    ("touch_notional", "at the best price, on average over time"),
    ("touch_grown_per_s", "times a best price's size grew, a second"),
    ("touch_shrunk_per_s", "times it shrank"),
    ("moves_per_s", "moves of the mid price, a second"),
    ("changes_per_order", "level changes that come with a market order"),
    ("wait_spread", "waits between market orders: deviation over mean"),
)
SHOWN = ((0.1, "10 %"), (0.5, "median"), (0.9, "90 %"), (0.99, "99 %"))
DISTRIBUTIONS = (
    ("market_sizes", "size of a market order"),
    ("limit_sizes", "growth of a level"),
    ("touch_sizes", "growth at the best price"),
    ("moves_bps", "move of the mid price, bps"),
    ("wide_ms", "spread open for, ms"),
)


def table(columns: dict[str, MarketStats]) -> Iterator[str]:
    """The rows. Sizes are in the quote asset, rates of both sides."""
    yield "| | " + " | ".join(columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    found = list(columns.values())
    for name, label in ROWS:
        yield _row(label, [getattr(one, name) for one in found])
    for name, label in DISTRIBUTIONS:
        for chance, shown in SHOWN:
            index = PROBABILITIES.index(chance)
            yield _row(f"{label}: {shown}", [getattr(one, name)[index] for one in found])
    for index, horizon_s in enumerate(HORIZONS_S):
        yield _row(f"volatility over {horizon_s:g} s, bps a root second", [one.volatility_bps[index] for one in found])
    for index, horizon_s in enumerate(HORIZONS_S[:5]):
        yield _row(f"kurtosis over {horizon_s:g} s", [one.kurtosis[index] for one in found])
    for index, window_s in enumerate(WINDOWS_S):
        yield _row(f"fano factor of market orders, {window_s:g} s", [one.bursts[index] for one in found])
    for index, window_s in enumerate(WINDOWS_S):
        yield _row(f"fano factor of level changes, {window_s:g} s", [one.changes_bursts[index] for one in found])
    for index, lag in enumerate(SIGN_LAGS):
        yield _row(f"autocorrelation of signs, lag {lag}", [one.signs[index] for one in found])
    for index, band in enumerate(found[0].bands):
        where = f"{band.from_bps:g} to {band.to_bps:g} bps from the best price"
        yield _row(f"{where}: levels", [one.bands[index].levels for one in found])
        yield _row(f"{where}: resting", [one.bands[index].notional for one in found])
        yield _row(f"{where}: growths a second", [one.bands[index].grown_per_s for one in found])
        yield _row(f"{where}: shrinkings a second", [one.bands[index].shrunk_per_s for one in found])


def _row(label: str, values: list[float]) -> str:
    return f"| {label} | " + " | ".join(f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" for value in values) + " |"
