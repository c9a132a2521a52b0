"""Runtime: the part of an actor that both drivers share: dispatch, streams, turns, commands, effects. No I/O, no clock.

A driver calls `begin(mono_ns)`, hands in what arrived (`frame_in`, `command_in`, `answer_in`, `call`), then calls
`finish()`, which runs what is due and performs the queued effects through the Port. `wake_ns()` says until when it may
sleep.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

from actors.actor import Actor
from actors.calls import Calls
from actors.inbox import Inbox, StreamIn
from actors.net import Link, Listener
from actors.outbox import Outbox, StreamOut
from actors.port import Port
from actors.streams import Streams
from actors.timers import NEVER_NS, Timers
from actors.turns import Turns
from protocol import (
    Answer,
    Heartbeat,
    Join,
    Leave,
    Message,
    Snapshot,
    SnapshotRequest,
    Tick,
    TickDone,
    Welcome,
    topics,
)
from protocol.errors import BadMessage
from protocol.frame import split
from protocol.message import REGISTRY, Command, Settings, decode, handler_name
from protocol.tick_codec import TICK_CODEC

SECOND_NS = 1_000_000_000
HEARTBEAT_NS = SECOND_NS
# What comes on the sockets between two actors; everything else is told to all, and numbered, or it is not believed.
ASKED = (Tick, Command, SnapshotRequest, Join, Leave, Welcome)
ANSWERED = (TickDone, Answer, Snapshot)


class Envelope:
    """Where the message in hand came from."""

    def __init__(self) -> None:
        self.sender = self.topic = ""
        self.epoch = self.seq = self.ts_ns = 0


class Runtime:
    """One actor's runtime. `anchor_ns`: what to add to the driver's monotonic time to get UTC."""

    def __init__(
        self,
        name: str,
        kind: type[Actor],
        settings: Settings,
        port: Port,
        *,
        epoch: int = 1,
        follows: list[str] | None = None,
        clock: str = "clockd",
        patience_ms: int = 500,
        mark_wait_ms: int = 100,
        lockstep: bool = False,
        trace: bool = False,
        anchor_ns: int = 0,
        pid: int = 0,
        loop: str = "",
        log: Any = None,
    ) -> None:
        self.name, self.epoch, self.pid, self.loop = name, epoch, pid, loop
        self.follows = follows or []
        self.lockstep = lockstep
        self.anchor_ns = anchor_ns
        self.port = port
        self._pub: Callable[[bytes], None] = port.pub
        self._send: Callable[[str, bytes], bool] = port.send
        self.log = log if log is not None else structlog.get_logger().bind(actor=name)
        self.envelope = Envelope()
        self.inbox = Inbox()
        self.outbox = Outbox(epoch, trace or lockstep)
        self.timers = Timers()  # the actor's, in its own time
        self.chores = Timers()  # the runtime's, in the driver's time
        self.mono_ns = 0
        self.garbage = 0
        self.state = self.detail = ""
        self.stop_asked = False  # set from a signal's handler, looked at by `finish`
        self.stopping = False
        self.stopped = False
        self._stop_at_ns = 0
        self._effects: deque[bytes | tuple[Any, ...]] = deque()
        self._arrived: dict[tuple[str, str], list[tuple[Callable[..., None], tuple[Any, ...]]]] = {}
        self._links = 0
        self._tells: dict[str, StreamOut] = {}
        self.bare = TICK_CODEC
        self.bare_done: Callable[[str, int], bool] | None = None  # the clock's: takes a TickDone that only tells its n
        self.actor = kind(name, settings, self)
        self.actor.now_ns = anchor_ns
        self.calls = Calls(self)
        self.streams = Streams(self)
        self.turns = Turns(self, clock, patience_ms, mark_wait_ms)
        self._inner: dict[str, Callable[..., None]] = {
            "_send": self.calls.send,
            "_reply": self.calls.reply,
            "_call": self.call,
            "append": self._append,
        }
        self._handlers = self._find_handlers()
        self._heart = self.outbox.stream(topics.heart(name), marked=False)

    def _find_handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        found = {}
        for kind in REGISTRY.types.values():
            method = getattr(self.actor, handler_name(kind), None)
            if method is not None and kind is not Tick:
                found[kind] = method
        return found

    # -- the driver's side ----------------------------------------------------------------------------

    def start(self, mono_ns: int, journals: dict[str, list[bytes]] | None = None) -> None:
        """Journals first, then on_start, then the first heartbeat and the request to be ticked."""
        self.begin(mono_ns)
        for journal, records in (journals or {}).items():
            self.actor.on_journal(journal, records)
        self.actor.on_start()
        self.perform()
        self._beat()
        self.turns.start()
        self.finish()

    def begin(self, mono_ns: int) -> None:
        """One reading of the clock serves all that is handled until the next."""
        self.mono_ns = mono_ns
        if not self.lockstep:
            self.actor.now_ns = mono_ns + self.anchor_ns

    def frame_in(self, data: bytes) -> None:
        """A frame from a publisher."""
        try:
            topic, epoch, seq, ts_ns, offset = split(data)
            stream = self.inbox.streams.get(topic) or self.inbox.stream(topic)
            beat = decode(data[offset:]) if stream is None else None  # heartbeats are nobody's stream
        except BadMessage as error:
            self.dead_letter("publisher", data, error)
            return
        if stream is None:
            self.streams.heart(topic, epoch, beat)
            return
        if stream.live and epoch == stream.epoch and seq == stream.seq + 1:
            stream.seq = seq
            try:
                message = decode(data[offset:])
            except BadMessage as error:
                self.streams.unreadable(stream, data, error)
            else:
                self.deliver(stream, epoch, seq, ts_ns, message)
        else:
            self.streams.odd(stream, epoch, seq, ts_ns, data, offset)
        if self.turns.held is not None:
            self.turns.seen(stream)

    def command_in(self, peer: str, data: bytes) -> None:
        """A frame on our command socket, from `peer`."""
        tick = self.bare.tick_of(data)
        if tick is not None:
            self.turns.take(tick, peer)
            return
        try:
            topic, epoch, seq, ts_ns, offset = split(data)
            message = decode(data[offset:])
            topics.peer(peer)
            if not isinstance(message, ASKED):
                raise BadMessage(f"{type(message).__name__} is nothing that is asked of an actor")
            if topic.startswith(b"cmd."):
                self._direct(topic, epoch, seq)
        except BadMessage as error:
            self.dead_letter(peer, data, error)
            return
        if type(message) is Tick:
            self.turns.take(message, peer)
        elif type(message) is SnapshotRequest:
            self.streams.tell(peer, message)
        else:
            self.arrive(("cmd", peer), self.calls.act, peer, epoch, seq, ts_ns, message)

    def answer_in(self, target: str, data: bytes) -> None:
        """A frame that came back from an actor that we have sent to."""
        if self.bare_done is not None:
            n = self.bare.done_of(data)
            if n >= 0 and self.bare_done(target, n):
                return
        try:
            topic, epoch, seq, ts_ns, offset = split(data)
            message = decode(data[offset:])
            if not isinstance(message, ANSWERED):
                raise BadMessage(f"{type(message).__name__} is no answer")
            name = topics.read(topic)
            if topic.startswith(b"ans."):
                self._direct(topic, epoch, seq)
        except BadMessage as error:
            self.dead_letter(target, data, error)
            return
        if type(message) is Snapshot:
            self.streams.snapshot(target, ts_ns, message)
        elif type(message) is Answer:
            self.arrive(("ans", target), self.calls.answered, target, message)
        else:
            self._handle(target, name, epoch, seq, ts_ns, message)

    def _direct(self, topic: bytes, epoch: int, seq: int) -> None:
        """Commands and answers are streams too: what was seen of them satisfies marks. They have no way back."""
        stream = self.inbox.streams.get(topic)
        if stream is None:
            stream = self.inbox.streams[topic] = StreamIn(topics.read(topic))
        stream.epoch, stream.seq, stream.live = epoch, seq, True
        if self.turns.held is not None:
            self.turns.seen(stream)

    def call(self, then: Callable[..., None], *args: Any) -> None:
        """Run a callback of the actor (an HTTP answer, a websocket event)."""
        then(*args)

    def finish(self) -> None:
        """Run what is due, then perform all effects, until nothing is left to do now."""
        if self.stop_asked:
            self.request_stop()
        while True:
            if self._effects:
                self.perform()
            if self.chores.due_ns <= self.mono_ns:
                due = self.chores.pop_due(self.mono_ns)
            elif self.timers.due_ns <= self.mono_ns + self.anchor_ns and not self.lockstep:
                due = self.timers.pop_due(self.mono_ns + self.anchor_ns)
            else:
                break
            if due is not None:
                due[0](*due[1])
        if self.stopping and not self.stopped:
            self._maybe_stopped()

    def wake_ns(self) -> int:
        """Driver's time at which to call `begin`, `finish` again if nothing arrives before; NEVER_NS if never."""
        due_ns = self.chores.due_ns
        if not self.lockstep and self.timers.due_ns != NEVER_NS:
            due_ns = min(due_ns, self.timers.due_ns - self.anchor_ns)
        return due_ns

    def request_stop(self) -> None:
        """Somebody wants this actor to end: on_stop, then as long as `may_stop` says no, at most `stop_within_ms`."""
        if self.stopping:
            return
        self.stopping = True
        self._stop_at_ns = self.mono_ns + self.actor.stop_within_ms * 1_000_000
        self.actor.on_stop()
        self._recheck_stop()

    def _recheck_stop(self) -> None:
        if not self.stopped:
            self.chores.add(self.mono_ns + 20_000_000, self._recheck_stop)

    def _maybe_stopped(self) -> None:
        done = self.actor.may_stop()
        if done or self.mono_ns >= self._stop_at_ns:
            if not done:
                self.log.warning("stopping unfinished", within_ms=self.actor.stop_within_ms)
            self.stop("asked to", 0)
            self.perform()

    # -- delivery -------------------------------------------------------------------------------------

    def deliver(self, stream: StreamIn, epoch: int, seq: int, ts_ns: int, message: Message) -> None:
        """Hand over the next message of a stream: now, or in lockstep at the next turn."""
        if self.lockstep:
            where = (stream.publisher, stream.topic, epoch, seq, ts_ns)
            self.arrive(("pub", stream.publisher), self._handle, *where, message)
        else:
            self._handle(stream.publisher, stream.topic, epoch, seq, ts_ns, message)

    def arrive(self, channel: tuple[str, str], then: Callable[..., None], *args: Any) -> None:
        """Run `then` now; in lockstep at the next turn, channel by channel, so that no race between sockets shows."""
        if self.lockstep:
            self._arrived.setdefault(channel, []).append((then, args))
        else:
            then(*args)

    def advance(self, now_ns: int) -> None:
        """Lockstep: it is `now_ns`. Run what has arrived, in an order that does not depend on the wires, and timers."""
        self.actor.now_ns = now_ns
        arrived, self._arrived = self._arrived, {}
        for channel in sorted(arrived):
            for then, args in arrived[channel]:
                then(*args)
        due = self.timers.pop_due(now_ns)
        while due is not None:
            due[0](*due[1])
            due = self.timers.pop_due(now_ns)

    def _handle(self, sender: str, topic: str, epoch: int, seq: int, ts_ns: int, message: Message) -> Any:
        handler = self._handlers.get(type(message))
        if handler is None:
            return None
        envelope = self.envelope
        envelope.sender, envelope.topic, envelope.epoch, envelope.seq, envelope.ts_ns = sender, topic, epoch, seq, ts_ns
        return handler(message)

    def handle_command(self, peer: str, epoch: int, seq: int, ts_ns: int, command: Command) -> Any:
        """The actor's answer to a command; NotImplemented if it has no handler for it."""
        if type(command) not in self._handlers:
            return NotImplemented
        return self._handle(peer, topics.commands(peer, self.name), epoch, seq, ts_ns, command)

    def dead_letter(self, source: str, data: bytes, error: Exception) -> None:
        """Bytes that are no message: counted, and the first few logged."""
        self.garbage += 1
        if self.garbage <= 10 or self.garbage % 1000 == 0:
            self.log.warning("garbage", source=source, count=self.garbage, error=str(error)[:200], head=data[:60].hex())

    # -- effects --------------------------------------------------------------------------------------

    def effect(self, kind: str, *args: Any) -> None:
        """Queue one; `kind` is a method of the Port."""
        self._effects.append((kind, *args))

    def publish(self, topic: str, message: Message) -> int:
        outbox = self.outbox
        stream = outbox.streams.get(topic)
        if stream is None:
            assert topics.publisher(topics.check_topic(topic)) == self.name, f"{self.name} publishes {topic}"
            stream = outbox.stream(topic)
        self._effects.append(outbox.next(stream, self.actor.now_ns, message))
        return stream.seq

    def subscribe(self, prefix: str) -> None:
        if self.inbox.subscribe(topics.check_topic(prefix)):
            self.streams.subscribe(prefix)
            self.turns.rejoin()

    def new_id(self) -> int:
        return self.calls.new_id()

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None) -> None:
        self._effects.append(("_send", target, command, then))

    def tell(self, target: str, message: Message) -> bool:
        """Send a message that needs no answer, now; False if nobody is there. For the clock."""
        stream = self._told(target)
        return self._tell(target, stream, self.outbox.pack(stream, self.mono_ns + self.anchor_ns, message))

    def tell_tick(self, target: str, n: int, time_ns: int, period_ns: int, skipped: int) -> bool:
        """`tell` a Tick without marks and names."""
        stream, ts_ns = self._told(target), self.mono_ns + self.anchor_ns
        data = self.bare.tick_frame(stream.prefix, self.epoch, stream.seq + 1, ts_ns, n, time_ns, period_ns, skipped)
        return self._tell(target, stream, data)

    def _told(self, target: str) -> StreamOut:
        stream = self._tells.get(target)
        if stream is None:
            stream = self._tells[target] = self.outbox.stream(f"tell.{self.name}.{target}.", marked=False)
        return stream

    def _tell(self, target: str, stream: StreamOut, data: bytes) -> bool:
        if not self._send(target, data):
            return False
        self.outbox.commit(stream, data)
        return True

    def patience(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        """A timer in the driver's own time, also in lockstep; `chores.cancel` takes its number."""
        return self.chores.add(self.mono_ns + delay_ns, call, *args)

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        return self.timers.add(self.actor.now_ns + delay_ns, call, *args)

    def cancel_timer(self, timer: int) -> None:
        self.timers.cancel(timer)

    def connect(self, url: str, listener: Listener) -> Link:
        self._links += 1
        link = Link(self._links, url, listener, self)
        self.effect("ws_connect", link)
        return link

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self.effect("ws_send", link, data)

    def ws_send_now(self, link: Link, data: str | bytes) -> None:
        self.port.ws_send(link, data)

    def ws_close(self, link: Link) -> None:
        self.effect("ws_close", link)

    def set_health(self, state: str, detail: str) -> bool:
        changed = (state, detail) != (self.state, self.detail)
        self.state, self.detail = state, detail
        return changed

    def stop(self, reason: str, exit_code: int) -> None:
        if not self.stopped:
            self.stopped = True
            self.turns.leave()
            self.effect("stop", reason, exit_code)

    def perform(self) -> None:
        """Do what is queued, in order, and what that queues in turn."""
        effects = self._effects
        while effects:
            effect = effects.popleft()
            if type(effect) is bytes:  # a frame to publish: by far the most frequent
                self._pub(effect)
                continue
            kind = str(effect[0])
            inner = self._inner.get(kind)
            if inner is not None:
                inner(*effect[1:])
            else:
                getattr(self.port, kind)(*effect[1:])

    def _append(self, journal: str, record: bytes, then: Callable[[str], None] | None) -> None:
        trouble = self.port.append(journal, record)
        if trouble:
            self.log.error("journal", journal=journal, trouble=trouble)
        if then is not None:
            then(trouble)

    def _beat(self) -> None:
        beat = Heartbeat(
            self.pid,
            self.turns.ticks,
            self.outbox.positions(),
            self.inbox.lost,
            self.garbage,
            self.inbox.dropped,
            self.state,
            self.detail,
            self.loop,
        )
        self._pub(self.outbox.next(self._heart, self.actor.now_ns, beat))
        self.chores.add(self.mono_ns + HEARTBEAT_NS, self._beat)
