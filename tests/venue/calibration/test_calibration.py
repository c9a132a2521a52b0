"""The order flow is like the recorded market, by one measure of both; and the measure itself."""

import gzip
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from venue.base.settings import FlowSettings, MarketSettings
from venue.base.venue_errors import BadVenue
from venue.calibration import calibration
from venue.calibration.calibration import corrected, first_guess
from venue.calibration.market_stats import HORIZONS_S, SIGN_LAGS, WINDOWS_S, MarketStats, market_stats
from venue.calibration.recording import frames, read
from venue.calibration.simulated_recording import simulated_lines
from venue.calibration.stats_collector import StatsCollector
from venue.sources.profiles import PROBABILITIES
from venue.sources.sources import profiles

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "binance_spot"
SECONDS = 180
MARKETS = {
    "btcusdt_spot": MarketSettings(start_price=Decimal(61_740)),
    "ethusdt_spot": MarketSettings(start_price=Decimal(2_682), lot_size=Decimal("0.0001")),
}
# The run's figure over the recording's. What depends on a few large moves differs from minute to minute in both.
BANDS = {
    "updates_per_s": (0.5, 1.5),
    "level_changes_per_s": (0.6, 1.5),
    "best_changes_per_s": (0.7, 2.0),
    "market_orders_per_s": (0.6, 1.5),
    "trades_per_s": (0.25, 1.3),
    "narrow_share": (0.98, 1.02),
    "spread_bps": (0.2, 5.0),
    "touch_notional": (0.6, 1.7),
    "touch_grown_per_s": (0.6, 1.7),
    "moves_per_s": (0.5, 2.0),
    "wait_spread": (0.7, 1.7),
    "changes_per_order": (0.3, 3.0),
}
LIST_BANDS = {
    "volatility_bps": (HORIZONS_S[:5], (0.6, 1.6)),
    "bursts": (WINDOWS_S[:3], (0.4, 2.5)),
    "changes_bursts": (WINDOWS_S[:3], (0.25, 4.0)),
    "kurtosis": (HORIZONS_S[:3], (0.2, 6.0)),
}
SIZES = ("market_sizes", "limit_sizes", "touch_sizes")
SIZE_CHANCES = (0.2, 0.5, 0.8, 0.9, 0.95)


@pytest.fixture(scope="module", params=MARKETS)
def both(request):
    """(figures of the recording, figures of the order flow with its profile)."""
    path = DATA / f"{request.param.partition('_')[0]}_20240808.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here: the recorded data lies beside the project")
    market = replace(MARKETS[request.param], flow=FlowSettings(profile=request.param))
    return market_stats(StatsCollector().measure(read(path))), run(market)


def run(market: MarketSettings, seconds: float = SECONDS, seed: int = 1) -> MarketStats:
    return market_stats(StatsCollector().measure(frames(simulated_lines(market, seconds, seed))))


def off(pairs, low, high):
    return {name: (one, other) for name, one, other in pairs if not low * one <= other <= high * one}


@pytest.mark.slow
@pytest.mark.parametrize("name", BANDS)
def test_rates_spread_and_touch_are_the_recordings(both, name):
    recorded, found = (getattr(one, name) for one in both)
    assert not off([(name, recorded, found)], *BANDS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LIST_BANDS)
def test_volatility_over_several_horizons_and_clustering_are_the_recordings(both, name):
    where, band = LIST_BANDS[name]
    recorded, found = (getattr(one, name) for one in both)
    assert not off(zip(where, recorded, found, strict=False), *band)


@pytest.mark.slow
def test_signs_of_market_orders_have_the_memory_of_the_recordings(both):
    recorded, found = both
    for lag, one, other in zip(SIGN_LAGS, recorded.signs, found.signs, strict=True):
        assert other == pytest.approx(one, abs=0.2), lag


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_spread_as_in_the_recording(both, name):
    recorded, found = (getattr(one, name) for one in both)
    rows = [(chance, recorded[at], found[at]) for chance in SIZE_CHANCES for at in [PROBABILITIES.index(chance)]]
    assert not off(rows, 0.4, 2.5)


def test_the_depth_profile_and_its_intensities_are_the_recordings(both):
    recorded, found = both
    for field in ("levels", "notional", "grown_per_s", "shrunk_per_s"):
        rows = [
            (f"{field} at {one.from_bps}", getattr(one, field), getattr(other, field))
            for one, other in zip(recorded.bands, found.bands, strict=True)
            if one.levels and one.to_bps <= 30
        ]
        assert len(rows) >= 12
        assert not off(rows, 0.4, 2.0), field


@pytest.mark.slow
def test_the_statistics_distinguish_a_wild_market_from_a_calm_one():
    """A check of the checks: what is not calibrated is outside the bands."""
    usual = run(MARKETS["btcusdt_spot"], 40)
    wild = run(replace(MARKETS["btcusdt_spot"], flow=FlowSettings(volatility_bps=6.0)), 40)
    thin = run(replace(MARKETS["btcusdt_spot"], flow=FlowSettings(book_orders=200)), 40)
    slow = run(replace(MARKETS["btcusdt_spot"], flow=FlowSettings(scale=0.2)), 40)
    assert wild.volatility_bps[2] > 2.5 * usual.volatility_bps[2]
    assert sum(band.levels for band in thin.bands) < 0.4 * sum(band.levels for band in usual.bands)
    assert slow.level_changes_per_s < 0.5 * usual.level_changes_per_s


@pytest.mark.slow
def test_a_first_guess_is_a_valid_profile_and_a_correction_moves_it_towards_the_target(monkeypatch):
    monkeypatch.setattr(calibration, "TRIAL_S", 10.0)
    monkeypatch.setattr(calibration, "TRIAL_SIGNS", 200)
    target = run(MARKETS["btcusdt_spot"], 30)
    guess = first_guess(target, "a run")
    found = run(replace(MARKETS["btcusdt_spot"], flow=FlowSettings(volatility_bps=0.2)), 30)
    better = corrected(guess, target, found)
    assert better.stretch > guess.stretch
    assert msgspec.convert(msgspec.to_builtins(better), profiles.Profile) == better


def test_a_recording_is_read_plain_or_compressed(tmp_path):
    lines = list(simulated_lines(MARKETS["btcusdt_spot"], 3))
    plain, packed = tmp_path / "one.txt", tmp_path / "one.gz"
    plain.write_bytes(b"\n".join(lines))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read(plain)) == list(read(packed)) == list(frames(lines))


@pytest.mark.parametrize("text", [b"nonsense", b"17 {", b'17 {"stream":"x@trade","data":{"T":1}}', b"17 []"])
def test_an_invalid_recording_is_reported_with_its_line(tmp_path, text):
    path = tmp_path / "one"
    path.write_bytes(text)
    with pytest.raises(BadVenue, match="line 1"):
        StatsCollector().measure(read(path))


def test_a_recording_without_book_or_trades_is_refused(tmp_path):
    path = tmp_path / "empty.gz"
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(BadVenue, match="record depth, bookTicker and trade"):
        StatsCollector().measure(read(path))
    with pytest.raises(BadVenue, match="No such file"):
        StatsCollector().measure(read(tmp_path / "none.gz"))
    path.write_bytes(b"not gzip")
    with pytest.raises(BadVenue, match="recording"):
        StatsCollector().measure(read(path))
