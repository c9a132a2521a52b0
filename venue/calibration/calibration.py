"""Calibration: fits a profile to a recording's statistics, directly or by trial runs of the order flow."""

import math
from collections.abc import Callable
from itertools import product
from random import Random

from msgspec.structs import replace

from venue.base.units import MILLISECOND_NS, SECOND_NS
from venue.calibration import series
from venue.calibration.market_stats import SIGN_LAGS, WINDOWS_S, MarketStats
from venue.sources.arrivals import ArrivalProcess, OrderSigns
from venue.sources.profiles import PROBABILITIES, Band, Kernel, Profile, Quantiles

DECAYS_S = (0.02, 0.4, 5.0)
"""Decay times of market orders that excite others: one program's, many programs', manual traders'."""
REACTION_S = 0.15
EXCITED_SHARE, MAX_EXCITED_SHARE = 0.6, 0.85
"""Share of the limit orders that price moves excite: initial and maximum."""
TRIAL_S = 500.0
TRIAL_SIGNS = 5_000
MIN_RATE_PER_S = 0.01
MAX_DEPTH_BPS = 30.0
"""Maximum depth of the flow's book; clients see nearly all of it in a snapshot of 1,000 levels."""
MAX_CORRECTION = 1.6
MAX_SHARE = 0.95
MAX_CHILDREN = 0.8
"""With more, minutes would differ more from each other than a recording of minutes can show."""
MEDIAN = PROBABILITIES.index(0.5)

Run = Callable[[Profile], MarketStats]


def calibrated(target: MarketStats, source: str, run: Run, rounds: int) -> Profile:
    """A profile whose runs have statistics close to `target`. `run` runs a profile and measures it."""
    profile = first_guess(target, source)
    for _ in range(rounds):
        profile = corrected(profile, target, run(profile))
    return profile


def first_guess(target: MarketStats, source: str) -> Profile:
    """A first profile, directly from the statistics."""
    profile = _direct_fit(target, source)
    excited = EXCITED_SHARE * profile.limit_rate / (profile.market_rate * profile.move_share)
    return replace(profile, reaction=Kernel(_round(excited), REACTION_S))


def _direct_fit(target: MarketStats, source: str) -> Profile:
    usual = target.market_sizes[MEDIAN]
    limit_sizes = _multiples(target.limit_sizes, usual)
    touch_sizes = _multiples(target.touch_sizes, usual)
    share, threads, tail = _fit_signs(target.signs)
    touch_rate = target.touch_grown_per_s
    touch_orders = 2 * target.touch_notional / (Quantiles(touch_sizes).moment(1) * usual)
    return Profile(
        source=source,
        median_notional=_round(usual),
        market_rate=_round(target.market_orders_per_s),
        bursts=_fit_bursts(target),
        reaction=Kernel(0.0, REACTION_S),
        sign_share=share,
        sign_threads=threads,
        sign_tail=tail,
        move_share=_round(min(MAX_SHARE, target.moves_per_s / target.market_orders_per_s)),
        moves_bps=_positive(target.moves_bps),
        volatility_bps=_round(target.volatility_bps[2]),
        stretch=1.0,
        wide_ms=_positive(target.wide_ms),
        touch=Band(0.0, 0.0, _round(touch_rate), _round(touch_orders), _round(touch_orders / touch_rate)),
        bands=_bands(target, Quantiles(limit_sizes).moment(1) * usual),
        market_sizes=_multiples(target.market_sizes, usual),
        limit_sizes=limit_sizes,
        touch_sizes=touch_sizes,
    )


def corrected(profile: Profile, target: MarketStats, seen: MarketStats) -> Profile:
    """The profile, corrected by the deviations of its run."""
    touch = _corrected_band(
        profile.touch,
        _ratio(target.touch_grown_per_s, seen.touch_grown_per_s),
        _ratio(target.touch_notional, seen.touch_notional),
        1.0,
    )
    bands = []
    for band, goal, found in zip(profile.bands, target.bands, seen.bands, strict=False):
        size = _ratio(goal.notional * found.levels, found.notional * goal.levels)
        more = _ratio(goal.levels, found.levels)
        bands.append(_corrected_band(band, _ratio(goal.grown_per_s, found.grown_per_s), more, size))
    volatility_factor = _ratio(sum(target.volatility_bps[2:5]), sum(seen.volatility_bps[2:5])) ** 0.8
    # These two are noisy in a single run: correct half of the deviation.
    orders = math.sqrt(_ratio(target.market_orders_per_s, seen.market_orders_per_s))
    moves = math.sqrt(_ratio(target.moves_per_s, seen.moves_per_s))
    moved = replace(
        profile,
        touch=touch,
        bands=bands,
        stretch=_round(profile.stretch * volatility_factor),
        market_rate=_round(profile.market_rate * orders),
        move_share=_round(min(MAX_SHARE, profile.move_share * moves)),
    )
    excited = profile.reaction.children * math.sqrt(_ratio(target.changes_bursts[1], seen.changes_bursts[1]))
    most = MAX_EXCITED_SHARE * moved.limit_rate / (moved.market_rate * moved.move_share)
    return replace(moved, reaction=Kernel(_round(min(excited, most)), REACTION_S))


