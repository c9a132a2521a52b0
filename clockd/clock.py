"""The clock: ticks actors one after another, in order, every period; takes in who joins, and reports each tick."""

import hashlib
from typing import Any

from actors import Actor
from clockd.fanout import Fanout
from clockd.members import Members
from clockd.schedule import Schedule
from protocol import Join, Leave, Settings, TickDone, TickReport, Welcome, topics


class Clock(Actor):
    """At tick n an actor sees at least all that those before it in the order knew when they finished tick n."""

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
        self._fanout = Fanout(runtime, self._members, self._schedule.period_ns, settings.marks, self._finished)
        self._lockstep = settings.mode == "lockstep"
        self._begun_ns = self._skipped = self._ticks = 0
        self._trace = hashlib.blake2b(digest_size=8)

    def on_start(self) -> None:
        # What most TickDones are does not come by on_tick_done: a subclass that looks at each clears this.
        self.runtime.bare_done = self._fanout.bare_done
        if self._lockstep:
            self._start_when_all_are_here()
            return
        self._schedule.begin(self.now_ns)
        self._sleep()

    # -- who is ticked --------------------------------------------------------------------------------

    def on_join(self, join: Join) -> None:
        known = self._members.by_name.get(join.name)
        if known is not None and known.turn >= 0 and (known.late or known.epoch != join.epoch):
            self._fanout.close(known)  # its turn died with its old life, or its TickDone was lost
        if known is None or not known.joined or known.epoch != join.epoch:
            self.log.info("joined", member=join.name, epoch=join.epoch, follows=join.follows)
        member = self._members.join(join)
        if self.runtime.tell(member.name, Welcome(self._schedule.n)):
            member.absent = False

    def on_leave(self, leave: Leave) -> None:
        member = self._members.by_name.get(leave.name)
        if member is None or member.epoch != leave.epoch:
            return
        self._members.leave(leave.name, leave.epoch)
        self._fanout.close(member)
        member.absent = True
        self.log.info("left", member=leave.name)

    def _start_when_all_are_here(self) -> None:
        here = [member.joined and self.runtime.tell(member.name, Welcome()) for member in self._members]
        if all(here):
            self._step()
        else:
            self.after(10_000_000, self._start_when_all_are_here)

    # -- ticks ----------------------------------------------------------------------------------------

    def _sleep(self) -> None:
        self.after(max(0, self._schedule.next_ns - self.now_ns), self._wake)

    def _wake(self) -> None:
        taken = self._schedule.take(self.now_ns)
        if taken is None:
            self._sleep()
        else:
            self._begin(*taken)

    def _step(self) -> None:
        self._begin(self._schedule.step(), 0)

    def _begin(self, n: int, missed: int) -> None:
        self._skipped, self._begun_ns = missed, self.runtime.mono_ns
        self._fanout.begin(n, self._schedule.due_ns(n))

    def on_tick_done(self, done: TickDone) -> None:
        member = self._members.by_name.get(self.envelope.sender)
        if member is not None:
            if done.marks:
                self._members.mark(done.marks)
            member.trace = done.trace
            self._fanout.done(member, done.n)

    def _finished(self) -> None:
        """Every turn of the tick has been taken or given up: report it, and wait for the next."""
        self._ticks += 1
        fanout, mono_ns, trace = self._fanout, self.runtime.mono_ns, 0
        late_by_ns = self._begun_ns + self.runtime.anchor_ns - fanout.due_ns
        if self._lockstep:
            late_by_ns = 0
            traces = [member.trace for member in self._members]
            if any(traces):
                self._trace.update(b"".join(one.to_bytes(8, "little") for one in traces))
            trace = int.from_bytes(self._trace.digest(), "little")
        report = TickReport(
            fanout.n, fanout.due_ns, late_by_ns, mono_ns - self._begun_ns, self._skipped, fanout.hops, fanout.late,
            self._ticks, self._schedule.skipped, fanout.ticks_late, 0, trace,
        )  # fmt: skip
        self.publish(topics.ticks(self.name), report)
        if self.settings.ticks_max and self._ticks >= self.settings.ticks_max:
            self.stop("ticked as often as it was asked to")
        elif self._lockstep:
            self.runtime.effect("_call", self._step)
        else:
            self._sleep()
