"""Messages between the clock and the actors that it ticks."""

from typing import Annotated

import msgspec

from protocol.message import Message
from protocol.topics import NAME

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

Name = Annotated[str, msgspec.Meta(pattern=rf"\A{NAME}\Z")]
"""The name of an actor: one token of a topic."""

StreamPosition = tuple[str, Int64, Int64]
"""(topic, epoch, seq): a stream, and the number of a message in it. Fields named `positions` have this type."""


class Tick(Message):
    """Tick `n` of the clock, due at `time_ns` (UTC). The receiver has the turn until it sends TickDone.

    `positions`: positions that followed streams must reach before `on_tick` runs. `skipped`: number of ticks that this
    actor missed since its last one. `late`: followed actors that had not finished. `stale`: topics that did not
    reach their position within the bounded wait; the receiving runtime fills it in.
    """

    n: Int64
    time_ns: Int64
    period_ns: Int64
    positions: list[StreamPosition] = []
    skipped: int = 0
    late: list[str] = []
    stale: list[str] = []


class TickDone(Message):
    """Ends the turn. `positions`: the position of each stream that the actor published to since its last TickDone.

    `waited_ns`: time spent waiting for positions. `trace`: running hash of all that the actor has sent, in lockstep
    and in simulation (0 otherwise). `positions_missed`: number of positions, since the actor's start, that were not
    reached within the bounded wait when `on_tick` ran.
    """

    n: Int64
    positions: list[StreamPosition] = []
    waited_ns: int = 0
    trace: int = 0
    positions_missed: int = 0


class Join(Message):
    """An actor requests to be ticked; repeated until the clock answers. `subscriptions` are topic prefixes."""

    name: Name
    epoch: Int64
    follows: list[str] = []
    subscriptions: list[str] = []
    patience_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)] = 500


class Leave(Message):
    """An actor stops on purpose: the clock no longer ticks it."""

    name: Name
    epoch: int


class Welcome(Message):
    """The clock's answer to a Join: the actor is in the tick order. `n`: the last tick."""

    n: int = -1


class TickReport(Message):
    """Published by the clock after each tick. Hops are (actor, microseconds from Tick to TickDone)."""

    n: int
    time_ns: int
    late_by_ns: int
    took_ns: int
    skipped: int
    hops: list[tuple[str, float]] = []
    late: list[str] = []
    ticks: int = 0
    ticks_skipped: int = 0
    ticks_late: int = 0
    positions_missed: int = 0
    trace: int = 0
