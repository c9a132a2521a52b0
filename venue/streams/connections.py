"""Open websockets: their subscriptions, their outbox, and their pings."""

from collections.abc import Iterator
from heapq import heappop, heappush

import msgspec

from venue.accounts.rate_limits import CountWindow
from venue.accounts.security import AccountKey
from venue.base.units import DAY_NS, MILLISECOND_NS, NEVER_NS, SECOND_NS
from venue.base.wire import CLOSE, PingFrame, Push

MARKET, USER = "market", "user"
NOTICE_NS = 600 * SECOND_NS
"""Time before the end of its 24 hours at which a websocket gets the event `serverShutdown`."""
MAX_LATE = 10_000
"""Maximum number of answers held back at a time."""


class Connection(msgspec.Struct, eq=False):
    """One websocket. `kind` is `market` (streams) or `user` (the websocket API)."""

    conn_id: int
    kind: str
    remote: str
    opened_ns: int
    is_combined: bool = False
    unit_ns: int = MILLISECOND_NS
    returns_limits: bool = True
    streams: dict[str, None] = {}
    key: AccountKey | None = None
    authorized_ns: int = 0
    logon_subscription: int | None = None
    subscriptions: dict[int, str] = {}  # subscription id -> account
    next_subscription: int = 0
    pinged_ns: int = 0
    unanswered: list[tuple[int, bytes]] = []  # pings: time sent, payload
    is_leaving: bool = False  # the event `serverShutdown` was sent
    messages: CountWindow | None = None


class Connections:
    """All open websockets, and the outbox that the driver drains."""

    def __init__(self, ping_interval_s: int, pong_timeout_s: int) -> None:
        self.by_id: dict[int, Connection] = {}
        self.outbox: list[Push] = []
        self.late: list[tuple[int, int, int, bytes]] = []  # a heap: due_ns, order, connection, text
        self._held = 0
        self.silent_until_ns: dict[str, int] = {}  # by kind: until then its streams send nothing
        self.ping_interval_ns = ping_interval_s * SECOND_NS
        self.pong_timeout_ns = pong_timeout_s * SECOND_NS

    def add(self, connection: Connection) -> None:
        connection.pinged_ns = connection.opened_ns
        connection.messages = CountWindow(SECOND_NS)
        self.by_id[connection.conn_id] = connection

    def of_kind(self, kind: str) -> Iterator[Connection]:
        return (c for c in list(self.by_id.values()) if kind in ("all", c.kind))

    def is_silent(self, kind: str, now_ns: int) -> bool:
        return now_ns < self.silent_until_ns.get(kind, 0)

    def send(self, conn_id: int, text: bytes) -> None:
        self.outbox.append((conn_id, text))

    @property
    def next_late_ns(self) -> int:
        """When the next answer that was held back is due."""
        return self.late[0][0] if self.late else NEVER_NS

    def hold_back(self, conn_id: int, text: bytes, due_ns: int) -> None:
        """Sends `text` at `due_ns`. Beyond MAX_LATE the earliest is sent at once."""
        self._held += 1
        heappush(self.late, (due_ns, self._held, conn_id, text))
        if len(self.late) > MAX_LATE:
            self.send(*heappop(self.late)[2:])

    def send_late(self, now_ns: int) -> None:
        """Sends the answers that are due by now."""
        while self.late and self.late[0][0] <= now_ns:
            self.send(*heappop(self.late)[2:])

    def keep_alive(self, now_ns: int) -> list[Connection]:
        """Sends the due pings; returns the websockets to close: a ping timed out, or they are 24 hours old."""
        dead = []
        for connection in self.by_id.values():
            unanswered, age_ns = connection.unanswered, now_ns - connection.opened_ns
            if age_ns > DAY_NS or (unanswered and now_ns - unanswered[0][0] >= self.pong_timeout_ns):
                dead.append(connection)
                continue
            if now_ns - connection.pinged_ns >= self.ping_interval_ns:
                connection.pinged_ns = now_ns
                payload = str(now_ns // MILLISECOND_NS).encode()
                unanswered.append((now_ns, payload))
                self.outbox.append((connection.conn_id, PingFrame(payload)))
            if age_ns > DAY_NS - NOTICE_NS and not connection.is_leaving:
                connection.is_leaving = True
                self.announce_shutdown(connection, now_ns)
        return dead

    def on_pong(self, connection: Connection, payload: bytes | None) -> None:
        """A pong answers the ping with its payload and the earlier ones. None: it answers all."""
        payloads = [sent for _, sent in connection.unanswered]
        if payload is None:
            connection.unanswered.clear()
        elif payload in payloads:
            del connection.unanswered[: payloads.index(payload) + 1]

    def announce_shutdown(self, connection: Connection, now_ns: int) -> None:
        """Sends the event `serverShutdown`, after which clients reconnect."""
        text = b'{"e":"serverShutdown","E":%d}' % (now_ns // connection.unit_ns)
        if connection.kind == USER:
            text = b'{"event":%s}' % text
        elif connection.is_combined:
            text = b'{"stream":"!serverShutdown","data":%s}' % text
        self.send(connection.conn_id, text)

    def request_close(self, conn_id: int) -> None:
        self.outbox.append((conn_id, CLOSE))
