"""StreamFaults: what faults do to frames on their way out, and to whole websockets."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

import msgspec

from venue.base.units import NEVER_NS, SECOND_NS
from venue.base.wire import CLOSE, FREEZE, RESET, Push, Signal
from venue.faults.active_fault import ActiveFault
from venue.faults.kinds import stream_kinds as kinds
from venue.faults.kinds.delays import draw_ns
from venue.faults.scheduler import FaultScheduler
from venue.streams.connections import USER, Connection, Connections

EVENT = b'{"subscriptionId":'
MAX_SWAP_WAIT_NS = SECOND_NS
"""A frame that is to change places with the next one is sent after this time if no frame follows."""
MAX_HELD = 50_000
"""Frames held back at a time; with more the oldest is sent at once."""
NOISE = (b"#!", b"<html>502</html>", b'{"e":"depthUpdate","s":7}', b'{"e":"depthUpdate","U":"x","u":[]}', b"[" * 500)


class _MarketFrame(msgspec.Struct):
    e: str = ""
    s: str = ""
    u: int | None = None
    data: msgspec.Raw = msgspec.Raw()


class _EventKind(msgspec.Struct):
    e: str = ""


class _UserFrame(msgspec.Struct):
    subscriptionId: int
    event: _EventKind


class StreamFaults:
    """`filter` takes the exchange's outgoing frames and returns those to send now; others are held back or dropped."""

    def __init__(
        self, scheduler: FaultScheduler, connections: Connections, close: Callable[[Connection, Signal], None]
    ) -> None:
        self.scheduler = scheduler
        self.connections = connections
        self.close = close
        self.held: list[tuple[int, int, str, Push]] = []  # a heap: due, order, stream to change places in
        self.delayed_until_ns: dict[int, int] = {}  # by websocket: all of its frames wait, in their order
        self.swapped: dict[tuple[int, str], Push] = {}
        self.chosen: dict[int, set[int]] = {}  # by fault: the websockets it applies to
        self.half_open: set[int] = set()
        self._held_count = 0
        self._market_frame = msgspec.json.Decoder(_MarketFrame)
        self._user_frame = msgspec.json.Decoder(_UserFrame)

    @property
    def next_ns(self) -> int:
        return self.held[0][0] if self.held else NEVER_NS

    @property
    def silent_until_ns(self) -> dict[str, int]:
        """By kind of websocket: until when its streams send nothing."""
        return self.connections.silent_until_ns

    def release(self) -> None:
        """Makes everything that was held back due at once, and ends silences."""
        self.held = [(0, n, stream, push) for n, (_, _, stream, push) in enumerate(sorted(self.held))]
        self.delayed_until_ns.clear()
        self.silent_until_ns.clear()

    def hold(self, push: Push, due_ns: int, stream: str = "") -> None:
        """Sends a frame at `due_ns`; with `stream`, after the next frame of that stream if that comes sooner."""
        self._held_count += 1
        heappush(self.held, (due_ns, self._held_count, stream, push))

    def filter(self, outbox: list[Push], now_ns: int) -> list[Push]:
        """What to send now, in order."""
        if not (self.scheduler.active or self.held or self.swapped or self.half_open):
            return outbox
        out: list[Push] = []
        while self.held and (self.held[0][0] <= now_ns or len(self.held) > MAX_HELD):
            _, _, stream, push = heappop(self.held)
            if (not stream or self.swapped.pop((push[0], stream), None) is push) and push[0] not in self.half_open:
                out.append(push)
        for push in outbox:
            self._filter_one(push, now_ns, out)
        return out

    def account_of(self, push: Push) -> tuple[str, str] | None:
        """(account, kind of event) of a user event; None for other frames."""
        conn_id, item = push
        connection = self.connections.by_id.get(conn_id)
        if connection is None or not isinstance(item, bytes) or not item.startswith(EVENT):
            return None
        found = self._user_frame.decode(item)
        return connection.subscriptions.get(found.subscriptionId, ""), found.event.e

    # -- one frame ------------------------------------------------------------------------------------

    def _filter_one(self, push: Push, now_ns: int, out: list[Push]) -> None:
        conn_id, item = push
        if conn_id in self.half_open:
            if item is CLOSE or item is RESET:
                self.half_open.discard(conn_id)
                out.append((conn_id, RESET))
            elif item is FREEZE:
                out.append(push)
            return
        connection = self.connections.by_id.get(conn_id)
        if connection is None or not isinstance(item, bytes):
            out.append(push)
            return
        pushes = self._replacements(connection, push, item, now_ns)
        until_ns = self.delayed_until_ns.get(conn_id, 0)
        for one in pushes:
            if now_ns < until_ns:
                self.hold(one, until_ns)
            else:
                out.append(one)

    def _replacements(self, connection: Connection, push: Push, item: bytes, now_ns: int) -> list[Push]:
        """The frames to send in its place."""
        if connection.kind == USER:
            found = self.account_of(push)
            if found is None:
                return [push]
            account, event = found
            if self._is_stalled(connection, "user"):
                return []
            active = self.scheduler.match(kinds.UserEventFault, lambda fault: fault.matches(account, event))
            stream = "user"
        else:
            symbol, name = self._stream_of(item)
            if not name:
                return [push]
            if self._is_stalled(connection, name):
                return []
            active = self.scheduler.match(kinds.FrameFault, lambda fault: fault.matches(symbol, name))
            stream = f"{symbol}@{name}"
        return self._with_swapped(connection, stream, self._changed(active, stream, push, item, now_ns))

    def _with_swapped(self, connection: Connection, stream: str, pushes: list[Push]) -> list[Push]:
        """The frames, followed by the earlier one that changes places with them."""
        waiting = self.swapped.get((connection.conn_id, stream)) if pushes else None
        if waiting is None or waiting in pushes:
            return pushes
        del self.swapped[connection.conn_id, stream]
        return [*pushes, waiting]

    def _changed(self, active: ActiveFault | None, stream: str, push: Push, item: bytes, now_ns: int) -> list[Push]:
        """What the fault makes of the frame."""
        if active is None:
            return [push]
        fault, conn_id = active.fault, push[0]
        if isinstance(fault, (kinds.UserEventLost, kinds.DeltaLost)):
            return []
        if isinstance(fault, (kinds.UserEventTwice, kinds.DeltaTwice)):
            return [push, push]
        if isinstance(fault, kinds.UserEventLate):
            self.hold(push, now_ns + draw_ns(fault.delay, active.random))
            return []
        if isinstance(fault, kinds.StreamDelay):
            due_ns = now_ns + draw_ns(fault.delay, active.random)
            self.delayed_until_ns[conn_id] = max(self.delayed_until_ns.get(conn_id, 0), due_ns)
            return [push]
        if isinstance(fault, kinds.FrameCorrupt):
            return [(conn_id, corrupted(item, active.random))]
        if (conn_id, stream) in self.swapped:
            return [push]
        self.swapped[conn_id, stream] = push
        self.hold(push, now_ns + MAX_SWAP_WAIT_NS, stream)
        return []

    def _stream_of(self, item: bytes) -> tuple[str, str]:
        """(symbol, stream) of a market frame; ("", "") for answers and frames of other kinds."""
        try:
            row = self._market_frame.decode(item)
            if len(row.data):
                row = self._market_frame.decode(row.data)
        except msgspec.MsgspecError:
            return "", ""
        if row.e:
            return row.s, "depth" if row.e == "depthUpdate" else row.e
        return (row.s, "bookTicker") if row.s and row.u is not None else ("", "")

    # -- whole websockets -----------------------------------------------------------------------------

    def _is_stalled(self, connection: Connection, stream: str) -> bool:
        return any(
            connection.conn_id in self.chosen.get(one.number, ()) and one.fault.stream in ("", stream)  # type: ignore[attr-defined]
            for one in self.scheduler.of_kind(kinds.StreamStall)
        )

    def begin(self, active: ActiveFault) -> bool:
        """A window opens: chooses its websockets. Returns False for a fault of another kind."""
        fault = active.fault
        if isinstance(fault, kinds.Silence):
            self.silent_until_ns[fault.kind] = active.close_ns
            return True
        if not isinstance(fault, kinds.SocketFault):
            return False
        found = [one for one in self.connections.of_kind(fault.kind) if one.conn_id not in self.half_open]
        chosen = {one.conn_id: one for one in found if active.random.random() < fault.chance}
        if not chosen or active.is_used_up:
            return True
        self.scheduler.count_hit(active)
        self.chosen[active.number] = set(chosen)
        if isinstance(fault, kinds.HalfOpen):
            self.connections.outbox += [(conn_id, FREEZE) for conn_id in chosen]
            self.half_open.update(chosen)
        elif isinstance(fault, kinds.SocketDropped):
            for connection in chosen.values():
                self.close(connection, RESET if fault.reset else CLOSE)
        return True

    def end(self, active: ActiveFault, now_ns: int) -> None:
        """The window closes: a silence ends, half-open websockets are reset."""
        fault = active.fault
        if isinstance(fault, kinds.Silence):
            self.silent_until_ns[fault.kind] = min(self.silent_until_ns.get(fault.kind, now_ns), now_ns)
        chosen = self.chosen.pop(active.number, set())
        if isinstance(fault, kinds.HalfOpen):
            for conn_id in sorted(chosen & self.half_open):
                connection = self.connections.by_id.get(conn_id)
                if connection is not None:
                    self.close(connection, RESET)
                else:
                    self.half_open.discard(conn_id)

    def forget(self, conn_id: int) -> None:
        """Forgets a websocket that is gone."""
        self.delayed_until_ns.pop(conn_id, None)
        self.half_open.discard(conn_id)
        for key in [key for key in self.swapped if key[0] == conn_id]:
            del self.swapped[key]

    def close_all(self) -> None:
        for connection in self.connections.of_kind("all"):
            self.close(connection, CLOSE)


def corrupted(text: bytes, random: Random) -> bytes:
    """The frame cut off, or noise in its place."""
    noise = random.choice((b"", *NOISE))
    return noise or text[: random.randrange(1, len(text))]
