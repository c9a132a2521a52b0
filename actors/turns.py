"""Turns: joining the clock's order, holding a Tick until its marks are seen, and handing the turn back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.inbox import StreamIn
from protocol import Join, Leave, StreamPosition, Tick, TickDone

if TYPE_CHECKING:
    from actors.runtime import Runtime

JOIN_NS = 50_000_000  # between tries to reach a clock that is not there
JOIN_AGAIN_NS = 500_000_000
UNTICKED_NS = 2_000_000_000  # so long without a Tick (or three periods): ask to be ticked again


class Turns:
    """The runtime's dealings with the clock."""

    def __init__(self, runtime: "Runtime", clock: str, patience_ms: int, mark_wait_ms: int) -> None:
        self._runtime = runtime
        self._clock = clock
        self._patience_ms = patience_ms
        self._mark_wait_ns = mark_wait_ms * 1_000_000
        self.reply: Callable[[str, bytes], bool] = runtime.port.reply
        self.ticks = 0
        self.early = 0  # marks that were not seen when on_tick ran
        self.held: Tick | None = None
        self._held_peer = ""
        self._held_since_ns = 0
        self._behind: dict[str, StreamPosition] = {}
        self._deadline = 0
        self._ticked_ns = 0
        self._period_ns = 0
        self._started = False
        self._joined = False
        self._asked = runtime.outbox.stream(f"join.{runtime.name}.{clock}.", marked=False)
        self._done = runtime.outbox.stream(f"done.{runtime.name}.{clock}.", marked=False)

    # -- joining --------------------------------------------------------------------------------------

    def start(self) -> None:
        if self._runtime.actor.ticks and self._clock:
            self._started = True
            self._look()

    def rejoin(self) -> None:
        """What this actor hears has changed: the clock must know, to forward the right marks."""
        self._joined = False
        if self._started:
            self._join()

    def leave(self) -> None:
        if self._started:
            self._started = False
            self._tell(Leave(self._runtime.name, self._runtime.epoch))

    def _look(self) -> None:
        """Ask to be ticked for as long as that does not happen."""
        if not self._started:
            return
        runtime = self._runtime
        quiet_ns = max(UNTICKED_NS, 3 * self._period_ns)
        if not self._joined or runtime.mono_ns - self._ticked_ns > quiet_ns:
            self._join()
        runtime.chores.add(runtime.mono_ns + (JOIN_AGAIN_NS if self._joined else JOIN_NS), self._look)

    def _join(self) -> None:
        runtime = self._runtime
        if runtime.lockstep and not runtime.streams.synced:
            # A lockstep run begins when everybody has heard where everything stands, so that reruns begin alike.
            runtime.chores.add(runtime.mono_ns + 20_000_000, self._join)
            return
        prefixes = list(runtime.inbox.prefixes)
        self._joined = self._tell(Join(runtime.name, runtime.epoch, runtime.follows, prefixes, self._patience_ms))

    def _tell(self, message: Join | Leave) -> bool:
        runtime = self._runtime
        data = runtime.outbox.pack(self._asked, runtime.actor.now_ns, message)
        if not runtime.port.send(self._clock, data):
            return False
        runtime.outbox.commit(self._asked, data)
        return True

    # -- turns ----------------------------------------------------------------------------------------

    def take(self, tick: Tick, peer: str) -> None:
        """A Tick came: run it now, or hold it until all of its marks are seen, at most for the mark wait."""
        runtime = self._runtime
        self._ticked_ns, self._period_ns = runtime.mono_ns, tick.period_ns
        if tick.marks or self.held is not None:
            behind = runtime.inbox.behind(tick.marks)
            if self.held is not None:  # the clock has given up on that one; what it waited for still counts
                behind = runtime.inbox.behind(list(self._behind.values())) | behind
                runtime.chores.cancel(self._deadline)
            if behind:
                self.held, self._held_peer, self._behind = tick, peer, behind
                self._held_since_ns = runtime.mono_ns
                self._deadline = runtime.chores.add(runtime.mono_ns + self._mark_wait_ns, self._give_up)
                return
        self.held = None
        self._run(tick, peer, 0)

    def seen(self, stream: StreamIn) -> None:
        """A stream moved while a Tick is held."""
        mark = self._behind.get(stream.topic)
        if mark is None or not stream.live or (stream.epoch, stream.seq) < (mark[1], mark[2]):
            return
        del self._behind[stream.topic]
        if not self._behind:
            self._runtime.chores.cancel(self._deadline)
            self._release([])

    def _give_up(self) -> None:
        stale = sorted(self._behind)
        self.early += len(stale)
        self._runtime.log.warning("marks not seen", tick=self.held.n if self.held else 0, topics=stale)
        for topic in stale:
            self._runtime.streams.resync(topic)
        self._release(stale)

    def _release(self, stale: list[str]) -> None:
        tick, self.held = self.held, None
        self._behind = {}
        if tick is None:
            return
        if stale:
            tick = Tick(tick.n, tick.time_ns, tick.period_ns, tick.marks, tick.skipped, tick.late, stale)
        self._run(tick, self._held_peer, self._runtime.mono_ns - self._held_since_ns)

    def _run(self, tick: Tick, peer: str, waited_ns: int) -> None:
        runtime = self._runtime
        if runtime.lockstep:
            runtime.advance(tick.time_ns)
        self.ticks += 1
        runtime.actor.on_tick(tick)
        runtime.perform()
        outbox = runtime.outbox
        marks, done, ts_ns = outbox.take_marks(), self._done, runtime.mono_ns + runtime.anchor_ns
        if marks or tick.n < 0:
            data = outbox.pack(done, ts_ns, TickDone(tick.n, marks, waited_ns, outbox.trace, self.early))
        else:
            trace, seq = outbox.trace, done.seq + 1
            data = runtime.bare.done_frame(done.prefix, runtime.epoch, seq, ts_ns, tick.n, waited_ns, trace, self.early)
        if self.reply(peer, data):
            outbox.commit(done, data)
