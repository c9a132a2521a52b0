"""Where each microsecond goes: how long the stages of an actor's work take, always counted, told once a second.

The plain twin of actors/_stages.pyx, and the choice between them.
"""

import os
import time
from typing import TYPE_CHECKING, Any

from protocol import Stages, topics

if TYPE_CHECKING:
    from actors.actor import Actor

FINE = 3  # 2**FINE buckets for each doubling: a figure is within an eighth of the truth
EVERY_NS = 1_000_000_000


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


class PlainStages:
    """A histogram for each of `names`. A chain of stages begins at a time; each `mark` ends one and begins the next.

    `anchor_ns`: what UTC, as the actor is told it, is ahead of the monotonic clock.
    """

    def __init__(self, names: tuple[str, ...], anchor_ns: int) -> None:
        self.names = names
        self._anchor_ns = anchor_ns
        self._at_ns = self._begun_ns = 0
        self._counts: list[dict[int, int]] = [{} for _ in names]

    def begin(self, now_ns: int) -> None:
        """A chain begins with the event in hand: `now_ns` is the actor's."""
        self._begun_ns = now_ns
        self._at_ns = now_ns - self._anchor_ns

    def ensure(self, now_ns: int) -> None:
        """`begin`, unless this event has begun one already."""
        if self._begun_ns != now_ns:
            self.begin(now_ns)

    def mark(self, stage: int) -> None:
        """Stage number `stage` is done."""
        now_ns = time.monotonic_ns()
        self.record(stage, now_ns - self._at_ns)
        self._at_ns = now_ns

    def record(self, stage: int, ns: int) -> None:
        """Count a duration that was measured otherwise."""
        counts, at = self._counts[stage], bucket(ns)
        counts[at] = counts.get(at, 0) + 1

    def take(self) -> list[dict[int, int]]:
        """For each stage how many durations fell into which bucket, since the last call."""
        counts, self._counts = self._counts, [{} for _ in self.names]
        return counts


class NoStages:
    """Nothing is counted: in virtual time nothing takes any."""

    names = ()

    def begin(self, now_ns: int) -> None: ...

    def ensure(self, now_ns: int) -> None: ...

    def mark(self, stage: int) -> None: ...

    def record(self, stage: int, ns: int) -> None: ...


try:
    from actors._stages import FastStages
except ImportError:
    FastStages = None  # type: ignore[assignment]

FAST = FastStages is not None and not os.environ.get("TICKBUS_PLAIN")
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


def stages_of(actor: "Actor", names: tuple[str, ...]) -> Any:
    """Count these stages of an actor, and tell them each second on `sys.<actor>.stages.`; nothing in virtual time."""
    runtime = actor.runtime
    if runtime.lockstep or not getattr(runtime.port, "takes_time", True):
        return NoStages()
    stages = (FastStages if FAST else PlainStages)(names, runtime.anchor_ns)
    stream = runtime.outbox.stream(topics.stages(actor.name), marked=False)

    def tell() -> None:
        runtime.patience(EVERY_NS, tell)
        told = rows(names, stages.take())
        if told:
            runtime.port.pub(runtime.outbox.next(stream, actor.now_ns, Stages(told)))

    runtime.patience(EVERY_NS, tell)
    return stages
