"""Streams: the subscriber's side of catching up. Requests snapshots until they come, and watches publishers."""

from typing import Protocol

from actors.actor_clock import ActorClock
from actors.dispatcher import Dispatcher
from actors.effects import Effects
from actors.inbox import Inbox, StreamIn, is_direct
from actors.outbox import Outbox
from actors.port import Port
from actors.sender import Sender
from actors.timers import Timers
from protocol import Heartbeat, Message, Snapshot, SnapshotRequest, topics
from protocol.errors import BadMessage
from protocol.frame import MAX_EPOCH, MAX_SEQ, body, split
from protocol.message import decode

REQUEST_AGAIN_NS = 250_000_000
SILENT_NS = 3_000_000_000  # three heartbeats missed: the publisher counts as gone


class StreamListener(Protocol):
    """An actor as Streams sees it."""

    def on_stale(self, topic: str) -> None: ...

    def on_live(self, topic: str) -> None: ...

    def on_peer(self, name: str, up: bool) -> None: ...

    def cursor(self, topic: str) -> int: ...


class Streams:
    """Keeps the subscribed streams whole: each is live, or stale until a snapshot of it has come."""

    def __init__(
        self,
        effects: Effects,
        *,
        inbox: Inbox,
        outbox: Outbox,
        port: Port,
        sender: Sender,
        dispatcher: Dispatcher,
        clock: ActorClock,
        timers: Timers,
        listener: StreamListener,
    ) -> None:
        self._effects = effects
        self._inbox = inbox
        self._port = port
        self._sender = sender
        self._dispatcher = dispatcher
        self._clock = clock
        self._timers = timers  # in the driver's time
        self._listener = listener
        self._received_ns: dict[str, int] = {}  # publisher -> when its last heartbeat came; 0: it is gone
        self._epochs: dict[str, int] = {}
        self._heartbeats: dict[str, int] = {}  # publisher -> number of its heartbeats
        self._requests = outbox.stream(f"req.{effects.name}.snapshot.", marked=False)
        self._timer_set = False
        self.resyncs = 0

    def subscribe(self, prefix: str) -> None:
        """Subscribes to all streams under `prefix`, which are those of one publisher, and to its heartbeat."""
        publisher = topics.publisher(prefix)
        self._watch(publisher)
        self._effects.queue(self._port.subscribe, publisher, prefix)
        self._effects.queue(self._request_all)

    def heartbeats(self, publisher: str) -> int:
        """The number of heartbeats of one publisher; the first call subscribes to them."""
        self._watch(publisher)
        return self._heartbeats.get(publisher, 0)

    def _watch(self, publisher: str) -> None:
        if publisher not in self._received_ns:
            self._received_ns[publisher] = 0
            self._effects.queue(self._port.subscribe, publisher, topics.heart(publisher))

    @property
    def synced(self) -> bool:
        """Each publisher has sent all that it has under the subscribed prefixes, and nothing is missing."""
        return not self._inbox.unsynced and all(self._inbox.prefixes.values())

    # -- what arrives ---------------------------------------------------------------------------------

    def out_of_order(self, stream: StreamIn, epoch: int, seq: int, ts_ns: int, data: bytes, offset: int) -> None:
        """Takes a frame that is not simply the next one of a live stream: the first, an old one, or one after a gap."""
        inbox = self._inbox
        was_live, was_unsynced = stream.live, stream.topic in inbox.unsynced
        if inbox.accept(stream, epoch, seq, data):
            try:
                message = body(data, offset)
            except BadMessage as error:
                self.unreadable(stream, data, error)
            else:
                self._dispatcher.deliver(stream, epoch, seq, ts_ns, message)
                self._report_live(stream)
            self._received(stream.publisher)
            return
        if stream.topic in inbox.unsynced:
            if was_live:
                self._report_stale(stream)
            if not was_unsynced:  # one request for each gap, not for each frame behind it; `_on_timer` repeats it
                self._request(stream.publisher, stream.topic)
            self._set_timer()

    def unreadable(self, stream: StreamIn, data: bytes, error: BadMessage) -> None:
        """Makes `stream` stale, because its next frame is invalid.

        The content of that frame is lost: a replica that continued without it might be wrong.
        """
        self._dispatcher.dead_letter(stream.publisher, data, error)
        self._inbox.lost += 1
        stream.seq -= 1  # it counts as missing: what follows it waits for a snapshot
        self._set_stale(stream)
        self._request(stream.publisher, stream.topic)
        self._set_timer()

    def heartbeat(self, topic: bytes, epoch: int, message: Message | None) -> None:
        """Takes a publisher's heartbeat. Its positions show lost frames; a new epoch makes all its streams stale."""
        if type(message) is not Heartbeat:
            return
        inbox, publisher = self._inbox, topics.publisher(topics.read(topic))
        was_gone = not self._received_ns.get(publisher)
        self._received_ns[publisher] = self._clock.mono_ns
        self._heartbeats[publisher] = self._heartbeats.get(publisher, 0) + 1
        if self._epochs.get(publisher) != epoch or was_gone:
            self._epochs[publisher] = epoch
            self._listener.on_peer(publisher, True)
            self._restart(publisher, epoch)
        for topic_behind in inbox.behind(message.streams):
            # One socket carries both in order: a frame that the heartbeat counts and that has not come is lost.
            behind = inbox.stream(topic_behind.encode())
            if behind is not None and not is_direct(topic_behind):
                if behind.live:
                    self._set_stale(behind)
                inbox.set_stale(behind)
                self._request(publisher, topic_behind)
        self._set_timer()

    def _restart(self, publisher: str, epoch: int) -> None:
        """The publisher runs under a new epoch, or is back."""
        inbox = self._inbox
        for prefix in inbox.prefixes:
            if topics.publisher(prefix) == publisher:
                inbox.prefixes[prefix] = False
        for stream in inbox.of(publisher):
            if stream.live and stream.epoch != epoch and not is_direct(stream.topic):
                self._set_stale(stream)
        self._request_all()

    def snapshot(self, target: str, ts_ns: int, message: Snapshot) -> StreamIn | None:
        """Takes a stream's snapshot, or (seq -1) the end of the list under a prefix. Returns the stream if it moved."""
        inbox, dispatcher = self._inbox, self._dispatcher
        if message.seq < 0:
            if message.topic in inbox.prefixes:
                inbox.prefixes[message.topic] = True
            return None
        try:
            stream = inbox.stream(message.topic.encode())
            state = decode(message.body) if message.body else None
            if message.seq > MAX_SEQ or not 0 <= message.epoch <= MAX_EPOCH:
                raise BadMessage(f"a snapshot at epoch {message.epoch}, seq {message.seq}")
        except BadMessage as error:
            dispatcher.dead_letter(target, message.body, error)
            return None
        if stream is None or (message.epoch, message.seq) < (stream.epoch, stream.seq):
            return None  # older than what has come
        if stream.live and message.epoch == stream.epoch and (state is None or message.seq == stream.seq):
            return None  # nothing is missing; if the snapshot is ahead, the frames up to it are on their way
        resumed = list(inbox.resume(stream, message.epoch, message.seq, state is not None))
        if state is not None:
            dispatcher.deliver(stream, message.epoch, message.seq, ts_ns, state)
        self._report_live(stream)
        self.resyncs += 1
        self._received(stream.publisher)
        self._deliver_held(stream, resumed, state is not None)
        if not stream.live:  # there is a second gap behind the first
            self._report_stale(stream)
            self._request(stream.publisher, stream.topic)
            self._set_timer()
        return stream

    def _deliver_held(self, stream: StreamIn, frames: list[bytes], has_state: bool) -> None:
        """Delivers frames that were held. An invalid one makes a stream with a state stale again."""
        for at, data in enumerate(frames):
            _, epoch, seq, ts_ns, offset = split(data)
            try:
                message = body(data, offset)
            except BadMessage as error:
                self._dispatcher.dead_letter(stream.publisher, data, error)
                self._inbox.lost += 1
                if not has_state:
                    continue  # a stream of events alone: the others are valid without it
                self._inbox.set_stale(stream)
                stream.seq = seq - 1
                stream.held = [(*split(later)[1:3], later) for later in frames[at + 1 :]] + stream.held
                break
            self._dispatcher.deliver(stream, epoch, seq, ts_ns, message)

    def _received(self, publisher: str) -> None:
        """Silence counts from the first frame, also for a publisher that dies before its first heartbeat."""
        if publisher not in self._epochs and publisher in self._received_ns:
            self._received_ns[publisher] = self._clock.mono_ns
            self._set_timer()

    # -- stale and live -------------------------------------------------------------------------------

    def resync(self, topic: str) -> None:
        """Makes a stream stale until its publisher has sent a snapshot."""
        if is_direct(topic):
            return
        try:
            stream = self._inbox.stream(topic.encode())
        except BadMessage:
            return  # it comes from a Tick, which may contain any text
        if stream is None:
            return
        if stream.live:
            self._set_stale(stream)
        else:
            self._inbox.set_stale(stream)
        self._request(stream.publisher, topic)
        self._set_timer()

    def _set_stale(self, stream: StreamIn) -> None:
        self._inbox.set_stale(stream)
        self._report_stale(stream)

    def _report_stale(self, stream: StreamIn) -> None:
        """In lockstep it is queued behind what came before it."""
        self._dispatcher.run_or_queue(("pub", stream.publisher), self._listener.on_stale, stream.topic)

    def _report_live(self, stream: StreamIn) -> None:
        self._dispatcher.run_or_queue(("pub", stream.publisher), self._listener.on_live, stream.topic)

    # -- requests -------------------------------------------------------------------------------------

    def _request(self, publisher: str, prefix: str) -> None:
        self._sender.send(publisher, self._requests, SnapshotRequest(prefix, self._listener.cursor(prefix)))

    def _request_all(self) -> None:
        """Requests whatever is missing: prefixes without a complete list first, then single streams."""
        for prefix, complete in self._inbox.prefixes.items():
            if not complete:
                self._request(topics.publisher(prefix), prefix)
        for topic, stream in self._inbox.unsynced.items():
            self._request(stream.publisher, topic)
        self._set_timer()

    def _set_timer(self) -> None:
        """One timer repeats requests while anything is missing, and otherwise watches the publishers."""
        if not self._timer_set and self._received_ns:
            self._timer_set = True
            delay_ns = SILENT_NS // 3 if self.synced else REQUEST_AGAIN_NS
            self._timers.add(self._clock.mono_ns + delay_ns, self._on_timer)

    def _on_timer(self) -> None:
        self._timer_set = False
        for publisher, received_ns in self._received_ns.items():
            if received_ns and self._clock.mono_ns - received_ns > SILENT_NS:
                self._received_ns[publisher] = 0
                self._listener.on_peer(publisher, False)
                for stream in self._inbox.of(publisher):
                    if stream.live and not is_direct(stream.topic):
                        self._set_stale(stream)
        self._request_all()
