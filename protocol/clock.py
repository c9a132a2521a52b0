"""What the clock and the actors it ticks say to each other."""

from typing import Annotated

import msgspec

from protocol.message import Message
from protocol.topics import NAME

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

Name = Annotated[str, msgspec.Meta(pattern=rf"\A{NAME}\Z")]
"""Of an actor: a token of topics."""

Mark = tuple[str, Int64, Int64]
"""(topic, epoch, seq): "you have not seen all of this stream before you have seen that message"."""


class Tick(Message):
    """Tick `n` of the clock, due at `time_ns`; whoever gets it has the turn until its TickDone.

    `marks`: what to have seen of followed streams before `on_tick` runs. `skipped`: the ticks that this actor
    missed since its last one. `late`: actors that it follows and that had not finished. `stale`: topics whose
    mark did not arrive within the bounded wait (filled in by the receiving runtime).
    """

    n: Int64
    time_ns: Int64
    period_ns: Int64
    marks: list[Mark] = []
    skipped: int = 0
    late: list[str] = []
    stale: list[str] = []


class TickDone(Message):
    """The turn is over. `marks`: where each stream that moved since the last TickDone stands.

    `waited_ns`: time held for marks. `trace`: running hash of all that the actor has sent, in lockstep and sim
    (0 otherwise). `marks_missed`: marks so far that had not been seen, within the bounded wait, when on_tick ran.
    """

    n: Int64
    marks: list[Mark] = []
    waited_ns: int = 0
    trace: int = 0
    marks_missed: int = 0


class Join(Message):
    """An actor asks to be ticked; repeated until it is. `subscriptions` are topic prefixes."""

    name: Name
    epoch: Int64
    follows: list[str] = []
    subscriptions: list[str] = []
    patience_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)] = 500


class Leave(Message):
    """An actor that stops on purpose."""

    name: Name
    epoch: int


class Welcome(Message):
    """The clock's answer to a Join, as soon as it can reach the actor: it is in the order. `n`: the last tick."""

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
    marks_missed: int = 0
    trace: int = 0
