"""Lateness: how much later than usual the exchange's messages arrive."""

WINDOW_NS = 60_000_000_000
STEP_NS = 60_000_000_000  # a message later than this means that the exchange's clock was set


class Lateness:
    """`excess_ns`: how much later than the fastest one the latest message arrived; `max_ns`: the largest excess.

    Fed with (our time, the exchange's time of the message). The two clocks need not agree: only the excess counts.

    The shortest delay of this window and the one before stands for "at once"; the excess above it is time spent
    waiting: after a freeze of this process, or on a connection that cannot keep up.
    """

    __slots__ = ("_before_ns", "_floor_ns", "_least_ns", "_until_ns", "delay_ns", "excess_ns", "max_ns")

    def __init__(self) -> None:
        self.delay_ns = self.max_ns = self.excess_ns = 0
        self._least_ns = self._before_ns = self._floor_ns = 0
        self._until_ns = 0

    def add(self, recv_ns: int, event_ns: int) -> None:
        """Note a message."""
        self.delay_ns = delay_ns = recv_ns - event_ns
        if delay_ns - self._floor_ns > STEP_NS:
            self._until_ns = 0
        if recv_ns >= self._until_ns:
            self._before_ns = self._least_ns if self._until_ns else delay_ns
            self._least_ns = delay_ns
            self._until_ns = recv_ns + WINDOW_NS
            self._floor_ns = min(self._least_ns, self._before_ns)
        elif delay_ns < self._least_ns:
            self._least_ns = delay_ns
            self._floor_ns = min(delay_ns, self._before_ns)
        self.excess_ns = excess_ns = delay_ns - self._floor_ns
        self.max_ns = max(self.max_ns, excess_ns)
