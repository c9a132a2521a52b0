"""Fanout: one tick's turns, wave after wave. An actor is waited for at most as long as its patience."""

from collections.abc import Callable
from typing import Any

from actors.actor_clock import ActorClock
from actors.effects import Effects
from clockd.members import Member, Members
from clockd.tick_sender import TickSender
from protocol import Tick

NEVER_NS = 2**63 - 1


class Fanout:
    """Gives each member its turn. A tick begins with `begin` and ends with the call of `finished`.

    The positions that come back with TickDone are kept, and go out with the next Tick to the subscribers of these
    streams.
    """

    def __init__(
        self,
        effects: Effects,
        members: Members,
        sender: TickSender,
        clock: ActorClock,
        *,
        period_ns: int,
        sends_positions: bool,
        finished: Callable[[], Any],
    ) -> None:
        self._effects = effects
        self._members = members
        self._sender = sender
        self._clock = clock
        self._period_ns = period_ns
        self._sends_positions = sends_positions
        self._finished = finished
        self._plan: list[list[Member]] = []  # the waves of this tick; an actor that joins meanwhile is in the next
        self._wave = 0
        self._open = 0  # number of members of the wave that have the turn
        self._running = False
        self._timer_ns = NEVER_NS  # when the turns are next checked for patience
        self.n = -1
        self.due_ns = 0
        self.hops: list[tuple[str, float]] = []
        self.late: list[str] = []
        self.ticks_late = 0

    def begin(self, n: int, due_ns: int) -> None:
        """Starts tick `n`."""
        self.n, self.due_ns = n, due_ns
        self.hops, self.late = [], []
        self._plan, self._wave, self._running = list(self._members.waves), 0, True
        self._next_wave()

    def _next_wave(self) -> None:
        """Gives the turn to the next wave that has a member that can be reached; after the last, the tick is over."""
        while self._running and not self._open:
            if self._wave >= len(self._plan):
                self._running = False
                self._finished()
                return
            wave = self._plan[self._wave]
            self._wave += 1
            for member in wave:
                if member.joined:
                    self._give_turn(member)

    def _give_turn(self, member: Member) -> None:
        if member.turn >= 0:  # still late: it gets no further Tick before it has answered
            self.late.append(member.name)
            return
        if not self._send_tick(member):
            if not member.absent:
                self._effects.log.warning("actor is unreachable", member=member.name)
            member.absent = True
            self.late.append(member.name)
            return
        if member.positions:
            member.positions.clear()
        member.absent = False
        member.turn = member.last_n = self.n
        member.sent_ns = self._clock.mono_ns
        member.has_turn = True
        self._open += 1
        if member.sent_ns + member.patience_ns < self._timer_ns:
            self._set_timer(member.sent_ns + member.patience_ns)

    def _send_tick(self, member: Member) -> bool:
        """Sends the Tick; False if the member cannot be reached."""
        skipped = self.n - member.last_n - 1 if member.last_n >= 0 else 0
        positions = list(member.positions.values()) if self._sends_positions and member.positions else []
        late = [name for name in self.late if name in member.follows] if self.late else []
        if positions or late:
            tick = Tick(self.n, self.due_ns, self._period_ns, positions, skipped, late)
            return self._sender.send(member.name, tick)
        return self._sender.send_tick(member.name, self.n, self.due_ns, self._period_ns, skipped)

    def on_short_done(self, name: str, n: int) -> bool:
        """Takes a TickDone that contains only its `n`; False if `name` is not a member."""
        member = self._members.by_name.get(name)
        if member is None:
            return False
        member.trace = 0
        self.done(member, n)
        return True

    def done(self, member: Member, n: int) -> None:
        """Takes the TickDone of `member` for tick `n`."""
        if n != member.turn:
            return  # of a turn that it no longer has
        if member.has_turn:
            self.hops.append((member.name, (self._clock.mono_ns - member.sent_ns) / 1e3))
        elif member.late:
            self._effects.log.info("actor is no longer late", member=member.name, tick=n)
        self.close(member)

    def close(self, member: Member) -> None:
        """Ends the member's turn; if it was the last of its wave, the next wave begins."""
        member.turn = -1
        member.late = False
        self._release(member)

    def _release(self, member: Member) -> None:
        if member.has_turn:
            member.has_turn = False
            self._open -= 1
            if not self._open:
                self._next_wave()

    def _set_timer(self, when_ns: int) -> None:
        """Checks all turns at `when_ns` for patience: one timer for all, set again when it runs out."""
        self._timer_ns = when_ns
        self._effects.after(when_ns - self._clock.mono_ns, self._on_timer, when_ns)

    def _on_timer(self, when_ns: int) -> None:
        if when_ns != self._timer_ns:
            return  # an earlier timer has replaced it
        now_ns = self._clock.mono_ns
        self._timer_ns = NEVER_NS
        waiting = [member for wave in self._plan for member in wave if member.has_turn]
        for member in waiting:
            if member.sent_ns + member.patience_ns <= now_ns:
                self._give_up(member)
        left = [member.sent_ns + member.patience_ns for wave in self._plan for member in wave if member.has_turn]
        if left and min(left) < self._timer_ns:
            self._set_timer(min(left))

    def _give_up(self, member: Member) -> None:
        """Continues without the member until it answers."""
        if not member.has_turn:
            return
        member.late = True
        self.ticks_late += 1
        self.late.append(member.name)
        patience_ms = member.patience_ns // 1_000_000
        self._effects.log.warning("actor is late", member=member.name, tick=self.n, patience_ms=patience_ms)
        self._release(member)
