"""When ticks are due: `start + n * period`, in integer nanoseconds, and what was skipped."""


class Schedule:
    """The boundaries of one clock. Told the time (monotonic); a step of the wall clock never reaches it."""

    def __init__(self, start_ns: int, period_ns: int) -> None:
        assert period_ns > 0
        self.start_ns = start_ns
        self.period_ns = period_ns
        self.n = -1  # the last boundary taken
        self.skipped = 0  # boundaries that passed untaken, in all

    def due_ns(self, n: int) -> int:
        """When tick `n` is due."""
        return self.start_ns + n * self.period_ns

    @property
    def next_ns(self) -> int:
        """When the next tick is due."""
        return self.due_ns(self.n + 1)

    def begin(self, now_ns: int) -> None:
        """Start at `now_ns`: the first tick is the next boundary; those before it are nobody's."""
        self.n = max(-1, (now_ns - self.start_ns - 1) // self.period_ns)

    def take(self, now_ns: int) -> tuple[int, int] | None:
        """(n, boundaries skipped before it) of the latest boundary that is due, or None if none is."""
        n = (now_ns - self.start_ns) // self.period_ns
        if n <= self.n:
            return None
        missed = n - self.n - 1
        self.n = n
        self.skipped += missed
        return n, missed

    def step(self) -> int:
        """Lockstep: the next boundary, whatever the time."""
        self.n += 1
        return self.n
