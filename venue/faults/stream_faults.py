"""Pushes: what faults do to frames on their way out, and to whole websockets."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING

import msgspec

from venue.base.wire import CLOSE, FREEZE, RESET, Push, Signal
from venue.faults.active_fault import NEVER_NS, SECOND_NS, Running
from venue.faults.kinds import streams as kinds
from venue.faults.kinds.delays import draw_ns
from venue.streams.connections import USER, Connection, Connections

if TYPE_CHECKING:
    from venue.faults.scheduler import Weather

EVENT = b'{"subscriptionId":'
SWAP_NS = SECOND_NS
"""A frame that waits to change places with the next is sent after so long, if there is none."""
MAX_HELD = 50_000
"""Frames held back at a time; with more the oldest leaves at once."""
NOISE = (b"#!", b"<html>502</html>", b'{"e":"depthUpdate","s":7}', b'{"e":"depthUpdate","U":"x","u":[]}', b"[" * 500)


class _Market(msgspec.Struct):
    e: str = ""
    s: str = ""
    u: int | None = None
    data: msgspec.Raw = msgspec.Raw()


class _User(msgspec.Struct):
    e: str = ""


class _Event(msgspec.Struct):
    subscriptionId: int
    event: _User


class Pushes:
    """`sift` takes what the exchange sends and gives what leaves now; the rest is held back, or gone."""

    def __init__(self, weather: Weather, connections: Connections, cut: Callable[[Connection, Signal], None]) -> None:
        self.weather = weather
        self.connections = connections
        self.cut = cut
        self.held: list[tuple[int, int, str, Push]] = []  # a heap: due, order, with whose next it changes places
        self.blocked: dict[int, int] = {}  # websocket -> until when all of it waits, in its order
        self.swapped: dict[tuple[int, str], Push] = {}
        self.victims: dict[int, set[int]] = {}  # by fault: the websockets it has chosen
        self.deaf: set[int] = set()  # half-open websockets
        self._held = 0
        self._market = msgspec.json.Decoder(_Market)
        self._event = msgspec.json.Decoder(_Event)

    @property
    def next_ns(self) -> int:
        return self.held[0][0] if self.held else NEVER_NS

    def release(self) -> None:
        """What was held back may all leave at once."""
        self.held = [(0, n, what, push) for n, (_, _, what, push) in enumerate(sorted(self.held))]
        self.blocked.clear()

    def hold(self, push: Push, due_ns: int, what: str = "") -> None:
        """Send it then; or, where it is to change places with the next of `what`, after that if that is sooner."""
        self._held += 1
        heappush(self.held, (due_ns, self._held, what, push))

    def sift(self, outbox: list[Push], now_ns: int) -> list[Push]:
        """What leaves now, in order."""
        if not (self.weather.running or self.held or self.swapped or self.deaf):
            return outbox
        out: list[Push] = []
        while self.held and (self.held[0][0] <= now_ns or len(self.held) > MAX_HELD):
            _, _, what, push = heappop(self.held)
            if (not what or self.swapped.pop((push[0], what), None) is push) and push[0] not in self.deaf:
                out.append(push)
        for push in outbox:
            self._one(push, now_ns, out)
        return out

    def account_of(self, push: Push) -> tuple[str, str] | None:
        """(account, kind of event) of a user event; None for other frames."""
        conn_id, item = push
        connection = self.connections.by_id.get(conn_id)
        if connection is None or not isinstance(item, bytes) or not item.startswith(EVENT):
            return None
        found = self._event.decode(item)
        return connection.subscriptions.get(found.subscriptionId, ""), found.event.e

    # -- one frame ------------------------------------------------------------------------------------

    def _one(self, push: Push, now_ns: int, out: list[Push]) -> None:
        conn_id, item = push
        if conn_id in self.deaf:
            if item is CLOSE or item is RESET:
                self.deaf.discard(conn_id)
                out.append((conn_id, RESET))
            elif item is FREEZE:
                out.append(push)
            return
        connection = self.connections.by_id.get(conn_id)
        if connection is None or not isinstance(item, bytes):
            out.append(push)
            return
        pushes = self._struck(connection, push, item, now_ns)
        until_ns = self.blocked.get(conn_id, 0)
        for one in pushes:
            if now_ns < until_ns:
                self.hold(one, until_ns)
            else:
                out.append(one)

    def _struck(self, connection: Connection, push: Push, item: bytes, now_ns: int) -> list[Push]:
        """The frames that take its place."""
        if connection.kind == USER:
            found = self.account_of(push)
            if found is None:
                return [push]
            account, event = found
            if self._is_stalled(connection, "user"):
                return []
            one = self.weather.meet(kinds.UserEventFault, lambda fault: fault.meets(account, event))
            what = "user"
        else:
            symbol, stream = self._stream_of(item)
            if not stream:
                return [push]
            if self._is_stalled(connection, stream):
                return []
            one = self.weather.meet(kinds.FrameFault, lambda fault: fault.meets(symbol, stream))
            what = f"{symbol}@{stream}"
        return self._follow(connection, what, self._spoiled(one, what, push, item, now_ns))

    def _follow(self, connection: Connection, what: str, pushes: list[Push]) -> list[Push]:
        """After a frame comes the one that changes places with it."""
        waiting = self.swapped.get((connection.conn_id, what)) if pushes else None
        if waiting is None or waiting in pushes:
            return pushes
        del self.swapped[connection.conn_id, what]
        return [*pushes, waiting]

    def _spoiled(self, one: Running | None, what: str, push: Push, item: bytes, now_ns: int) -> list[Push]:
        if one is None:
            return [push]
        fault, conn_id = one.fault, push[0]
        if isinstance(fault, (kinds.UserEventLost, kinds.DiffLost)):
            return []
        if isinstance(fault, (kinds.UserEventTwice, kinds.DiffTwice)):
            return [push, push]
        if isinstance(fault, kinds.UserEventLate):
            self.hold(push, now_ns + draw_ns(fault.delay, one.random))
            return []
        if isinstance(fault, kinds.StreamDelay):
            due_ns = now_ns + draw_ns(fault.delay, one.random)
            self.blocked[conn_id] = max(self.blocked.get(conn_id, 0), due_ns)
            return [push]
        if isinstance(fault, kinds.FrameCorrupt):
            return [(conn_id, corrupted(item, one.random))]
        if (conn_id, what) in self.swapped:
            return [push]
        self.swapped[conn_id, what] = push
        self.hold(push, now_ns + SWAP_NS, what)
        return []

    def _stream_of(self, item: bytes) -> tuple[str, str]:
        """(symbol, stream) of a market frame; ("", "") for answers and frames of other kinds."""
        try:
            row = self._market.decode(item)
            if len(row.data):
                row = self._market.decode(row.data)
        except msgspec.MsgspecError:
            return "", ""
        if row.e:
            return row.s, "depth" if row.e == "depthUpdate" else row.e
        return (row.s, "bookTicker") if row.s and row.u is not None else ("", "")

    # -- whole websockets -----------------------------------------------------------------------------

    def _is_stalled(self, connection: Connection, stream: str) -> bool:
        return any(
            connection.conn_id in self.victims.get(one.number, ()) and one.fault.stream in ("", stream)  # type: ignore[attr-defined]
            for one in self.weather.of(kinds.StreamStall)
        )

    def began(self, one: Running) -> bool:
        """A window opens, and websockets are chosen; False if the fault is not of websockets."""
        fault = one.fault
        if not isinstance(fault, kinds.SocketFault):
            return False
        found = [c for c in self.connections.of_kind(fault.kind) if c.conn_id not in self.deaf]
        chosen = {c.conn_id: c for c in found if one.random.random() < fault.chance}
        if not chosen or (fault.count and one.hits >= fault.count):
            return True
        self.weather.struck(one)
        self.victims[one.number] = set(chosen)
        if isinstance(fault, kinds.HalfOpen):
            self.connections.outbox += [(conn_id, FREEZE) for conn_id in chosen]
            self.deaf.update(chosen)
        elif isinstance(fault, kinds.SocketDropped):
            for connection in chosen.values():
                self.cut(connection, RESET if fault.reset else CLOSE)
        return True

    def ended(self, one: Running) -> None:
        """Its window closes: half-open websockets are reset at last."""
        chosen = self.victims.pop(one.number, set())
        if isinstance(one.fault, kinds.HalfOpen):
            for conn_id in sorted(chosen & self.deaf):
                connection = self.connections.by_id.get(conn_id)
                if connection is not None:
                    self.cut(connection, RESET)
                else:
                    self.deaf.discard(conn_id)

    def forget(self, conn_id: int) -> None:
        """The websocket is gone."""
        self.blocked.pop(conn_id, None)
        self.deaf.discard(conn_id)
        for key in [key for key in self.swapped if key[0] == conn_id]:
            del self.swapped[key]

    def cut_all(self) -> None:
        for connection in self.connections.of_kind("all"):
            self.cut(connection, CLOSE)


def corrupted(text: bytes, random: Random) -> bytes:
    """The frame cut off, or something else in its place."""
    noise = random.choice((b"", *NOISE))
    return noise or text[: random.randrange(1, len(text))]
