"""Schedule: the times at which ticks are due, `start + n * period` in integer nanoseconds; it counts skipped ticks."""


class Schedule:
    """The tick times of one clock. Callers pass a time that follows the monotonic clock, which a wall clock step
    does not change."""

    def __init__(self, start_ns: int, period_ns: int) -> None:
        assert period_ns > 0
        self.start_ns = start_ns
        self.period_ns = period_ns
        self.n = -1  # the last tick
        self.skipped = 0  # ticks that were skipped since the start

    def due_ns(self, n: int) -> int:
        """When tick `n` is due."""
        return self.start_ns + n * self.period_ns

    @property
    def next_ns(self) -> int:
        """When the next tick is due."""
        return self.due_ns(self.n + 1)

    def begin(self, now_ns: int) -> None:
        """Starts at `now_ns`: the first tick is the next one due; earlier ones do not count as skipped."""
        self.n = max(-1, (now_ns - self.start_ns - 1) // self.period_ns)

    def advance(self, now_ns: int) -> tuple[int, int] | None:
        """(n, ticks skipped before it) of the latest tick that is due; None if none is due."""
        n = (now_ns - self.start_ns) // self.period_ns
        if n <= self.n:
            return None
        missed = n - self.n - 1
        self.n = n
        self.skipped += missed
        return n, missed

    def step(self) -> int:
        """Lockstep: the number of the next tick, at any time."""
        self.n += 1
        return self.n
