"""Events: the heap of things to happen in virtual time. Nothing here waits; nothing reads a clock."""

import heapq
from collections.abc import Callable
from typing import Any


class Events:
    """Calls ordered by time; those of one time run in the order in which they were added."""

    def __init__(self, start_ns: int) -> None:
        self.now_ns = start_ns
        self.count = 0  # events that have happened
        self._added = 0
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, when_ns: int, call: Callable[..., None], *args: Any) -> None:
        """Adds an event: `call(*args)` at `when_ns`."""
        self._added += 1
        heapq.heappush(self._heap, (when_ns, self._added, call, args))

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> None:
        """Adds an event: `call(*args)`, `delay_ns` from now."""
        self.at(self.now_ns + delay_ns, call, *args)

    # This `while` loop is the whole simulation.
    def run_until(self, end_ns: int, stop: Callable[[], bool] | None = None) -> None:
        """Lets time pass until `end_ns`, or until `stop()` is True after an event."""
        heap = self._heap
        while heap and heap[0][0] <= end_ns:
            self.now_ns, _, call, args = heapq.heappop(heap)
            self.count += 1
            call(*args)
            if stop is not None and stop():
                return
        self.now_ns = max(self.now_ns, end_ns)
