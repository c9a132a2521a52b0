"""The clock: ticks actors one after another, in order, and never waits for one longer than its patience."""

import hashlib
from typing import Any

from actors import Actor
from clockd.members import Member, Members
from clockd.schedule import Schedule
from protocol import Join, Leave, Settings, Tick, TickDone, TickReport, Welcome, topics


class Clock(Actor):
    """One turn after the other: send Tick to a wave, wait for each TickDone, go on to the next wave.

    The marks that come back with TickDone are kept and go out with the next Tick to whoever hears those streams, so
    that at tick n an actor sees at least all that those before it knew when they finished tick n.
    """

    ticks = False

    class Settings(Settings):
        """`order`: waves of actor names. `marks` False switches the barrier off (to show what it is good for)."""

        tick_ms: int = 1000
        order: list[list[str]] = []
        mode: str = "realtime"
        start_ns: int = 0
        marks: bool = True
        ticks_max: int = 0

    def __init__(self, name: str, settings: Any, runtime: Any) -> None:
        super().__init__(name, settings, runtime)
        self._members = Members(settings.order)
        self._schedule = Schedule(settings.start_ns, settings.tick_ms * 1_000_000)
        self._lockstep = settings.mode == "lockstep"
        self._n = -1
        self._due_ns = self._begun_ns = 0
        self._skipped = 0
        self._plan: list[list[Member]] = []  # the waves of this tick; who joins meanwhile comes with the next
        self._wave = 0  # which of them has the turn
        self._open: set[str] = set()  # members of it that have the turn
        self._hops: list[tuple[str, float]] = []
        self._late: list[str] = []
        self._ticks = self._ticks_late = 0
        self._trace = hashlib.blake2b(digest_size=8)
        self._in_tick = False

    def on_start(self) -> None:
        if self._lockstep:
            self._start_when_all_are_here()
            return
        self._schedule.begin(self.now_ns)
        self._sleep()

    # -- who is ticked --------------------------------------------------------------------------------

    def on_join(self, join: Join) -> None:
        known = self._members.by_name.get(join.name)
        if known is not None and known.turn >= 0 and (known.late or known.epoch != join.epoch):
            self._close(known)  # its turn died with its old life, or its TickDone was lost
        if known is None or not known.joined or known.epoch != join.epoch:
            self.log.info("joined", member=join.name, epoch=join.epoch, follows=join.follows)
        member = self._members.join(join)
        if self.runtime.tell(member.name, Welcome(self._n)):
            member.absent = False

    def on_leave(self, leave: Leave) -> None:
        member = self._members.by_name.get(leave.name)
        if member is None or member.epoch != leave.epoch:
            return
        self._close(member)
        self._members.leave(leave.name, leave.epoch)
        member.absent = True
        self.log.info("left", member=leave.name)

    def _start_when_all_are_here(self) -> None:
        here = [member.joined and self.runtime.tell(member.name, Welcome()) for member in self._members]
        if all(here):
            self._begin(self._schedule.step(), 0)
        else:
            self.after(10_000_000, self._start_when_all_are_here)

    # -- a tick ---------------------------------------------------------------------------------------

    def _sleep(self) -> None:
        self.after(max(0, self._schedule.next_ns - self.now_ns), self._wake)

    def _wake(self) -> None:
        taken = self._schedule.take(self.now_ns)
        if taken is None:
            self._sleep()
            return
        self._begin(*taken)

    def _begin(self, n: int, missed: int) -> None:
        self._n, self._skipped, self._due_ns = n, missed, self._schedule.due_ns(n)
        self._begun_ns = self.runtime.mono_ns
        self._hops, self._late = [], []
        self._plan, self._wave = list(self._members.waves), -1
        self._in_tick = True
        self._next_wave()

    def _next_wave(self) -> None:
        """Give the turn to the next wave in which anybody can be reached; after the last, the tick is over."""
        while self._in_tick and not self._open:
            self._wave += 1
            if self._wave >= len(self._plan):
                self._finish()
                return
            for member in self._plan[self._wave]:
                if member.joined:
                    self._give(member)

    def _give(self, member: Member) -> None:
        if member.turn >= 0:  # still late: it is told when it answers
            self._late.append(member.name)
            return
        tick = Tick(
            self._n,
            self._due_ns,
            self._schedule.period_ns,
            list(member.marks.values()) if self.settings.marks else [],
            self._n - member.last_n - 1 if member.last_n >= 0 else 0,
            [name for name in self._late if name in member.follows] if self._late else [],
        )
        if not self.runtime.tell(member.name, tick):
            if not member.absent:
                self.log.warning("unreachable", member=member.name)
            member.absent = True
            self._late.append(member.name)
            return
        member.marks.clear()
        member.absent = False
        member.turn = member.last_n = self._n
        member.sent_ns = self.runtime.mono_ns
        member.timer = self.runtime.patience(member.patience_ns, self._give_up, member)
        self._open.add(member.name)

    def on_tick_done(self, done: TickDone) -> None:
        member = self._members.by_name.get(self.envelope.sender)
        if member is None:
            return
        self._members.mark(done.marks)
        if done.n != member.turn:
            return  # of a turn that is no longer its own
        member.trace = done.trace
        if member.name in self._open:
            self._hops.append((member.name, (self.runtime.mono_ns - member.sent_ns) / 1e3))
        elif member.late:
            self.log.info("back in time", member=member.name, tick=done.n)
        self._close(member)

    def _close(self, member: Member) -> None:
        """The member's turn is over; if it was the last of its wave, go on."""
        self.runtime.chores.cancel(member.timer)
        member.turn = -1
        member.late = False
        if member.name in self._open:
            self._open.discard(member.name)
            if not self._open:
                self._next_wave()

    def _give_up(self, member: Member) -> None:
        """Its patience is over: go on without it until it answers."""
        member.late = True
        self._ticks_late += 1
        self._late.append(member.name)
        self.log.warning("late", member=member.name, tick=self._n, patience_ms=member.patience_ns // 1_000_000)
        self._open.discard(member.name)
        if not self._open:
            self._next_wave()

    def _finish(self) -> None:
        self._in_tick = False
        self._ticks += 1
        if self._lockstep:
            for member in self._members:
                self._trace.update(member.trace.to_bytes(8, "little"))
        mono_ns = self.runtime.mono_ns
        late_by_ns = 0 if self._lockstep else self._begun_ns + self.runtime.anchor_ns - self._due_ns
        report = TickReport(
            self._n, self._due_ns, late_by_ns, mono_ns - self._begun_ns, self._skipped, self._hops, self._late,
            self._ticks, self._schedule.skipped, self._ticks_late, 0,
            int.from_bytes(self._trace.digest(), "little") if self._lockstep else 0,
        )  # fmt: skip
        self.publish(topics.ticks(self.name), report)
        if self.settings.ticks_max and self._ticks >= self.settings.ticks_max:
            self.stop("ticked as often as it was asked to")
        elif self._lockstep:
            self.runtime.effect("_call", self._step)
        else:
            self._sleep()

    def _step(self) -> None:
        self._begin(self._schedule.step(), 0)
