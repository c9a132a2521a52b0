"""Timers: calls ordered by due time, in a heap."""

import heapq
from collections.abc import Callable
from typing import Any

MAX_TIMERS = 100_000  # of one actor; more are a bug
NEVER_NS = 2**63 - 1


class Timers:
    """Calls due at a time; equal times run in the order they were set. It reads no clock: the time is a parameter.

    `due_ns`: no call is due before it (NEVER_NS if there is none).
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._calls: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}
        self._count = 0
        self.due_ns = NEVER_NS

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, due_ns: int, call: Callable[..., None], *args: Any) -> int:
        """Adds a timer. Returns its number, for `cancel`."""
        assert len(self._calls) < MAX_TIMERS, f"over {MAX_TIMERS} timers pending"
        self._count += 1
        self._calls[self._count] = (call, args)
        heapq.heappush(self._heap, (due_ns, self._count))
        self.due_ns = min(self.due_ns, due_ns)
        return self._count

    def cancel(self, timer: int) -> None:
        """Cancels a timer; has no effect if it has run."""
        if self._calls.pop(timer, None) is not None and not self._calls:
            self._heap.clear()
            self.due_ns = NEVER_NS

    @property
    def next_ns(self) -> int | None:
        """The due time of the earliest timer; None if there is none."""
        self._trim()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ns: int) -> tuple[Callable[..., None], tuple[Any, ...]] | None:
        """Removes and returns the earliest call that is due; None if there is none."""
        if now_ns < self.due_ns:
            return None
        self._trim()
        due = None
        if self._heap and self._heap[0][0] <= now_ns:
            due = self._calls.pop(heapq.heappop(self._heap)[1])
            self._trim()
        self.due_ns = self._heap[0][0] if self._heap else NEVER_NS
        return due

    def _trim(self) -> None:
        """Removes cancelled timers from the top of the heap."""
        heap = self._heap
        while heap and heap[0][1] not in self._calls:
            heapq.heappop(heap)
