"""The clock: ticks actors one after another, in order, every period; accepts joining actors, and reports each tick."""

import hashlib
from typing import Any

from actors import Actor
from actors.effect_queue import EffectQueue
from clockd.fanout import Fanout
from clockd.members import Members
from clockd.schedule import Schedule
from clockd.tick_sender import TickSender
from protocol import Join, Leave, TickDone, TickReport, Welcome, message, topics

START_CHECK_NS = 10_000_000  # lockstep: between two attempts to reach all members before the first tick


class Clock(Actor):
    """At tick n an actor has received all that those before it in the order had published by the end of their turn."""

    ticks = False

    class Settings(message.Settings):
        """`tick_ms`: the period. `order`: waves of actor names. `mode`: "realtime" or "lockstep".

        `start_ns`: UTC time of tick 0. `positions`: False switches the barrier off, to show its effect. `ticks_max`:
        stop after this number of ticks; 0: never.
        """

        tick_ms: int = 1000
        order: list[list[str]] = []
        mode: str = "realtime"
        start_ns: int = 0
        positions: bool = True
        ticks_max: int = 0

    def __init__(self, name: str, settings: Any, effects: EffectQueue) -> None:
        super().__init__(name, settings, effects)
        self._members = Members(settings.order)
        self._schedule = Schedule(settings.start_ns, settings.tick_ms * 1_000_000)
        self._sender = TickSender(name, effects.outbox, effects.sender, effects.clock)
        self._fanout = Fanout(
            effects, self._members, self._sender, effects.clock, period_ns=self._schedule.period_ns,
            sends_positions=settings.positions, finished=self._finished,
        )  # fmt: skip
        self._lockstep = settings.mode == "lockstep"
        self._begun_ns = self._skipped = self._ticks = 0
        self._trace = hashlib.blake2b(digest_size=8)
        # Most TickDones have no positions and take this short way. A subclass that needs each one on on_tick_done sets
        # it to None in its constructor.
        self.on_short_done = self._fanout.on_short_done

    def on_start(self) -> None:
        if self._lockstep:
            self._start_when_all_have_joined()
            return
        self._schedule.begin(self.now_ns)
        self._sleep()

    # -- members --------------------------------------------------------------------------------------

    def on_join(self, join: Join) -> None:
        known = self._members.by_name.get(join.name)
        if known is not None and known.turn >= 0 and (known.late or known.epoch != join.epoch):
            self._fanout.close(known)  # its turn ended with its process, or its TickDone was lost
        if known is None or not known.joined or known.epoch != join.epoch:
            self.log.info("actor joined the tick order", member=join.name, epoch=join.epoch, follows=join.follows)
        member = self._members.join(join)
        if self._sender.send(member.name, Welcome(self._schedule.n)):
            member.absent = False

    def on_leave(self, leave: Leave) -> None:
        member = self._members.by_name.get(leave.name)
        if member is None or member.epoch != leave.epoch:
            return
        self._members.leave(leave.name, leave.epoch)
        self._fanout.close(member)
        member.absent = True
        self.log.info("actor left the tick order", member=leave.name)

    def _start_when_all_have_joined(self) -> None:
        reached = [member.joined and self._sender.send(member.name, Welcome()) for member in self._members]
        if all(reached):
            self._step()
        else:
            self.after(START_CHECK_NS, self._start_when_all_have_joined)

    # -- ticks ----------------------------------------------------------------------------------------

    def _sleep(self) -> None:
        self.after(max(0, self._schedule.next_ns - self.now_ns), self._wake)

    def _wake(self) -> None:
        due = self._schedule.advance(self.now_ns)
        if due is None:
            self._sleep()
        else:
            self._begin(*due)

    def _step(self) -> None:
        self._begin(self._schedule.step(), 0)

    def _begin(self, n: int, missed: int) -> None:
        self._skipped, self._begun_ns = missed, self.now_ns
        self._fanout.begin(n, self._schedule.due_ns(n))

    def on_tick_done(self, done: TickDone) -> None:
        member = self._members.by_name.get(self.envelope.sender)
        if member is not None:
            if done.positions:
                self._members.record(done.positions)
            member.trace = done.trace
            self._fanout.done(member, done.n)

    def _finished(self) -> None:
        """Publishes the report of a tick whose turns are all over, and waits for the next."""
        self._ticks += 1
        fanout, trace = self._fanout, 0
        late_by_ns = self._begun_ns - fanout.due_ns
        if self._lockstep:
            late_by_ns = 0
            traces = [member.trace for member in self._members]
            if any(traces):
                self._trace.update(b"".join(one.to_bytes(8, "little") for one in traces))
            trace = int.from_bytes(self._trace.digest(), "little")
        report = TickReport(
            fanout.n, fanout.due_ns, late_by_ns, self.now_ns - self._begun_ns, self._skipped, fanout.hops, fanout.late,
            self._ticks, self._schedule.skipped, fanout.ticks_late, 0, trace,
        )  # fmt: skip
        self.publish(topics.ticks(self.name), report)
        if self.settings.ticks_max and self._ticks >= self.settings.ticks_max:
            self.stop("`ticks_max` reached")
        elif self._lockstep:
            self.queue(self._step)
        else:
            self._sleep()
