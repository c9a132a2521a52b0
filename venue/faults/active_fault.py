"""ActiveFault: one scheduled fault with its time windows, its seeded random numbers and its hit count."""

from enum import Enum
from random import Random

from venue.base.units import NEVER_NS, SECOND_NS
from venue.faults.kinds.fault import Fault

SHORTEST_GAP_S = 0.01
"""Minimum time between two windows of one fault."""


class Transition(Enum):
    """What happened to the window of a fault."""

    OPENED = "opened"
    CLOSED = "closed"


class ActiveFault:
    """`number` identifies it; `is_on` is true while a window is open. Times are exchange time, ns UTC."""

    def __init__(self, number: int, fault: Fault, seed: int, now_ns: int) -> None:
        self.number = number
        self.fault = fault
        self.name = str(fault.__struct_config__.tag)
        self.random = Random(f"{seed}:{number}:{self.name}")
        self.is_on = False
        self.open_ns = now_ns + round(fault.after_s * SECOND_NS)
        self.close_ns = NEVER_NS
        self.hits = 0

    @property
    def next_ns(self) -> int:
        """When its window next opens or closes."""
        return self.close_ns if self.is_on else self.open_ns

    @property
    def is_used_up(self) -> bool:
        """Whether it has had all `count` hits."""
        return bool(self.fault.count and self.hits >= self.fault.count)

    @property
    def is_finished(self) -> bool:
        """Whether no window of it is open or will open."""
        return not self.is_on and (self.open_ns == NEVER_NS or self.is_used_up)

    def transition(self, now_ns: int) -> Transition | None:
        """Opens or closes the window if that is due. One step per call: call again until it returns None."""
        fault = self.fault
        if now_ns < self.next_ns or self.is_finished:
            return None
        if not self.is_on:
            self.is_on = True
            self.close_ns = now_ns + round(fault.for_s * SECOND_NS) if fault.for_s else NEVER_NS
            return Transition.OPENED
        self.is_on = False
        self.open_ns = NEVER_NS
        if fault.every_s:
            wait_s = max(SHORTEST_GAP_S, self.random.expovariate(1 / fault.every_s))
            self.open_ns = now_ns + round(wait_s * SECOND_NS)
        return Transition.CLOSED

    def try_hit(self) -> bool:
        """Whether the fault applies to this request, event or frame, by its chance and count. Counts the hit."""
        if not self.is_on or self.is_used_up:
            return False
        if self.fault.chance < 1 and self.random.random() >= self.fault.chance:
            return False
        self.hits += 1
        return True
