"""How late something comes: distributions of delays, drawn from a seeded generator."""

from random import Random
from typing import Annotated

import msgspec

from protocol.message import Settings

MAX_DELAY_MS = 120_000
"""No draw is longer, whatever its distribution."""
MS_NS = 1_000_000
Ms = Annotated[float, msgspec.Meta(ge=0, le=MAX_DELAY_MS)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Fixed(Settings, frozen=True, tag_field="kind", tag="fixed"):
    """Always the same."""

    ms: Ms = 100.0

    def draw_ms(self, random: Random) -> float:
        return self.ms


class Uniform(Settings, frozen=True, tag_field="kind", tag="uniform"):
    """Anything between the two, with the same chance."""

    low_ms: Ms = 0.0
    high_ms: Ms = 200.0

    def draw_ms(self, random: Random) -> float:
        return random.uniform(self.low_ms, self.high_ms)


class Exponential(Settings, frozen=True, tag_field="kind", tag="exponential"):
    """Mostly short, seldom long."""

    mean_ms: Ms = 100.0

    def draw_ms(self, random: Random) -> float:
        return random.expovariate(1.0) * self.mean_ms


class Lognormal(Settings, frozen=True, tag_field="kind", tag="lognormal"):
    """As networks are: half below the median, and a long tail that `sigma` makes longer."""

    median_ms: Ms = 80.0
    sigma: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.8

    def draw_ms(self, random: Random) -> float:
        return self.median_ms * random.lognormvariate(0.0, self.sigma)


class Spikes(Settings, frozen=True, tag_field="kind", tag="spikes"):
    """Nearly always `base_ms`; with `chance` a spike."""

    base_ms: Ms = 5.0
    spike_ms: Ms = 3_000.0
    chance: Share = 0.02

    def draw_ms(self, random: Random) -> float:
        return self.spike_ms if random.random() < self.chance else self.base_ms


Delay = Fixed | Uniform | Exponential | Lognormal | Spikes


def draw_ns(delay: Delay, random: Random) -> int:
    """One delay in ns, at most MAX_DELAY_MS."""
    return round(min(delay.draw_ms(random), MAX_DELAY_MS) * MS_NS)
