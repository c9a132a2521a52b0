"""Statistics of a tap: messages, rate, lag, losses."""

from actors.tap import Tapped
from monitor.sums import percentile

LAGS_MAX = 100_000


class Meter:
    """Counts messages; `line` is the summary at the end."""

    def __init__(self) -> None:
        self.messages = 0
        self._lags_ms: list[float] = []
        self._max_ms = 0.0

    def add(self, tapped: Tapped) -> None:
        """Counts one message."""
        self.messages += 1
        lag_ms = tapped.lag_ns / 1e6
        self._max_ms = max(self._max_ms, lag_ms)
        if len(self._lags_ms) < LAGS_MAX:
            self._lags_ms.append(lag_ms)

    def line(self, seconds: float, lost: int) -> str:
        """-- 1,204 msgs 5.0s  241/s  lost 0  lag p50 0.3ms p99 1.1ms max 1.9ms"""
        rate = self.messages / seconds if seconds > 0 else 0
        p50, p99 = percentile(self._lags_ms, 0.5), percentile(self._lags_ms, 0.99)
        return (
            f"-- {self.messages:,} msgs {seconds:.1f}s  {rate:.0f}/s  lost {lost}  "
            f"lag p50 {p50:.1f}ms p99 {p99:.1f}ms max {self._max_ms:.1f}ms"
        )
