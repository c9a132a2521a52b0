"""Rate limits: weight and connections per address, unfilled orders per account, bans."""

import msgspec

from venue.base import api_errors
from venue.base.settings import LimitSettings
from venue.base.units import DAY_NS, MINUTE_NS, SECOND_NS

FIRST_BAN_S = 120
LONGEST_BAN_S = 3 * 86_400
MAX_PEERS = 10_000
"""Maximum number of addresses tracked; the oldest is dropped."""


class CountWindow:
    """A count that is reset at each whole multiple of its length."""

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
        """Whole seconds until the reset, at least one."""
        return max(1, -(-(self.length_ns - now_ns % self.length_ns) // SECOND_NS))


class Peer:
    """The usage of one address."""

    __slots__ = ("after_429", "ban_s", "banned_until_ns", "connections", "raw", "weight")

    def __init__(self) -> None:
        self.weight = CountWindow(MINUTE_NS)
        self.raw = CountWindow(5 * MINUTE_NS)
        self.connections = CountWindow(5 * MINUTE_NS)
        self.after_429 = 0
        self.banned_until_ns = 0
        self.ban_s = FIRST_BAN_S


class OrderCounts:
    """The counts of unfilled orders of one account; the first fill of an order reduces them."""

    __slots__ = ("day", "ten_seconds")

    def __init__(self) -> None:
        self.ten_seconds = CountWindow(10 * SECOND_NS)
        self.day = CountWindow(DAY_NS)


class RateLimit(msgspec.Struct, rename="camel", omit_defaults=True):
    """One row of `rateLimits`, with its count where the current usage is shown."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int | None = None


class RateLimits:
    """All counters. Every check takes the current time."""

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
        """Counts one request. Raises -1003 with 429 beyond the limit, with 418 if requests continue after that."""
        peer = self.peer(remote)
        if now_ns < peer.banned_until_ns:
            raise self._banned(peer, now_ns)
        used = peer.weight.add(now_ns, weight)
        raw = peer.raw.add(now_ns, 1)
        limit = self.settings.weight_1m
        if used <= limit and raw <= self.settings.raw_requests_5m:
            peer.after_429 = 0
            return
        peer.after_429 += 1
        if peer.after_429 > self.settings.ban_after:
            peer.banned_until_ns = now_ns + peer.ban_s * SECOND_NS
            peer.ban_s = min(LONGEST_BAN_S, peer.ban_s * 2)
            peer.after_429 = 0
            raise self._banned(peer, now_ns)
        text = (
            f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        raise api_errors.ApiError(-1003, text, 429, retry_after_s=peer.weight.left_s(now_ns))

    def refund(self, remote: str, weight: int, now_ns: int) -> None:
        """Takes back the weight of a successful placement or cancel, which is free."""
        self.peer(remote).weight.add(now_ns, -weight)

    def _banned(self, peer: Peer, now_ns: int) -> api_errors.ApiError:
        until_ms = peer.banned_until_ns // 1_000_000
        text = (
            f"Way too much request weight used; IP banned until {until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        left_s = max(1, -(-(peer.banned_until_ns - now_ns) // SECOND_NS))
        return api_errors.ApiError(-1003, text, 418, retry_after_s=left_s)

    def connect(self, remote: str, now_ns: int) -> None:
        """Counts a new websocket. Raises -1034 with 429 if the address has opened too many."""
        opened, limit = self.peer(remote).connections, self.settings.connections_5m
        if opened.add(now_ns, 1) > limit:
            text = f"Too many connection attempts from IP; current limit is {limit} per '5 MINUTE'."
            raise api_errors.ApiError(-1034, text, 429, retry_after_s=opened.left_s(now_ns))

    def counts(self, account: str) -> OrderCounts:
        found = self.orders.get(account)
        if found is None:
            found = self.orders[account] = OrderCounts()
        return found

    def count_order(self, account: str, now_ns: int, orders: int = 1) -> None:
        """Counts new orders. Raises -1015 (429) if the account has too many unfilled ones."""
        counts, s = self.counts(account), self.settings
        ten_seconds, day = counts.ten_seconds, counts.day
        if ten_seconds.now(now_ns) + orders > s.orders_10s:
            raise api_errors.too_many_orders(s.orders_10s, "10 SECOND", ten_seconds.left_s(now_ns))
        if day.now(now_ns) + orders > s.orders_1d:
            raise api_errors.too_many_orders(s.orders_1d, "1 DAY", day.left_s(now_ns))
        ten_seconds.count += orders
        day.count += orders

    def count_first_fill(self, account: str, now_ns: int, is_maker: bool) -> None:
        """The first fill of an order reduces the counts: a maker's by `maker_fill_credit`, a taker's by one."""
        counts = self.counts(account)
        credit = self.settings.maker_fill_credit if is_maker else 1
        for window in (counts.ten_seconds, counts.day):
            left = window.now(now_ns) - credit
            window.count = left if left > 0 else 0

    def rows(self, is_websocket: bool) -> list[RateLimit]:
        """As in exchangeInfo; the last row is about requests for HTTP and about connections for a websocket."""
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
