"""Throttle: keeps requests within the exchange's own limits, counted by its own headers. O(1) a request."""

from collections.abc import Mapping, Sequence

import msgspec

RESERVED_SHARE = 0.1  # of each pool; urgent requests (cancels, order queries) alone may use it


class Limit(msgspec.Struct, frozen=True):
    """At most `limit` of `kind` ("weight", "orders") in each window of `interval_ns`; `name` identifies the pool."""

    name: str
    kind: str
    limit: int
    interval_ns: int


class Pool:
    """One limit and its use. Windows follow the exchange's clock."""

    __slots__ = ("in_flight", "interval_ns", "kind", "limit", "paused_until_ns", "shared", "used", "window")

    def __init__(self, limit: Limit) -> None:
        self.adopt(limit)
        self.paused_until_ns = 0
        self.window = 0
        self.used = 0
        self.in_flight = 0

    def adopt(self, limit: Limit) -> None:
        """Take over the size of a limit; what is used of it stays."""
        self.kind = limit.kind
        self.limit = limit.limit
        self.shared = int(limit.limit * (1 - RESERVED_SHARE))
        self.interval_ns = limit.interval_ns

    def roll(self, now_ns: int) -> None:
        """Begin a new window if it is time."""
        window = now_ns // self.interval_ns
        if window != self.window:
            self.window = window
            self.used = 0


class Throttle:
    """Each request calls `acquire` first, and `on_answer` (or `release`) after. Times are the exchange's, ns UTC."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.pools = {limit.name: Pool(limit) for limit in limits}
        self._pools = tuple(self.pools.values())
        self.paused_until_ns = 0
        self.refused = 0

    def acquire(self, costs: Mapping[str, int], now_ns: int, urgent: bool = False) -> bool:
        """Reserve `costs` (by kind) for one request; False if it may not leave now."""
        if now_ns < self.paused_until_ns:
            self.refused += 1
            return False
        pools = self._pools
        for pool in pools:
            if now_ns // pool.interval_ns != pool.window:
                pool.roll(now_ns)
            cost = costs.get(pool.kind)
            if cost and (
                now_ns < pool.paused_until_ns
                or pool.used + pool.in_flight + cost > (pool.limit if urgent else pool.shared)
            ):
                self.refused += 1
                return False
        for pool in pools:
            pool.in_flight += costs.get(pool.kind, 0)
        return True

    def on_answer(self, costs: Mapping[str, int], now_ns: int, used: Mapping[str, int]) -> None:
        """Count a request that was answered or failed. `used`: by pool name, the exchange's own count of its window."""
        for name, pool in self.pools.items():
            if now_ns // pool.interval_ns != pool.window:
                pool.roll(now_ns)
            cost = costs.get(pool.kind, 0)
            pool.in_flight = max(0, pool.in_flight - cost)
            pool.used = used[name] if name in used else pool.used + cost

    def release(self, costs: Mapping[str, int]) -> None:
        """Return what was acquired for a request that does not leave."""
        for pool in self._pools:
            pool.in_flight = max(0, pool.in_flight - costs.get(pool.kind, 0))

    def pause(self, until_ns: int) -> None:
        """No request leaves before `until_ns`: the exchange requires it."""
        self.paused_until_ns = max(self.paused_until_ns, until_ns)

    def pause_kind(self, kind: str, until_ns: int) -> None:
        """No request that costs `kind` leaves before `until_ns`."""
        for pool in self._pools:
            if pool.kind == kind:
                pool.paused_until_ns = max(pool.paused_until_ns, until_ns)

    def kind_paused_until_ns(self, kind: str) -> int:
        """Returns until when no request that costs `kind` leaves; 0 if there was no such pause."""
        return max((pool.paused_until_ns for pool in self._pools if pool.kind == kind), default=0)

    def adopt(self, limits: Sequence[Limit]) -> None:
        """Take over the limits that the exchange states. A limit that it does not state stays."""
        for limit in limits:
            pool = self.pools.get(limit.name)
            if pool is None:
                self.pools[limit.name] = Pool(limit)
            else:
                pool.adopt(limit)
        self._pools = tuple(self.pools.values())

    def is_paused(self, now_ns: int) -> bool:
        """Whether a pause lasts at `now_ns`."""
        return now_ns < self.paused_until_ns
