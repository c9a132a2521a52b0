"""Throttle: the exchange's own limits, kept on this side, from its own headers. O(1) a request."""

from collections.abc import Mapping

import msgspec

RESERVED_SHARE = 0.1  # of each pool, for cancels alone


class Limit(msgspec.Struct, frozen=True):
    """At most `limit` of `kind` ("weight", "orders") in each window of `interval_ns`; `name` is the pool's."""

    name: str
    kind: str
    limit: int
    interval_ns: int


class Pool:
    """One limit and what is used of it: in windows that follow the exchange's clock."""

    __slots__ = ("in_flight", "interval_ns", "kind", "limit", "shared", "used", "window")

    def __init__(self, limit: Limit) -> None:
        self.kind = limit.kind
        self.limit = limit.limit
        self.shared = int(limit.limit * (1 - RESERVED_SHARE))
        self.interval_ns = limit.interval_ns
        self.window = 0
        self.used = 0
        self.in_flight = 0

    def roll(self, now_ns: int) -> None:
        window = now_ns // self.interval_ns
        if window != self.window:
            self.window = window
            self.used = 0


class Throttle:
    """Every request asks `take` first, and tells `answered` after. Times are the exchange's."""

    def __init__(self, limits: list[Limit]) -> None:
        self.pools = {limit.name: Pool(limit) for limit in limits}
        self._pools = tuple(self.pools.values())
        self.paused_until_ns = 0
        self.refused = 0

    def take(self, costs: Mapping[str, int], now_ns: int, urgent: bool = False) -> bool:
        """Whether a request of these costs (by kind) may leave now; if so, they are taken."""
        if now_ns < self.paused_until_ns:
            self.refused += 1
            return False
        pools = self._pools
        for pool in pools:
            if now_ns // pool.interval_ns != pool.window:
                pool.roll(now_ns)
            cost = costs.get(pool.kind)
            if cost and pool.used + pool.in_flight + cost > (pool.limit if urgent else pool.shared):
                self.refused += 1
                return False
        for pool in pools:
            pool.in_flight += costs.get(pool.kind, 0)
        return True

    def answered(self, costs: Mapping[str, int], now_ns: int, used: Mapping[str, int]) -> None:
        """An answer came, or none will. `used`: by pool name, what the exchange has counted in its window."""
        for name, pool in self.pools.items():
            pool.roll(now_ns)
            cost = costs.get(pool.kind, 0)
            pool.in_flight = max(0, pool.in_flight - cost)
            pool.used = used[name] if name in used else pool.used + cost

    def return_unused(self, costs: Mapping[str, int]) -> None:
        """What was taken is not used after all."""
        for pool in self._pools:
            pool.in_flight = max(0, pool.in_flight - costs.get(pool.kind, 0))

    def pause(self, until_ns: int) -> None:
        """Nothing leaves before: the exchange said so."""
        self.paused_until_ns = max(self.paused_until_ns, until_ns)

    def is_paused(self, now_ns: int) -> bool:
        return now_ns < self.paused_until_ns
