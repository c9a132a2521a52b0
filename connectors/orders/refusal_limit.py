"""RefusalLimit: counts the orders that the exchange or the connector refused, and stops a storm of them."""

from collections import deque

from actors.effects import Effects

MINUTE_NS = 60_000_000_000
KEPT_MAX = 10_000  # times of refusals of the last minute


class _Recent:
    """Refusals of one kind: their number since the start, their times in the last minute, the latest reason."""

    def __init__(self) -> None:
        self.count = 0
        self.reason = ""
        self.times: deque[int] = deque(maxlen=KEPT_MAX)

    def add(self, reason: str, now_ns: int) -> None:
        self.count += 1
        self.reason = reason
        self.times.append(now_ns)

    def in_minute(self, now_ns: int) -> int:
        while self.times and self.times[0] <= now_ns - MINUTE_NS:
            self.times.popleft()
        return len(self.times)


class RefusalLimit:
    """`per_minute_max`: orders that the exchange may refuse within a minute; then none is placed until fewer were."""

    def __init__(self, fx: Effects, per_minute_max: int) -> None:
        self._fx = fx
        self.per_minute_max = per_minute_max
        self._exchange, self._check = _Recent(), _Recent()
        self.times = self._exchange.times  # of the exchange's refusals; those of the last minute, and some before

    @property
    def by_exchange(self) -> int:
        """Orders that the exchange has refused since the start of the process."""
        return self._exchange.count

    @property
    def by_check(self) -> int:
        """Orders that the connector has refused since the start of the process."""
        return self._check.count

    def refused_by_exchange(self, reason: str) -> None:
        """The exchange has refused an order."""
        self._exchange.add(reason, self._fx.now_ns)
        if self._exchange.in_minute(self._fx.now_ns) == self.per_minute_max:
            self._fx.log.error("too many orders refused", per_minute_max=self.per_minute_max, latest=reason)

    def refused_by_check(self, reason: str) -> None:
        """The connector has refused an order before it was sent."""
        self._check.add(reason, self._fx.now_ns)

    def blocked(self) -> str:
        """Returns why no order may be placed now; "" if one may be."""
        if (
            len(self._exchange.times) < self.per_minute_max
            or self._exchange.in_minute(self._fx.now_ns) < self.per_minute_max
        ):
            return ""
        return (
            f"the exchange refused {len(self._exchange.times)} orders within a minute "
            f"(refused_per_minute_max is {self.per_minute_max}), the latest: {self._exchange.reason}"
        )

    def shown(self) -> list[str]:
        """Returns the refusals of the last minute, for the state of the connector."""
        now_ns, found = self._fx.now_ns, []
        for recent, who in ((self._exchange, "the exchange"), (self._check, "the connector's check")):
            if recent.in_minute(now_ns):
                found.append(f"orders refused by {who} ({recent.count}), the latest: {recent.reason}")
        return found
