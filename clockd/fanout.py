"""Fanout: one tick's turns, wave after wave, and no wait for an actor longer than its patience."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from protocol import Tick

if TYPE_CHECKING:
    from actors.runtime import Runtime
    from clockd.members import Member, Members

NEVER_NS = 2**63 - 1


class Fanout:
    """Between `begin` and the call of `finished`, one tick is on its way through the order.

    The marks that come back with TickDone are kept and go out with the next Tick to whoever hears those streams.
    """

    def __init__(
        self, runtime: Runtime, members: Members, period_ns: int, with_marks: bool, finished: Callable[[], Any]
    ) -> None:
        self._runtime = runtime
        self._members = members
        self._period_ns = period_ns
        self._with_marks = with_marks
        self._finished = finished
        self._plan: list[list[Member]] = []  # the waves of this tick; who joins meanwhile comes with the next
        self._wave = 0
        self._open = 0  # how many of the wave have the turn
        self._running = False
        self._watch_ns = NEVER_NS  # when somebody's patience is next looked at
        self.n = -1
        self.due_ns = 0
        self.hops: list[tuple[str, float]] = []
        self.late: list[str] = []
        self.ticks_late = 0

    def begin(self, n: int, due_ns: int) -> None:
        """Start tick `n`."""
        self.n, self.due_ns = n, due_ns
        self.hops, self.late = [], []
        self._plan, self._wave, self._running = list(self._members.waves), 0, True
        self._go_on()

    def _go_on(self) -> None:
        """Give the turn to the next wave in which anybody can be reached; after the last, the tick is over."""
        while self._running and not self._open:
            if self._wave >= len(self._plan):
                self._running = False
                self._finished()
                return
            wave = self._plan[self._wave]
            self._wave += 1
            for member in wave:
                if member.joined:
                    self._give(member)

    def _give(self, member: Member) -> None:
        if member.turn >= 0:  # still late: it is ticked again when it has answered
            self.late.append(member.name)
            return
        if not self._tick(member):
            if not member.absent:
                self._runtime.log.warning("unreachable", member=member.name)
            member.absent = True
            self.late.append(member.name)
            return
        if member.marks:
            member.marks.clear()
        member.absent = False
        member.turn = member.last_n = self.n
        member.sent_ns = self._runtime.mono_ns
        member.has_turn = True
        self._open += 1
        if member.sent_ns + member.patience_ns < self._watch_ns:
            self._watch(member.sent_ns + member.patience_ns)

    def _tick(self, member: Member) -> bool:
        """Send the Tick; False if the member cannot be reached."""
        skipped = self.n - member.last_n - 1 if member.last_n >= 0 else 0
        marks = list(member.marks.values()) if self._with_marks and member.marks else []
        late = [name for name in self.late if name in member.follows] if self.late else []
        if marks or late:
            tick = Tick(self.n, self.due_ns, self._period_ns, marks, skipped, late)
            return self._runtime.tell(member.name, tick)
        return self._runtime.tell_tick(member.name, self.n, self.due_ns, self._period_ns, skipped)

    def bare_done(self, name: str, n: int) -> bool:
        """A TickDone that only tells its `n` came; False if `name` is no member."""
        member = self._members.by_name.get(name)
        if member is None:
            return False
        member.trace = 0
        self.done(member, n)
        return True

    def done(self, member: Member, n: int) -> None:
        """A TickDone came from `member`."""
        if n != member.turn:
            return  # of a turn that is no longer its own
        if member.has_turn:
            self.hops.append((member.name, (self._runtime.mono_ns - member.sent_ns) / 1e3))
        elif member.late:
            self._runtime.log.info("back in time", member=member.name, tick=n)
        self.close(member)

    def close(self, member: Member) -> None:
        """The member's turn is over, one way or the other; if it was the last of its wave, go on."""
        member.turn = -1
        member.late = False
        self._release(member)

    def _release(self, member: Member) -> None:
        if member.has_turn:
            member.has_turn = False
            self._open -= 1
            if not self._open:
                self._go_on()

    def _watch(self, when_ns: int) -> None:
        """Look at `when_ns` who has run out of patience: one timer for all turns, set again as it runs out."""
        self._watch_ns = when_ns
        self._runtime.patience(when_ns - self._runtime.mono_ns, self._look, when_ns)

    def _look(self, when_ns: int) -> None:
        if when_ns != self._watch_ns:
            return  # an earlier one has taken its place
        now_ns = self._runtime.mono_ns
        self._watch_ns = NEVER_NS
        waiting = [member for wave in self._plan for member in wave if member.has_turn]
        for member in waiting:
            if member.sent_ns + member.patience_ns <= now_ns:
                self._give_up(member)
        left = [member.sent_ns + member.patience_ns for wave in self._plan for member in wave if member.has_turn]
        if left and min(left) < self._watch_ns:
            self._watch(min(left))

    def _give_up(self, member: Member) -> None:
        """Go on without it until it answers."""
        if not member.has_turn:
            return
        member.late = True
        self.ticks_late += 1
        self.late.append(member.name)
        patience_ms = member.patience_ns // 1_000_000
        self._runtime.log.warning("late", member=member.name, tick=self.n, patience_ms=patience_ms)
        self._release(member)
