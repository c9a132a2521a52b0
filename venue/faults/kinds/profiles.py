"""Profiles: named sets of faults. When their windows open follows from the fault seed of the exchange."""

from collections.abc import Callable
from decimal import Decimal

from actors.run.toml_check import did_you_mean
from venue.base.settings import FAULT_PROFILES
from venue.faults.kinds import exchange_kinds as e
from venue.faults.kinds import request_kinds as r
from venue.faults.kinds import stream_kinds as s
from venue.faults.kinds.delays import Exponential, Fixed, Lognormal, Spikes
from venue.faults.kinds.fault import Fault

PLACE, CANCEL = "POST /api/v3/order", "DELETE /api/v3/order"


def none() -> list[Fault]:
    """No faults."""
    return []


def drizzle() -> list[Fault]:
    """A bad day on a real exchange: late answers, some lost, a stream closed now and then."""
    return [
        r.Timeout(chance=0.005, hold=Fixed(ms=10_000)),
        r.BackendTimeout(chance=0.01),
        r.ServerError(chance=0.005),
        r.Late(chance=0.3, delay=Lognormal(median_ms=60, sigma=1.0)),
        s.UserEventLate(chance=0.01),
        s.DeltaLost(chance=0.002),
        s.StreamDelay(chance=0.01),
        s.SocketDropped(every_s=120, after_s=60, chance=0.5),
        s.StreamStall(every_s=180, after_s=90, for_s=8, chance=0.5),
    ]


def storm() -> list[Fault]:
    """Every kind of fault at once, within seconds of each other, for as long as it is active."""
    return [*_storm_of_requests(), *_storm_of_streams(), *_storm_of_the_exchange()]


def _storm_of_requests() -> list[Fault]:
    events = ("sent", "late", "lost")
    every_combination: list[Fault] = [
        r.BackendTimeout(endpoint=PLACE, chance=0.01, accepted=accepted, user_event=event)  # type: ignore[arg-type]
        for accepted in (True, False)
        for event in events
    ]
    every_combination += [
        r.Timeout(endpoint=PLACE, chance=0.01, accepted=accepted, user_event=event, hold=Fixed(ms=8_000))  # type: ignore[arg-type]
        for accepted in (True, False)
        for event in events
    ]
    return [
        *every_combination,
        r.Timeout(endpoint=CANCEL, chance=0.03, user_event="late"),
        r.Reset(chance=0.02),
        r.ServerError(chance=0.02),
        r.UnexpectedResponse(chance=0.02),
        r.BackendTimeout(chance=0.02),
        r.Overloaded(chance=0.02),
        r.HtmlPage(chance=0.01),
        r.TruncatedBody(chance=0.02),
        r.InvalidBody(chance=0.02),
        r.RejectAfterAck(chance=0.03),
        r.RateLimited(chance=0.5, every_s=45, after_s=12, for_s=1, retry_after_s=2),
        r.RateLimited(chance=0.5, every_s=300, after_s=150, for_s=2, retry_after_s=0),
        r.Banned(chance=0.5, every_s=240, after_s=100, for_s=3, retry_after_s=5),
        r.StaleReads(chance=0.5, every_s=20, after_s=5, for_s=15),
        r.Late(chance=0.2, delay=Exponential(mean_ms=150)),
        r.Late(chance=1.0, delay=Spikes(base_ms=2, spike_ms=2_500, chance=0.02)),
    ]


def _storm_of_streams() -> list[Fault]:
    return [
        s.UserEventLost(chance=0.03),
        s.UserEventTwice(chance=0.05),
        s.UserEventLate(chance=0.05),
        s.UserEventReordered(chance=0.05),
        s.DeltaLost(chance=0.01),
        s.DeltaTwice(chance=0.03),
        s.DeltaReordered(chance=0.01),
        s.FrameCorrupt(chance=0.005),
        s.StreamDelay(chance=0.03),
        s.StreamStall(every_s=30, after_s=9, for_s=6, chance=0.7),
        s.HalfOpen(every_s=40, after_s=14, for_s=8, chance=0.7),
        s.SocketDropped(every_s=25, after_s=4, chance=0.7),
        s.SocketDropped(every_s=40, after_s=11, chance=0.7, reset=True),
        s.ConnectionRefused(every_s=60, after_s=8, for_s=1.5),
    ]


def _storm_of_the_exchange() -> list[Fault]:
    return [
        e.ClockStep(ms=3_000, every_s=60, after_s=10, for_s=15),
        e.ClockStep(ms=-2_000, every_s=90, after_s=40, for_s=15),
        e.ClockDrift(ppm=20_000, every_s=90, after_s=70, for_s=20),
        e.Maintenance(every_s=120, after_s=16, for_s=2.5),
        e.SymbolHalt(every_s=60, after_s=6, for_s=2),
        e.SymbolHalt(every_s=90, after_s=50, for_s=5, status="HALT"),
        e.Delisted(every_s=200, after_s=80, for_s=4),
        e.FiltersChanged(min_notional=Decimal(20), min_size=Decimal("0.0002"), every_s=60, after_s=3, for_s=10),
        e.FiltersChanged(tick_size=Decimal("0.02"), every_s=150, after_s=120, for_s=40),
        e.BalanceMoved(amount=Decimal(500), every_s=20, after_s=2),
        e.BalanceMoved(amount=Decimal(-500), every_s=20, after_s=5),
        e.ExternalOrder(every_s=20, after_s=3, for_s=8),
        e.ExternalCancel(every_s=15, after_s=7),
    ]


PROFILES: dict[str, Callable[[], list[Fault]]] = dict(zip(FAULT_PROFILES, (none, drizzle, storm), strict=True))


def profile(name: str) -> list[Fault]:
    """The faults of a profile. Raises ValueError for an unknown one."""
    if name not in PROFILES:
        raise ValueError(f"unknown fault profile `{name}`{did_you_mean(name, PROFILES)}")
    return PROFILES[name]()
