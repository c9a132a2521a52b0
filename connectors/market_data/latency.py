"""How much later than usual an exchange's news is."""

WINDOW_NS = 60_000_000_000
STEP_NS = 60_000_000_000  # later than this, it is the exchange's clock that was set


class Lag:
    """`excess_ns`: how much later than it could have been the latest news was; `max_ns`: the most so far.

    Fed with (our time, the exchange's time of the news). Their clocks need not agree: only the excess is told.

    The least lag of this window and the one before stands for "at once"; what is above it was under way too long:
    after a freeze of this process, or on a line that cannot keep up.
    """

    __slots__ = ("_before_ns", "_floor_ns", "_least_ns", "_until_ns", "excess_ns", "max_ns", "now_ns")

    def __init__(self) -> None:
        self.now_ns = self.max_ns = self.excess_ns = 0
        self._least_ns = self._before_ns = self._floor_ns = 0
        self._until_ns = 0

    def add(self, recv_ns: int, event_ns: int) -> None:
        """News came."""
        self.now_ns = lag_ns = recv_ns - event_ns
        if lag_ns - self._floor_ns > STEP_NS:
            self._until_ns = 0
        if recv_ns >= self._until_ns:
            self._before_ns = self._least_ns if self._until_ns else lag_ns
            self._least_ns = lag_ns
            self._until_ns = recv_ns + WINDOW_NS
            self._floor_ns = min(self._least_ns, self._before_ns)
        elif lag_ns < self._least_ns:
            self._least_ns = lag_ns
            self._floor_ns = min(lag_ns, self._before_ns)
        self.excess_ns = excess_ns = lag_ns - self._floor_ns
        self.max_ns = max(self.max_ns, excess_ns)
