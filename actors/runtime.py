"""Runtime: one actor's parts put together, with three inputs for what arrives. Both drivers use it. No I/O, no clock.

A driver calls `begin(mono_ns)`, hands in what arrived (`frame_in`, `command_in`, `answer_in`, `call`), then calls
`finish()`, which runs due timers and performs the queued effects through the Port. `wake_ns()` is the time until which
it may sleep.
"""

from collections.abc import Callable
from typing import Any

import structlog

from actors.actor import Actor
from actors.actor_clock import ActorClock
from actors.command_client import CommandClient
from actors.command_gate import CommandGate, anyone_of_the_run
from actors.command_server import CommandServer
from actors.dispatcher import Dispatcher
from actors.effect_queue import EffectQueue
from actors.effects import Log
from actors.envelope import Envelope
from actors.inbox import Inbox, StreamIn
from actors.log.secret import ApiKey
from actors.outbox import Outbox
from actors.port import Port
from actors.safe_start import NORMAL, SafeStart
from actors.sender import Sender
from actors.snapshot_server import SnapshotServer
from actors.streams import Streams
from actors.timers import NEVER_NS, Timers
from actors.turns import Turns, TurnSettings
from protocol import (
    Answer,
    Heartbeat,
    Join,
    Leave,
    Snapshot,
    SnapshotRequest,
    Tick,
    TickDone,
    Welcome,
    topics,
)
from protocol.errors import BadMessage
from protocol.frame import split
from protocol.message import Command, Settings, decode
from protocol.tick_codec import TICK_CODEC

SECOND_NS = 1_000_000_000
HEARTBEAT_NS = SECOND_NS
STOP_CHECK_NS = 20_000_000  # between two calls of `may_stop` while nothing else happens
# Message types accepted on a command socket, and back from one. All others must arrive on a numbered PUB stream.
COMMAND_TYPES = (Tick, Command, SnapshotRequest, Join, Leave, Welcome)
ANSWER_TYPES = (TickDone, Answer, Snapshot)


def _never_suspended() -> int:
    return 0


def _no_kill_switch() -> int:
    return 0


