"""FaultScheduler: the active faults, when their windows open and close, which one applies, and the hit counters."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from venue.base.units import NEVER_NS
from venue.faults.active_fault import ActiveFault, Transition
from venue.faults.kinds.catalogue import KINDS, BadFault, shown
from venue.faults.kinds.fault import Fault

MAX_ACTIVE = 1_000
F = TypeVar("F", bound=Fault)


class FaultScheduler:
    """Schedules faults; it applies none. The same faults, seed and requests give the same hits."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.active: list[ActiveFault] = []
        self.counters = dict.fromkeys(KINDS, 0)
        self.next_ns = NEVER_NS
        """When the next window opens or closes, by the exchange's clock."""
        self._last_number = 0

    def transitions(self, now_ns: int) -> Iterator[tuple[ActiveFault, Transition]]:
        """The windows that open or close by now, each to be carried out before the next; drops finished faults."""
        if now_ns < self.next_ns:
            return
        for active in list(self.active):
            while (transition := active.transition(now_ns)) is not None:
                yield active, transition
        self._replace([active for active in self.active if not active.is_finished])

    def add(self, faults: Iterable[Fault], now_ns: int) -> list[int]:
        """Schedules faults from now on; returns their numbers. Raises BadFault beyond MAX_ACTIVE."""
        added = list(faults)
        if len(self.active) + len(added) > MAX_ACTIVE:
            raise BadFault(f"more than {MAX_ACTIVE} faults at once: remove some first")
        numbers = []
        for fault in added:
            self._last_number += 1
            self.active.append(ActiveFault(self._last_number, fault, self.seed, now_ns))
            numbers.append(self._last_number)
        self._replace(self.active)
        return numbers

    def remove(self, numbers: Iterable[int]) -> list[ActiveFault]:
        """Removes faults; returns those whose window was open, now closed."""
        gone = set(numbers)
        removed = [active for active in self.active if active.number in gone]
        self._replace([active for active in self.active if active.number not in gone])
        was_on = [active for active in removed if active.is_on]
        for active in was_on:
            active.is_on = False
        return was_on

    def of_kind(self, kind: type[F]) -> list[ActiveFault]:
        """The active faults of a kind whose window is open."""
        return [active for active in self.active if active.is_on and isinstance(active.fault, kind)]

    def match(self, kind: type[F], is_match: Callable[[Any], bool]) -> ActiveFault | None:
        """The first fault of a kind for which `is_match` is true and that applies now. Counts the hit."""
        for active in self.active:
            if active.is_on and isinstance(active.fault, kind) and is_match(active.fault) and active.try_hit():
                self._count(active)
                return active
        return None

    def count_hit(self, active: ActiveFault) -> None:
        """Counts a fault that takes effect by itself: no request, event or frame triggers it."""
        active.hits += 1
        self._count(active)

    def shown(self) -> dict[str, Any]:
        """The active faults of the catalogue and the hit counters, as the control endpoint shows them."""
        return {
            "active": [
                {"number": active.number, "is_on": active.is_on, "hits": active.hits, **shown(active.fault)}
                for active in self.active
                if active.name in KINDS
            ],
            "counters": self.counters,
        }

    def _count(self, active: ActiveFault) -> None:
        if active.name in self.counters:
            self.counters[active.name] += 1

    def _replace(self, active: list[ActiveFault]) -> None:
        self.active = active
        self.next_ns = min((one.next_ns for one in active), default=NEVER_NS)
