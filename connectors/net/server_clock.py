"""The exchange's time: ours plus an offset, which is the median of several readings."""

from collections import deque
from statistics import median_low

SAMPLES = 5
FRESH_NS = 300_000_000_000  # maximum age of the readings; then they are repeated


class ServerClock:
    """`offset_ns`: how far the exchange's time is ahead of ours.

    Fed with (sent, received, the exchange's time in between); all ns UTC.
    """

    def __init__(self) -> None:
        self.offset_ns = 0
        self.read_ns = 0  # our time of the last reading
        self._offsets: deque[int] = deque(maxlen=SAMPLES)

    @property
    def is_known(self) -> bool:
        """Whether there are enough readings."""
        return len(self._offsets) == SAMPLES

    def add(self, sent_ns: int, received_ns: int, exchange_ns: int) -> None:
        """Add one reading."""
        self._offsets.append(exchange_ns - (sent_ns + received_ns) // 2)
        self.offset_ns = median_low(self._offsets)
        self.read_ns = received_ns

    def reset(self) -> None:
        """Drop the readings, after a refused timestamp or a change of our clock. The offset stays until new ones."""
        self._offsets.clear()

    def is_stale(self, now_ns: int) -> bool:
        """Whether the readings are missing or too old."""
        return not self.is_known or abs(now_ns - self.read_ns) > FRESH_NS
