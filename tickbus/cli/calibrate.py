"""`tickbus calibrate`: statistics of a recorded market and of the simulated order flow; a profile from a recording."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from venue.base.settings import MarketSettings
    from venue.calibration.market_stats import MarketStats
    from venue.sources.profiles import Profile


@click.command("calibrate")
@click.argument("recording", required=False, type=click.Path(path_type=Path))
@click.option(
    "--profile", "name", help="Also simulate the order flow of this profile (a name or a TOML file), and measure it."
)
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path),
    help="Make a profile from RECORDING, and write it to this TOML file.",
)
@click.option(
    "--seconds",
    default=346.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Simulated seconds of each simulation.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the random numbers of the simulations.")
@click.option(
    "--rounds",
    default=4,
    show_default=True,
    type=click.IntRange(0, 50),
    help="With --write: how often the profile is simulated, compared with RECORDING and corrected.",
)
@click.option("--tick-size", default="0.01", show_default=True, type=Decimal, help="Tick size of the simulated market.")
@click.option(
    "--lot-size", default="0.00001", show_default=True, type=Decimal, help="Lot size of the simulated market."
)
@click.option(
    "--start-price",
    default="60000",
    show_default=True,
    type=Decimal,
    help="Price of the simulated market at its start.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: recording, run.")
def command(
    recording: Path | None,
    name: str | None,
    target: Path | None,
    seconds: float,
    seed: int,
    rounds: int,
    tick_size: Decimal,
    lot_size: Decimal,
    start_price: Decimal,
    as_json: bool,
) -> None:
    """Print statistics of a recorded market, of simulated order flow, or of both beside each other.

    RECORDING is a text file, plain or gzip. Each line has a receive time in nanoseconds, a space, and a frame of
    Binance's combined streams. --profile simulates a market and measures it in the same way. --write makes a profile
    from RECORDING; the setting `profile` of [venue.markets.flow] names it.
    """
    from venue.base.settings import FlowSettings, MarketSettings

    if recording is None and (target is not None or name is None):
        raise click.UsageError("name a RECORDING to measure, or a --profile to simulate, or both")
    if target is not None and target.suffix != ".toml":
        raise click.UsageError("--write: the file's name must end in .toml")
    market = MarketSettings(tick_size=tick_size, lot_size=lot_size, start_price=start_price)
    measured = None if recording is None else _measured(recording)
    run = None
    if target is not None:
        assert measured is not None
        assert recording is not None
        profile = _profile(measured, recording, market, _runner(market, seconds, seed), rounds)
        _write(target, profile)
        name = str(target) if name is None else name
    if name is not None:
        flow = FlowSettings(profile=name)
        run = _run(msgspec.structs.replace(market, flow=flow), seconds, seed, None)
    _show(measured, run, as_json)


def _measured(recording: Path) -> "MarketStats":
    from venue.calibration.market_stats import market_stats
    from venue.calibration.recording import read
    from venue.calibration.stats_collector import StatsCollector

    return market_stats(StatsCollector().measure(read(recording)))


def _profile(
    measured: "MarketStats",
    recording: Path,
    market: "MarketSettings",
    run: "Callable[[Profile], MarketStats]",
    rounds: int,
) -> "Profile":
    from venue.calibration.calibration import calibrated

    return calibrated(measured, f"{recording.name}, {measured.seconds:.0f} s", run, rounds)


def _write(target: Path, profile: "Profile") -> None:
    from venue.base.venue_errors import BadVenue
    from venue.sources import profiles

    try:
        target.write_text(profiles.text_of(profile))
    except OSError as error:
        raise BadVenue(f"{target}: {error.strerror}") from None
    profiles.load.cache_clear()


def _runner(market: "MarketSettings", seconds: float, seed: int) -> "Callable[[Profile], MarketStats]":
    def run(profile: "Profile") -> "MarketStats":
        return _run(market, seconds, seed, profile)

    return run


def _run(market: "MarketSettings", seconds: float, seed: int, profile: "Profile | None") -> "MarketStats":
    from venue.calibration.market_stats import market_stats
    from venue.calibration.recording import frames
    from venue.calibration.simulated_recording import simulated_lines
    from venue.calibration.stats_collector import StatsCollector

    return market_stats(StatsCollector().measure(frames(simulated_lines(market, seconds, seed, profile))))


def _show(measured: "MarketStats | None", run: "MarketStats | None", as_json: bool) -> None:
    from venue.calibration.stats_table import table

    if as_json:
        both = {"recording": measured, "run": run}
        click.echo(msgspec.json.encode(both).decode())
        return
    columns = {name: found for name, found in (("recording", measured), ("order flow", run)) if found is not None}
    for row in table(columns):
        click.echo(row)
