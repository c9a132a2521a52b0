"""Keeping heard streams whole: asking for snapshots until they come, watching publishers, and telling snapshots."""

from typing import TYPE_CHECKING

from actors.inbox import StreamIn
from protocol import Heartbeat, Message, Snapshot, SnapshotRequest, encode, topics
from protocol.errors import BadMessage, BadTopic
from protocol.frame import MAX_EPOCH, MAX_SEQ, body, split
from protocol.message import decode

if TYPE_CHECKING:
    from actors.runtime import Runtime

ASK_AGAIN_NS = 250_000_000
MAX_STREAMS = 10_000  # with more, an actor opens no further one for somebody who asks for it
SILENT_NS = 3_000_000_000  # three heartbeats missed: the publisher is taken for gone


def _is_direct(topic: str) -> bool:
    """Commands and answers: told to one, and never told again."""
    return topic.startswith(("cmd.", "ans."))


def _is_topic_of(name: str, prefix: str) -> bool:
    """Whether it could be a stream of the actor `name`: anybody may ask for anything."""
    try:
        return topics.publisher(topics.check_topic(prefix)) == name
    except BadTopic:
        return False


class Streams:
    """The runtime's dealings with publishers that it hears, and with subscribers that ask it."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._inbox = runtime.inbox
        self._heard_ns: dict[str, int] = {}  # publisher -> when its last heartbeat came (0: gone)
        self._epochs: dict[str, int] = {}
        self._asked = runtime.outbox.stream(f"req.{runtime.name}.snapshot.", marked=False)
        self._told = runtime.outbox.stream(f"rep.{runtime.name}.snapshot.", marked=False)
        self._asking = False
        self.resyncs = 0

    # -- as a subscriber ------------------------------------------------------------------------------

    def subscribe(self, prefix: str) -> None:
        publisher = topics.publisher(prefix)
        if publisher not in self._heard_ns:
            self._heard_ns[publisher] = 0
            self._runtime.effect("subscribe", publisher, topics.heart(publisher))
        self._runtime.effect("subscribe", publisher, prefix)
        self._runtime.effect("_call", self._ask_all)

    @property
    def synced(self) -> bool:
        """Every publisher has told all that it had under what we subscribe to, and nothing is missing."""
        return not self._inbox.unsynced and all(self._inbox.prefixes.values())

    def odd(self, stream: StreamIn, epoch: int, seq: int, ts_ns: int, data: bytes, offset: int) -> None:
        """A frame that is not simply the next one."""
        was_live, was_asked = stream.live, stream.topic in self._inbox.unsynced
        if self._inbox.accept(stream, epoch, seq, data):
            try:
                message = body(data, offset)
            except BadMessage as error:
                self.unreadable(stream, data, error)
            else:
                self._runtime.deliver(stream, epoch, seq, ts_ns, message)
                self._runtime.arrive(("pub", stream.publisher), self._runtime.actor.on_live, stream.topic)
            self._heard(stream.publisher)
            return
        if stream.topic in self._inbox.unsynced:
            if was_live:
                self._tell_stale(stream)
            if not was_asked:  # once a hole, not once a frame that comes behind it; `_look` asks again
                self._ask(stream.publisher, stream.topic)
            self._ask_again()

    def unreadable(self, stream: StreamIn, data: bytes, error: BadMessage) -> None:
        """The frame that is next in `stream` is no message: the stream is stale.

        What it said is lost: a replica that went on without it might be wrong.
        """
        self._runtime.dead_letter(stream.publisher, data, error)
        self._inbox.lost += 1
        stream.seq -= 1  # it counts as not come: what follows it waits for a snapshot
        self._stale(stream)
        self._ask(stream.publisher, stream.topic)
        self._ask_again()

    def heart(self, topic: bytes, epoch: int, message: Message | None) -> None:
        """A publisher lives. Its marks show lost tails; a new epoch makes every stream of it stale."""
        if type(message) is not Heartbeat:
            return
        runtime, inbox = self._runtime, self._inbox
        publisher = topics.publisher(topics.read(topic))
        was_gone = not self._heard_ns.get(publisher)
        self._heard_ns[publisher] = runtime.mono_ns
        if self._epochs.get(publisher) != epoch or was_gone:
            self._epochs[publisher] = epoch
            runtime.actor.on_peer(publisher, True)
            for prefix in inbox.prefixes:
                if topics.publisher(prefix) == publisher:
                    inbox.prefixes[prefix] = False
            for stream in inbox.of(publisher):
                if stream.live and stream.epoch != epoch and not _is_direct(stream.topic):
                    self._stale(stream)
            self._ask_all()
        for mark_topic in inbox.behind(message.streams):
            # One socket carries both in order: what the beat counts and has not come before it is lost.
            behind = inbox.stream(mark_topic.encode())
            if behind is not None and not _is_direct(mark_topic):
                if behind.live:
                    self._stale(behind)
                self._inbox.mark_stale(behind)
                self._ask(publisher, mark_topic)
        self._ask_again()

    def _heard(self, publisher: str) -> None:
        """Silence counts from the first word, even of a publisher that dies before its first heartbeat comes."""
        if publisher not in self._epochs and publisher in self._heard_ns:
            self._heard_ns[publisher] = self._runtime.mono_ns
            self._ask_again()

    def snapshot(self, target: str, ts_ns: int, message: Snapshot) -> None:
        """A stream as its publisher has it, or (seq -1) word that this was all under a prefix."""
        runtime, inbox = self._runtime, self._inbox
        if message.seq < 0:
            if message.topic in inbox.prefixes:
                inbox.prefixes[message.topic] = True
            return
        try:
            stream = inbox.stream(message.topic.encode())
            told = decode(message.body) if message.body else None
            if message.seq > MAX_SEQ or not 0 <= message.epoch <= MAX_EPOCH:
                raise BadMessage(f"a snapshot at epoch {message.epoch}, seq {message.seq}")
        except BadMessage as error:
            runtime.dead_letter(target, message.body, error)
            return
        if stream is None or (message.epoch, message.seq) < (stream.epoch, stream.seq):
            return  # older than what has been seen
        if stream.live and message.epoch == stream.epoch and (told is None or message.seq == stream.seq):
            return  # nothing is missing; what it may be ahead by is on its way
        resumed = list(inbox.resume(stream, message.epoch, message.seq, told is not None))
        if told is not None:
            runtime.deliver(stream, message.epoch, message.seq, ts_ns, told)
        runtime.arrive(("pub", stream.publisher), runtime.actor.on_live, stream.topic)
        self.resyncs += 1
        self._heard(stream.publisher)
        for at, data in enumerate(resumed):
            _, epoch, seq, ts_ns, offset = split(data)
            try:
                held = body(data, offset)
            except BadMessage as error:
                runtime.dead_letter(stream.publisher, data, error)
                inbox.lost += 1
                if told is None:
                    continue  # of mere events the others stand by themselves
                inbox.mark_stale(stream)
                stream.seq = seq - 1
                stream.held = [(*split(later)[1:3], later) for later in resumed[at + 1 :]] + stream.held
                break
            runtime.deliver(stream, epoch, seq, ts_ns, held)
        if not stream.live:  # a second hole behind the first
            self._tell_stale(stream)
            self._ask(stream.publisher, stream.topic)
            self._ask_again()
        if runtime.turns.held is not None:
            runtime.turns.seen(stream)

    def resync(self, topic: str) -> None:
        """A mark of this stream did not come within the wait: do not trust it until a snapshot."""
        if _is_direct(topic):
            return
        try:
            stream = self._inbox.stream(topic.encode())
        except BadMessage:
            return  # a mark of no stream at all
        if stream is None:
            return
        if stream.live:
            self._stale(stream)
        else:
            self._inbox.mark_stale(stream)
        self._ask(stream.publisher, topic)
        self._ask_again()

    def _stale(self, stream: StreamIn) -> None:
        self._inbox.mark_stale(stream)
        self._tell_stale(stream)

    def _tell_stale(self, stream: StreamIn) -> None:
        """In lockstep in its place among what came: before that, the actor has not got so far."""
        self._runtime.arrive(("pub", stream.publisher), self._runtime.actor.on_stale, stream.topic)

    def _ask(self, publisher: str, prefix: str) -> None:
        runtime = self._runtime
        request = SnapshotRequest(prefix, runtime.actor.cursor(prefix))
        data = runtime.outbox.pack(self._asked, runtime.actor.now_ns, request)
        if runtime.port.send(publisher, data):
            runtime.outbox.commit(self._asked, data)

    def _ask_all(self) -> None:
        """Ask for whatever is missing: whole prefixes first told, then single streams."""
        inbox = self._inbox
        for prefix, told in inbox.prefixes.items():
            if not told:
                self._ask(topics.publisher(prefix), prefix)
        for topic, stream in inbox.unsynced.items():
            self._ask(stream.publisher, topic)
        self._ask_again()

    def _ask_again(self) -> None:
        """As long as anything is missing, or a publisher is to be watched, look again soon."""
        if not self._asking and self._heard_ns:
            self._asking = True
            delay_ns = SILENT_NS // 3 if self.synced else ASK_AGAIN_NS
            self._runtime.chores.add(self._runtime.mono_ns + delay_ns, self._look)

    def _look(self) -> None:
        self._asking = False
        runtime = self._runtime
        for publisher, heard_ns in self._heard_ns.items():
            if heard_ns and runtime.mono_ns - heard_ns > SILENT_NS:
                self._heard_ns[publisher] = 0
                runtime.actor.on_peer(publisher, False)
                for stream in self._inbox.of(publisher):
                    if stream.live and not _is_direct(stream.topic):
                        self._stale(stream)
        self._ask_all()

    # -- as a publisher -------------------------------------------------------------------------------

    def tell(self, peer: str, request: SnapshotRequest) -> None:
        """Answer with each of our streams under the prefix, and then that this was all."""
        runtime = self._runtime
        known = runtime.outbox.streams
        new = request.prefix not in known and _is_topic_of(runtime.name, request.prefix)
        if new and len(known) < MAX_STREAMS and runtime.actor.snapshot(request.prefix, request.cursor) is not None:
            # Nothing was published on it in this life, and yet there is something to say: it stands at 0.
            runtime.outbox.stream(request.prefix)
        for stream in list(runtime.outbox.streams.values()):
            if stream.marked and stream.topic.startswith(request.prefix) and not _is_direct(stream.topic):
                told = runtime.actor.snapshot(stream.topic, request.cursor)
                content = b"" if told is None else encode(told)
                self._reply(peer, Snapshot(stream.topic, runtime.epoch, stream.seq, content))
        self._reply(peer, Snapshot(request.prefix, runtime.epoch, -1))

    def _reply(self, peer: str, message: Snapshot) -> None:
        runtime = self._runtime
        data = runtime.outbox.pack(self._told, runtime.actor.now_ns, message)
        if runtime.port.reply(peer, data):
            runtime.outbox.commit(self._told, data)
