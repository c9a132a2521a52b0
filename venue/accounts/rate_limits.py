"""Rate limits: weight and connections per address, unfilled orders per account, and bans."""

import msgspec

from venue.base import errors
from venue.base.settings import LimitSettings
from venue.base.units import DAY_NS, MINUTE_NS, SECOND_NS

FIRST_BAN_S = 120
LONGEST_BAN_S = 3 * 86_400
MAX_PEERS = 10_000
"""Addresses remembered; older ones are forgotten."""


class Window:
    """A count that falls to zero at each whole multiple of its length."""

    __slots__ = ("count", "length_ns", "number")

    def __init__(self, length_ns: int) -> None:
        self.length_ns = length_ns
        self.number = -1
        self.count = 0

    def now(self, now_ns: int) -> int:
        number = now_ns // self.length_ns
        if number != self.number:
            self.number = number
            self.count = 0
        return self.count

    def add(self, now_ns: int, amount: int) -> int:
        number = now_ns // self.length_ns
        if number != self.number:
            self.number = number
            self.count = 0
        self.count += amount
        return self.count

    def left_s(self, now_ns: int) -> int:
        """Whole seconds until it falls to zero, at least one."""
        return max(1, -(-(self.length_ns - now_ns % self.length_ns) // SECOND_NS))


class Peer:
    """What one address has used."""

    __slots__ = ("ban_s", "banned_until_ns", "connections", "raw", "stubborn", "weight")

    def __init__(self) -> None:
        self.weight = Window(MINUTE_NS)
        self.raw = Window(5 * MINUTE_NS)
        self.connections = Window(5 * MINUTE_NS)
        self.stubborn = 0
        self.banned_until_ns = 0
        self.ban_s = FIRST_BAN_S


class OrderCounts:
    """Unfilled orders of one account: a first fill takes its order out of the count again."""

    __slots__ = ("day", "ten_seconds")

    def __init__(self) -> None:
        self.ten_seconds = Window(10 * SECOND_NS)
        self.day = Window(DAY_NS)


class RateLimit(msgspec.Struct, rename="camel", omit_defaults=True):
    """One row of `rateLimits`, with its count where it tells a state."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int | None = None


class Limits:
    """All counters. Every check takes the time it is made at."""

    def __init__(self, settings: LimitSettings) -> None:
        self.settings = settings
        self.peers: dict[str, Peer] = {}
        self.orders: dict[str, OrderCounts] = {}

    def peer(self, remote: str) -> Peer:
        found = self.peers.get(remote)
        if found is None:
            if len(self.peers) >= MAX_PEERS:
                del self.peers[next(iter(self.peers))]
            found = self.peers[remote] = Peer()
        return found

    def charge(self, remote: str, weight: int, now_ns: int) -> None:
        """Count one request. Raises -1003 with 429, and with 418 for those who go on in spite of it."""
        peer = self.peer(remote)
        if now_ns < peer.banned_until_ns:
            raise self._banned(peer, now_ns)
        used = peer.weight.add(now_ns, weight)
        raw = peer.raw.add(now_ns, 1)
        limit = self.settings.weight_1m
        if used <= limit and raw <= self.settings.raw_requests_5m:
            peer.stubborn = 0
            return
        peer.stubborn += 1
        if peer.stubborn > self.settings.ban_after:
            peer.banned_until_ns = now_ns + peer.ban_s * SECOND_NS
            peer.ban_s = min(LONGEST_BAN_S, peer.ban_s * 2)
            peer.stubborn = 0
            raise self._banned(peer, now_ns)
        text = (
            f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        raise errors.ApiError(-1003, text, 429, retry_after_s=peer.weight.left_s(now_ns))

    def refund(self, remote: str, weight: int, now_ns: int) -> None:
        """Take back the weight of a placement or cancel that succeeded: those weigh nothing."""
        self.peer(remote).weight.add(now_ns, -weight)

    def _banned(self, peer: Peer, now_ns: int) -> errors.ApiError:
        until_ms = peer.banned_until_ns // 1_000_000
        text = (
            f"Way too much request weight used; IP banned until {until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        left_s = max(1, -(-(peer.banned_until_ns - now_ns) // SECOND_NS))
        return errors.ApiError(-1003, text, 418, retry_after_s=left_s)

    def connect(self, remote: str, now_ns: int) -> None:
        """Count a new websocket. Raises -1034 with 429 where the address has opened too many."""
        opened, limit = self.peer(remote).connections, self.settings.connections_5m
        if opened.add(now_ns, 1) > limit:
            text = f"Too many connection attempts from IP; current limit is {limit} per '5 MINUTE'."
            raise errors.ApiError(-1034, text, 429, retry_after_s=opened.left_s(now_ns))

    def counts(self, account: str) -> OrderCounts:
        found = self.orders.get(account)
        if found is None:
            found = self.orders[account] = OrderCounts()
        return found

    def count_order(self, account: str, now_ns: int, orders: int = 1) -> None:
        """Count a new order, or those of a list. Raises -1015 (429) where the account has too many unfilled ones."""
        counts, s = self.counts(account), self.settings
        ten_seconds, day = counts.ten_seconds, counts.day
        if ten_seconds.now(now_ns) + orders > s.orders_10s:
            raise errors.too_many_orders(s.orders_10s, "10 SECOND", ten_seconds.left_s(now_ns))
        if day.now(now_ns) + orders > s.orders_1d:
            raise errors.too_many_orders(s.orders_1d, "1 DAY", day.left_s(now_ns))
        ten_seconds.count += orders
        day.count += orders

    def count_first_fill(self, account: str, now_ns: int, is_maker: bool) -> None:
        """An order has traded for the first time: it is unfilled no more, and a maker's may count for several."""
        counts = self.counts(account)
        credit = self.settings.maker_fill_credit if is_maker else 1
        for window in (counts.ten_seconds, counts.day):
            left = window.now(now_ns) - credit
            window.count = left if left > 0 else 0

    def rows(self, is_websocket: bool) -> list[RateLimit]:
        """As exchangeInfo lists them: the last is of requests over HTTP, of connections for a websocket."""
        s = self.settings
        raw = RateLimit("RAW_REQUESTS", "MINUTE", 5, s.raw_requests_5m)
        return [
            RateLimit("REQUEST_WEIGHT", "MINUTE", 1, s.weight_1m),
            RateLimit("ORDERS", "SECOND", 10, s.orders_10s),
            RateLimit("ORDERS", "DAY", 1, s.orders_1d),
            RateLimit("CONNECTIONS", "MINUTE", 5, s.connections_5m) if is_websocket else raw,
        ]

    def order_rows(self, account: str, now_ns: int) -> list[RateLimit]:
        counts, s = self.counts(account), self.settings
        return [
            RateLimit("ORDERS", "SECOND", 10, s.orders_10s, counts.ten_seconds.now(now_ns)),
            RateLimit("ORDERS", "DAY", 1, s.orders_1d, counts.day.now(now_ns)),
        ]

    def weight_row(self, remote: str, now_ns: int) -> RateLimit:
        used = self.peer(remote).weight.now(now_ns)
        return RateLimit("REQUEST_WEIGHT", "MINUTE", 1, self.settings.weight_1m, used)
