"""Running: one fault at work: its windows of time, its own seeded chance, and how often it has struck."""

from enum import Enum
from random import Random

from venue.faults.kinds.fault import Fault

SECOND_NS = 1_000_000_000
NEVER_NS = 2**63 - 1
SHORTEST_S = 0.01
"""Between two windows of one fault, at least."""


class Turn(Enum):
    """What time has done to a fault."""

    BEGAN = "began"
    ENDED = "ended"


class Running:
    """`number` names it; `is_on` while a window of it is open. Times are the exchange's, in ns UTC."""

    def __init__(self, number: int, fault: Fault, seed: int, now_ns: int) -> None:
        self.number = number
        self.fault = fault
        self.name = str(fault.__struct_config__.tag)
        self.random = Random(f"{seed}:{number}:{self.name}")
        self.is_on = False
        self.begin_ns = now_ns + round(fault.after_s * SECOND_NS)
        self.end_ns = NEVER_NS
        self.hits = 0

    @property
    def next_ns(self) -> int:
        """When its window next opens or closes."""
        return self.end_ns if self.is_on else self.begin_ns

    @property
    def is_spent(self) -> bool:
        """It will never strike again."""
        if self.is_on:
            return False
        return self.begin_ns == NEVER_NS or bool(self.fault.count and self.hits >= self.fault.count)

    def turn(self, now_ns: int) -> Turn | None:
        """What is due by now, one step at a time: call again until there is nothing."""
        fault = self.fault
        if now_ns < self.next_ns or self.is_spent:
            return None
        if not self.is_on:
            self.is_on = True
            self.end_ns = now_ns + round(fault.for_s * SECOND_NS) if fault.for_s else NEVER_NS
            return Turn.BEGAN
        self.is_on = False
        self.begin_ns = NEVER_NS
        if fault.every_s:
            wait_s = max(SHORTEST_S, self.random.expovariate(1 / fault.every_s))
            self.begin_ns = now_ns + round(wait_s * SECOND_NS)
        return Turn.ENDED

    def strikes(self) -> bool:
        """Whether it meets this one: by chance, and while its count lasts; counted."""
        fault = self.fault
        if not self.is_on or (fault.count and self.hits >= fault.count):
            return False
        if fault.chance < 1 and self.random.random() >= fault.chance:
            return False
        self.hits += 1
        return True
