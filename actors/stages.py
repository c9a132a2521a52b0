"""Durations of the stages of an actor's work: always counted, published once a second.

The Python implementation, the choice between it and the Cython one (actors/_stages.pyx), and `stages_of`.
"""

import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from protocol import Message, topics
from protocol import Stages as StagesMessage

FINE = 3  # 2**FINE buckets for each doubling: a duration is known to within an eighth of it
PUBLISH_NS = 1_000_000_000


def bucket(ns: int) -> int:
    """The histogram's bucket of a duration."""
    if ns < 1 << FINE:
        return max(ns, 0)
    high = ns.bit_length() - 1
    return ((high - FINE + 1) << FINE) | ((ns >> (high - FINE)) & ((1 << FINE) - 1))


def bucket_ns(at: int) -> int:
    """The smallest duration of a bucket."""
    doubling, part = at >> FINE, at & ((1 << FINE) - 1)
    return part if not doubling else (1 << FINE | part) << (doubling - 1)


class StageTimer(Protocol):
    """What an actor uses to measure its stages. A chain begins at a time; each `lap` ends one stage of it."""

    def begin(self, now_ns: int) -> None:
        """Begins a chain with the event in hand; `now_ns` is the actor's time."""

    def ensure(self, now_ns: int) -> None:
        """As `begin`, unless this event has begun a chain already."""

    def lap(self, stage: int) -> None:
        """Ends stage number `stage` now, and begins the next."""

    def record(self, stage: int, ns: int) -> None:
        """Counts a duration that was measured elsewhere."""


class PlainStages:
    """A histogram for each of `names`. `anchor_ns`: what to add to the monotonic clock to get the actor's UTC time."""

    def __init__(self, names: tuple[str, ...], anchor_ns: int) -> None:
        self.names = names
        self._anchor_ns = anchor_ns
        self._at_ns = self._begun_ns = 0
        self._counts: list[dict[int, int]] = [{} for _ in names]

    def begin(self, now_ns: int) -> None:
        self._begun_ns = now_ns
        self._at_ns = now_ns - self._anchor_ns

    def ensure(self, now_ns: int) -> None:
        if self._begun_ns != now_ns:
            self.begin(now_ns)

    def lap(self, stage: int) -> None:
        now_ns = time.monotonic_ns()
        self.record(stage, now_ns - self._at_ns)
        self._at_ns = now_ns

    def record(self, stage: int, ns: int) -> None:
        counts, at = self._counts[stage], bucket(ns)
        counts[at] = counts.get(at, 0) + 1

    def drain(self) -> list[dict[int, int]]:
        """For each stage the number of durations in each bucket since the last call."""
        counts, self._counts = self._counts, [{} for _ in self.names]
        return counts


class NoStages:
    """Counts nothing: in virtual time no work takes any time."""

    names = ()

    def begin(self, now_ns: int) -> None: ...

    def ensure(self, now_ns: int) -> None: ...

    def lap(self, stage: int) -> None: ...

    def record(self, stage: int, ns: int) -> None: ...


try:
    from actors._stages import FastStages
except ImportError:
    FastStages = None  # type: ignore[assignment,misc]

FAST = FastStages is not None and os.environ.get("TICKBUS_PLAIN") != "1"
IMPLEMENTATION = "cython" if FAST else "plain"


def rows(names: tuple[str, ...], counts: list[dict[int, int]]) -> list[tuple[str, int, float, float]]:
    """(stage, count, p50 us, p99 us) of each stage that happened."""
    found = []
    for name, buckets in zip(names, counts, strict=True):
        total = sum(buckets.values())
        if total:
            p50_us, p99_us = (_percentile_us(buckets, (total * part + 99) // 100) for part in (50, 99))
            found.append((name, total, p50_us, p99_us))
    return found


def _percentile_us(buckets: dict[int, int], rank: int) -> float:
    seen = 0
    for at in sorted(buckets):
        seen += buckets[at]
        if seen >= rank:
            return round((bucket_ns(at) + bucket_ns(at + 1)) / 2000, 2)
    raise AssertionError("a rank above the count")


class StageEffects(Protocol):
    """The effects that publishing the stages takes."""

    @property
    def name(self) -> str: ...

    @property
    def real_time(self) -> bool: ...

    @property
    def anchor_ns(self) -> int: ...

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int: ...

    def publish_untraced(self, topic: str, message: Message) -> None: ...


def stages_of(effects: StageEffects, names: tuple[str, ...]) -> StageTimer:
    """A timer for these stages of an actor, published each second on `sys.<actor>.stages.`; none in virtual time."""
    if not effects.real_time:
        return NoStages()
    stages = (FastStages if FAST else PlainStages)(names, effects.anchor_ns)
    topic = topics.stages(effects.name)

    def publish() -> None:
        effects.after(PUBLISH_NS, publish)
        counted = rows(names, stages.drain())
        if counted:
            effects.publish_untraced(topic, StagesMessage(counted))

    effects.after(PUBLISH_NS, publish)
    return stages
