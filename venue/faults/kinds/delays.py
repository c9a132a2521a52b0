"""Distributions of delays, drawn from a seeded generator."""

from random import Random
from typing import Annotated

import msgspec

from protocol.message import Settings
from venue.base.units import MILLISECOND_NS

MAX_DELAY_MS = 120_000
"""Upper limit of a drawn delay, of every distribution."""
Ms = Annotated[float, msgspec.Meta(ge=0, le=MAX_DELAY_MS)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Fixed(Settings, frozen=True, tag_field="kind", tag="fixed"):
    """Always `ms`."""

    ms: Ms = 100.0

    def draw_ms(self, random: Random) -> float:
        return self.ms


class Uniform(Settings, frozen=True, tag_field="kind", tag="uniform"):
    """Evenly distributed between `low_ms` and `high_ms`."""

    low_ms: Ms = 0.0
    high_ms: Ms = 200.0

    def draw_ms(self, random: Random) -> float:
        return random.uniform(self.low_ms, self.high_ms)


class Exponential(Settings, frozen=True, tag_field="kind", tag="exponential"):
    """Exponential with the mean `mean_ms`: mostly short, rarely long."""

    mean_ms: Ms = 100.0

    def draw_ms(self, random: Random) -> float:
        return random.expovariate(1.0) * self.mean_ms


class Lognormal(Settings, frozen=True, tag_field="kind", tag="lognormal"):
    """As network delays are: half below `median_ms`, with a long tail that grows with `sigma`."""

    median_ms: Ms = 80.0
    sigma: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.8

    def draw_ms(self, random: Random) -> float:
        return self.median_ms * random.lognormvariate(0.0, self.sigma)


class Spikes(Settings, frozen=True, tag_field="kind", tag="spikes"):
    """`base_ms`; with probability `chance` a spike of `spike_ms` instead."""

    base_ms: Ms = 5.0
    spike_ms: Ms = 3_000.0
    chance: Share = 0.02

    def draw_ms(self, random: Random) -> float:
        return self.spike_ms if random.random() < self.chance else self.base_ms


Delay = Fixed | Uniform | Exponential | Lognormal | Spikes


def draw_ns(delay: Delay, random: Random) -> int:
    """One delay in ns, at most MAX_DELAY_MS."""
    return round(min(delay.draw_ms(random), MAX_DELAY_MS) * MILLISECOND_NS)
