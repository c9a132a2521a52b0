"""Timers: a heap of calls by due time."""

import heapq
from collections.abc import Callable
from typing import Any

MAX_TIMERS = 100_000  # an actor with more has lost count of them: a bug


class Timers:
    """Calls due at a time; equal times run in the order they were set. Knows no clock: it is told the time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._calls: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, due_ns: int, call: Callable[..., None], *args: Any) -> int:
        """The timer's number, for `cancel`."""
        assert len(self._calls) < MAX_TIMERS, f"over {MAX_TIMERS} timers pending"
        self._count += 1
        self._calls[self._count] = (call, args)
        heapq.heappush(self._heap, (due_ns, self._count))
        return self._count

    def cancel(self, timer: int) -> None:
        """Forget it; harmless if it has run."""
        self._calls.pop(timer, None)

    @property
    def next_ns(self) -> int | None:
        """When the earliest is due."""
        heap = self._heap
        while heap and heap[0][1] not in self._calls:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now_ns: int) -> tuple[Callable[..., None], tuple[Any, ...]] | None:
        """The earliest call that is due, taken off; None if there is none."""
        due_ns = self.next_ns
        if due_ns is None or due_ns > now_ns:
            return None
        return self._calls.pop(heapq.heappop(self._heap)[1])
