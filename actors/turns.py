"""Turns: joins the clock's order, holds a Tick until the streams have reached its positions, and returns the turn."""

from collections.abc import Callable
from typing import NamedTuple

from actors.dispatcher import Dispatcher
from actors.effect_queue import EffectQueue
from actors.inbox import Inbox, StreamIn
from actors.sender import Sender
from actors.streams import Streams
from actors.timers import Timers
from protocol import Join, Leave, StreamPosition, Tick, TickDone
from protocol.tick_codec import TICK_CODEC

JOIN_NS = 50_000_000  # between attempts while the clock cannot be reached
JOIN_AGAIN_NS = 500_000_000
LOCKSTEP_JOIN_NS = 20_000_000
UNTICKED_NS = 2_000_000_000  # without a Tick for longer than this (or three periods), join again


class TurnSettings(NamedTuple):
    """`clock`: the clock's name, empty if the actor is not ticked. `patience_ms`: how long the clock waits for a turn.
    `position_wait_ms`: how long a Tick is held for streams that are behind it."""

    clock: str
    patience_ms: int
    position_wait_ms: int


class Turns:
    """One actor's side of the clock's protocol: Join, Tick, TickDone, Leave."""

    def __init__(
        self,
        effects: EffectQueue,
        settings: TurnSettings,
        *,
        inbox: Inbox,
        streams: Streams,
        sender: Sender,
        dispatcher: Dispatcher,
        timers: Timers,
        on_tick: Callable[[Tick], object],
    ) -> None:
        self._effects = effects
        self._clock = effects.clock
        self._outbox = effects.outbox
        self._inbox = inbox
        self._streams = streams
        self._sender = sender
        self._dispatcher = dispatcher
        self._timers = timers  # in the driver's time
        self._on_tick = on_tick
        self._codec = TICK_CODEC
        self._clock_name = settings.clock
        self._patience_ms = settings.patience_ms
        self._position_wait_ns = settings.position_wait_ms * 1_000_000
        self.ticks = 0
        self.positions_missed = 0  # streams that were behind a Tick when on_tick ran
        self.held: Tick | None = None
        self._held_peer = ""
        self._held_since_ns = 0
        self._behind: dict[str, StreamPosition] = {}
        self._deadline = 0
        self._ticked_ns = 0
        self._period_ns = 0
        self._started = False
        self._joined = False
        self._joins = self._outbox.stream(f"join.{effects.name}.{settings.clock}.", False)
        self._dones = self._outbox.stream(f"done.{effects.name}.{settings.clock}.", False)

    # -- joining --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to join, and goes on until this actor is ticked."""
        if self._clock_name:
            self._started = True
            self._on_timer()

    def rejoin(self) -> None:
        """Joins again after the subscriptions have changed: the clock forwards the positions of subscribed streams."""
        self._joined = False
        if self._started:
            self._join()

    def leave(self) -> None:
        """Leaves the clock's order for good."""
        if self._started:
            self._started = False
            self._sender.send(self._clock_name, self._joins, Leave(self._effects.name, self._effects.epoch))

    def _on_timer(self) -> None:
        """Joins again while no Tick comes."""
        if not self._started:
            return
        now_ns = self._clock.mono_ns
        quiet_ns = max(UNTICKED_NS, 3 * self._period_ns)
        if not self._joined or now_ns - self._ticked_ns > quiet_ns:
            self._join()
        self._timers.add(now_ns + (JOIN_AGAIN_NS if self._joined else JOIN_NS), self._on_timer)

    def _join(self) -> None:
        effects = self._effects
        if self._clock.lockstep and not self._streams.synced:
            # A lockstep run begins when each actor has all snapshots of what it follows, so that reruns begin alike.
            self._timers.add(self._clock.mono_ns + LOCKSTEP_JOIN_NS, self._join)
            return
        prefixes = list(self._inbox.prefixes)
        join = Join(effects.name, effects.epoch, effects.follows, prefixes, self._patience_ms)
        self._joined = self._sender.send(self._clock_name, self._joins, join)

    # -- turns ----------------------------------------------------------------------------------------

    def on_tick(self, tick: Tick, peer: str) -> None:
        """Takes a Tick: runs it now, or holds it until its positions are reached, at most for the position wait."""
        now_ns = self._clock.mono_ns
        self._ticked_ns, self._period_ns = now_ns, tick.period_ns
        if tick.positions or self.held is not None:
            behind = self._inbox.behind(tick.positions)
            if self.held is not None:  # the clock no longer waits for the held one; its positions still count
                behind = self._inbox.behind(list(self._behind.values())) | behind
                self._timers.cancel(self._deadline)
            if behind:
                self.held, self._held_peer, self._behind = tick, peer, behind
                self._held_since_ns = now_ns
                self._deadline = self._timers.add(now_ns + self._position_wait_ns, self._give_up)
                return
        self.held = None
        self._run(tick, peer, 0)

    def on_moved(self, stream: StreamIn) -> None:
        """A stream moved while a Tick is held."""
        position = self._behind.get(stream.topic)
        if position is None or not stream.live or (stream.epoch, stream.seq) < (position[1], position[2]):
            return
        del self._behind[stream.topic]
        if not self._behind:
            self._timers.cancel(self._deadline)
            self._release([])

    def _give_up(self) -> None:
        stale = sorted(self._behind)
        self.positions_missed += len(stale)
        self._effects.log.warning("streams behind the tick", tick=self.held.n if self.held else 0, topics=stale)
        for topic in stale:
            self._streams.resync(topic)
        self._release(stale)

    def _release(self, stale: list[str]) -> None:
        tick, self.held = self.held, None
        self._behind = {}
        if tick is None:
            return
        if stale:
            tick = Tick(tick.n, tick.time_ns, tick.period_ns, tick.positions, tick.skipped, tick.late, stale)
        self._run(tick, self._held_peer, self._clock.mono_ns - self._held_since_ns)

    def _run(self, tick: Tick, peer: str, waited_ns: int) -> None:
        clock, outbox, dones = self._clock, self._outbox, self._dones
        if clock.lockstep:
            self._dispatcher.advance(tick.time_ns)
        self.ticks += 1
        self._on_tick(tick)
        self._effects.perform()
        positions, ts_ns, missed = outbox.drain_positions(), clock.mono_ns + clock.anchor_ns, self.positions_missed
        if positions or tick.n < 0:
            frame = outbox.pack(dones, ts_ns, TickDone(tick.n, positions, waited_ns, outbox.trace, missed))
        else:
            seq, trace = dones.seq + 1, outbox.trace
            frame = self._codec.encode_done(dones.prefix, outbox.epoch, seq, ts_ns, tick.n, waited_ns, trace, missed)
        self._sender.reply_frame(peer, dones, frame)
