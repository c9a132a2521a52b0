"""Suspension: notices that the machine was suspended, from a total that only grows."""

from collections.abc import Callable

CHECK_NS = 250_000_000  # between two checks while no order is placed
SHORTEST_NS = 1_000_000_000  # a shorter one is not distinguished from the reading of two clocks


class Suspension:
    """`total_ns()` returns how long the machine was suspended since the process started."""

    def __init__(self, total_ns: Callable[[], int]) -> None:
        self._total_ns = total_ns
        self._seen_ns = total_ns()

    def check(self) -> int:
        """Returns the duration in ns of a suspension, once; 0 if there was none since the last check."""
        duration_ns = self._total_ns() - self._seen_ns
        if duration_ns < SHORTEST_NS:
            return 0
        self._seen_ns += duration_ns
        return duration_ns