class Runtime:
    """One actor and its parts. `anchor_ns`: what to add to the driver's monotonic time to get UTC.

    `clock` is the clock's name; `patience_ms` how long it waits for this actor's turn; `position_wait_ms` how long a
    Tick is held for streams that are behind it. `trace`: keep a hash of all published frames. `keys`, `kill_switch`:
    see ActorEffects. `may_command(sender)`: whether its commands are accepted.
    """

    def __init__(
        self,
        name: str,
        kind: type[Actor],
        settings: Settings,
        port: Port,
        *,
        epoch: int = 1,
        follows: list[str] | None = None,
        keys: ApiKey | None = None,
        kill_switch: Callable[[], int] = _no_kill_switch,
        suspended_ns: Callable[[], int] = _never_suspended,
        clock: str = "clockd",
        patience_ms: int = 500,
        position_wait_ms: int = 100,
        lockstep: bool = False,
        trace: bool = False,
        anchor_ns: int = 0,
        pid: int = 0,
        loop: str = "",
        safe_start: SafeStart = NORMAL,
        may_command: Callable[[str], bool] = anyone_of_the_run,
        log: Log | None = None,
    ) -> None:
        self.name, self.epoch, self.pid, self.loop = name, epoch, pid, loop
        self.log: Log = log if log is not None else structlog.get_logger().bind(actor=name)
        self.stop_requested = False  # set by a signal's handler, read by `finish`
        self.stopping = self.stopped = False
        self._stop_at_ns = 0
        self._port, self._codec = port, TICK_CODEC
        envelope = Envelope()
        self.clock = ActorClock(anchor_ns, lockstep)
        self.inbox = Inbox()
        self.outbox = Outbox(epoch, trace or lockstep)
        self.timers = Timers()  # the actor's, in its own time
        self.runtime_timers = Timers()  # the runtime's, in the driver's time
        sender = Sender(self.outbox, port, self.clock)
        self._client = CommandClient(name, self.outbox, sender, self.timers, envelope)
        self.effects = EffectQueue(
            name, follows or [], self.log, keys, kill_switch, suspended_ns, envelope=envelope, clock=self.clock,
            timers=self.timers, outbox=self.outbox, sender=sender, commands=self._client, port=port, control=self,
            safe_start=safe_start,
        )  # fmt: skip
        self.actor = kind(name, settings, self.effects)
        self.dispatcher = Dispatcher(self.actor, envelope, self.clock, self.timers, self.log)
        self._server = CommandServer(self.effects, self.outbox, sender, self.dispatcher, self.clock)
        self._snapshots = SnapshotServer(name, self.outbox, sender, self.actor)
        self.gate = CommandGate(name, may_command, self.outbox, sender, self._snapshots, self.dispatcher, self.log)
        self._senders = self.gate.senders
        self.streams = Streams(
            self.effects, inbox=self.inbox, outbox=self.outbox, port=port, sender=sender, dispatcher=self.dispatcher,
            clock=self.clock, timers=self.runtime_timers, listener=self.actor,
        )  # fmt: skip
        self.turns = Turns(
            self.effects, TurnSettings(clock if self.actor.ticks else "", patience_ms, position_wait_ms),
            inbox=self.inbox, streams=self.streams, sender=sender, dispatcher=self.dispatcher,
            timers=self.runtime_timers, on_tick=self.actor.on_tick,
        )  # fmt: skip
        self._on_short_done = self.actor.on_short_done
        self._heartbeats = self.outbox.stream(topics.heart(name), False)

    # -- the driver's side ----------------------------------------------------------------------------

    def start(self, mono_ns: int, journals: dict[str, list[bytes]] | None = None) -> None:
        """Hands over the journals, then calls on_start, then sends the first heartbeat and joins the clock's order."""
        self.begin(mono_ns)
        for journal, records in (journals or {}).items():
            self.actor.on_journal(journal, records)
        self.actor.on_start()
        self.effects.perform()
        self._publish_heartbeat()
        self.turns.start()
        self.finish()

    def begin(self, mono_ns: int) -> None:
        """Sets the time of all that is handled until the next call."""
        clock = self.clock
        clock.mono_ns = mono_ns
        if not clock.lockstep:
            clock.now_ns = self.actor.now_ns = mono_ns + clock.anchor_ns

    def frame_in(self, data: bytes) -> None:
        """Takes a frame from a publisher."""
        try:
            topic, epoch, seq, ts_ns, offset = split(data)
            stream = self.inbox.streams.get(topic) or self.inbox.stream(topic)
            heartbeat = decode(data[offset:]) if stream is None else None  # heartbeats belong to no stream
        except BadMessage as error:
            self.dispatcher.dead_letter("publisher", data, error)
            return
        if stream is None:
            self.streams.heartbeat(topic, epoch, heartbeat)
            return
        if stream.live and epoch == stream.epoch and seq == stream.seq + 1:
            stream.seq = seq
            try:
                message = decode(data[offset:])
            except BadMessage as error:
                self.streams.unreadable(stream, data, error)
            else:
                self.dispatcher.deliver(stream, epoch, seq, ts_ns, message)
        else:
            self.streams.out_of_order(stream, epoch, seq, ts_ns, data, offset)
        if self.turns.held is not None:
            self.turns.on_moved(stream)

    def command_in(self, peer: str, data: bytes) -> None:
        """Takes a frame that `peer` has sent to our command socket."""
        if peer not in self._senders and not self.gate.admit(peer):
            self.gate.refuse(peer, data)
            return
        tick = self._codec.decode_tick(data)
        if tick is not None:
            self.turns.on_tick(tick, peer)
            return
        try:
            topic, epoch, seq, ts_ns, offset = split(data)
            message = decode(data[offset:])
            topics.peer(peer)
            if not isinstance(message, COMMAND_TYPES):
                raise BadMessage(f"{type(message).__name__} is not accepted on a command socket")
            if topic.startswith(b"cmd."):
                self._count_direct(topic, epoch, seq)
        except BadMessage as error:
            self.dispatcher.dead_letter(peer, data, error)
            return
        if type(message) is Tick:
            self.turns.on_tick(message, peer)
        elif type(message) is SnapshotRequest:
            self._server.note_epoch(peer, epoch)
            self._snapshots.answer(peer, message)
        else:
            self.dispatcher.run_or_queue(("cmd", peer), self._server.act, peer, epoch, seq, ts_ns, message)

    def answer_in(self, target: str, data: bytes) -> None:
        """Takes a frame that came back from an actor that we have sent to."""
        if self._on_short_done is not None:
            n = self._codec.decode_done(data)
            if n >= 0 and self._on_short_done(target, n):
                return
        try:
            topic, epoch, seq, ts_ns, offset = split(data)
            message = decode(data[offset:])
            if not isinstance(message, ANSWER_TYPES):
                raise BadMessage(f"{type(message).__name__} is not accepted as an answer")
            name = topics.read(topic)
            if topic.startswith(b"ans."):
                self._count_direct(topic, epoch, seq)
        except BadMessage as error:
            self.dispatcher.dead_letter(target, data, error)
            return
        if type(message) is Snapshot:
            moved = self.streams.snapshot(target, ts_ns, message)
            if moved is not None and self.turns.held is not None:
                self.turns.on_moved(moved)
        elif type(message) is Answer:
            self.dispatcher.run_or_queue(("ans", target), self._client.answered, target, message)
        else:
            self.dispatcher.handle(target, name, epoch, seq, ts_ns, message)

    def _count_direct(self, topic: bytes, epoch: int, seq: int) -> None:
        """Commands and answers are streams too, without snapshots: a Tick's positions may include them."""
        stream = self.inbox.streams.get(topic)
        if stream is None:
            stream = self.inbox.streams[topic] = StreamIn(topics.read(topic))
        stream.epoch, stream.seq, stream.live = epoch, seq, True
        if self.turns.held is not None:
            self.turns.on_moved(stream)

    def call(self, call: Callable[..., None], *args: Any) -> None:
        """Runs a callback of the actor (an HTTP answer, a websocket event)."""
        call(*args)

    def finish(self) -> None:
        """Runs due timers and performs all effects, until nothing is left to do now."""
        if self.stop_requested:
            self.request_stop()
        mono_ns, utc_ns = self.clock.mono_ns, self.clock.mono_ns + self.clock.anchor_ns
        while True:
            if self.effects.pending:
                self.effects.perform()
            if self.runtime_timers.due_ns <= mono_ns:
                due = self.runtime_timers.pop_due(mono_ns)
            elif self.timers.due_ns <= utc_ns and not self.clock.lockstep:
                due = self.timers.pop_due(utc_ns)
            else:
                break
            if due is not None:
                due[0](*due[1])
        if self.stopping and not self.stopped:
            self._stop_if_done()

    def wake_ns(self) -> int:
        """The driver's time at which to call `begin` and `finish` if nothing arrives before; NEVER_NS if never."""
        due_ns = self.runtime_timers.due_ns
        if not self.clock.lockstep and self.timers.due_ns != NEVER_NS:
            due_ns = min(due_ns, self.timers.due_ns - self.clock.anchor_ns)
        return due_ns

    # -- what the actor requests (RuntimeControl) ------------------------------------------------------------

    def subscribe(self, prefix: str) -> None:
        """Subscribes, and joins the clock's order again, so that it forwards the new streams' positions."""
        if self.inbox.subscribe(topics.check_topic(prefix)):
            self.streams.subscribe(prefix)
            self.turns.rejoin()

    def resync(self, topic: str) -> None:
        self.streams.resync(topic)

    def heartbeats(self, name: str) -> int:
        return self.streams.heartbeats(name)

    def request_stop(self) -> None:
        """Calls on_stop; the actor ends as soon as `may_stop` is True, and after `stop_within_ms` in any case."""
        if self.stopping:
            return
        self.stopping = True
        self._stop_at_ns = self.clock.mono_ns + self.actor.stop_within_ms * 1_000_000
        self.actor.on_stop()
        self._set_stop_timer()

    def _set_stop_timer(self) -> None:
        if not self.stopped:
            self.runtime_timers.add(self.clock.mono_ns + STOP_CHECK_NS, self._set_stop_timer)

    def _stop_if_done(self) -> None:
        done = self.actor.may_stop()
        if done or self.clock.mono_ns >= self._stop_at_ns:
            if not done:
                self.log.warning("stopped before the shutdown was complete", within_ms=self.actor.stop_within_ms)
            self.stop("stop requested", 0)
            self.effects.perform()

    def stop(self, reason: str, exit_code: int) -> None:
        """Leaves the clock's order, then ends the process behind the effects that are queued."""
        if not self.stopped:
            self.stopped = True
            self.turns.leave()
            self.effects.queue(self._port.stop, reason, exit_code)

    def _publish_heartbeat(self) -> None:
        effects, inbox, invalid = self.effects, self.inbox, self.dispatcher.invalid_frames
        heartbeat = Heartbeat(
            self.pid, self.turns.ticks, self.outbox.positions(), inbox.lost, invalid, inbox.duplicates, effects.state,
            effects.detail, self.loop, self._port.rss_bytes(), self.gate.refused,
        )  # fmt: skip
        self._port.pub(self.outbox.next(self._heartbeats, self.clock.now_ns, heartbeat))
        self.runtime_timers.add(self.clock.mono_ns + HEARTBEAT_NS, self._publish_heartbeat)