def _corrected_band(band: Band, faster: float, more: float, larger: float) -> Band:
    rate = band.orders_per_s * faster
    lifetime_s = band.lifetime_s * more / faster
    return replace(band, orders_per_s=_round(rate), lifetime_s=_round(lifetime_s), size=_round(band.size * larger))


def _ratio(goal: float, found: float) -> float:
    """The correction factor, limited to small steps."""
    if goal <= 0 or found <= 0:
        return 1.0
    return min(MAX_CORRECTION, max(1 / MAX_CORRECTION, goal / found))


def _bands(target: MarketStats, usual_limit: float) -> list[Band]:
    """The bands that the recording covers, up to MAX_DEPTH_BPS."""
    found: list[Band] = []
    for band in target.bands:
        if band.to_bps > MAX_DEPTH_BPS or not band.levels:
            break
        rate = max(MIN_RATE_PER_S, band.grown_per_s)
        size = _round(band.notional / band.levels / usual_limit)
        orders = 2 * band.levels
        found.append(Band(band.from_bps, band.to_bps, _round(rate), _round(orders), _round(orders / rate), size))
    return found


def _fit_bursts(target: MarketStats) -> list[Kernel]:
    """The kernels whose counts of market orders have a variance close to the target's."""
    best: tuple[float, list[Kernel]] = (math.inf, [])
    steps = tuple(one / 10 for one in range(8))
    for children in product(steps, repeat=len(DECAYS_S)):
        if sum(children) > MAX_CHILDREN:
            continue
        kernels = [Kernel(one, decay_s) for one, decay_s in zip(children, DECAYS_S, strict=True)]
        times_s = _arrival_times(target.market_orders_per_s, kernels)
        found = [series.fano(series.counts(times_s, window_s, TRIAL_S)) for window_s in WINDOWS_S]
        off = sum(
            math.log(max(one, 0.1) / max(other, 0.1)) ** 2 for one, other in zip(found, target.bursts, strict=True)
        )
        if off < best[0]:
            best = (off, kernels)
    return best[1]


def _arrival_times(rate: float, kernels: list[Kernel]) -> list[float]:
    base = rate * (1 - sum(kernel.children for kernel in kernels))
    bursts = ArrivalProcess(base, kernels, rate, Random(1), 0)
    found = [-1]
    now_ns = bursts.next_ns(0)
    while now_ns < TRIAL_S * SECOND_NS:
        if now_ns // MILLISECOND_NS > found[-1]:  # recordings show the arrivals of one millisecond as one
            found.append(now_ns // MILLISECOND_NS)
        bursts.excite(now_ns)
        now_ns = bursts.next_ns(now_ns)
    return [time_ms / 1000 for time_ms in found[1:]]


def _fit_signs(target: list[float]) -> tuple[float, int, float]:
    best: tuple[float, tuple[float, int, float]] = (math.inf, (0.0, 1, 2.0))
    for share, threads, tail in product((0.5, 0.6, 0.7, 0.8, 0.9), (1, 2, 3, 4), (1.1, 1.3, 1.6, 2.0, 2.5)):
        signs = OrderSigns(share, threads, tail, Random(1))
        drawn = [float(signs.draw()) for _ in range(TRIAL_SIGNS)]
        off = sum((series.autocorrelation(drawn, lag) - one) ** 2 for lag, one in zip(SIGN_LAGS, target, strict=True))
        if off < best[0]:
            best = (off, (share, threads, tail))
    return best[1]


def _multiples(values: list[float], unit: float) -> list[float]:
    return _positive([value / unit for value in values])


def _positive(values: list[float]) -> list[float]:
    return [_round(max(value, 1e-6)) for value in values]


def _round(value: float) -> float:
    return float(f"{value:.4g}")
