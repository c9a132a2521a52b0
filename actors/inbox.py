"""Inbox: the streams that an actor receives; finds gaps and new epochs, and resumes from snapshots."""

from collections.abc import Iterator

from protocol import StreamPosition, topics

MAX_HELD_FRAMES = (
    10_000  # of one stream, while a snapshot is awaited; above it they are discarded and a new snapshot is requested
)


def is_direct(topic: str) -> bool:
    """Whether it is a stream of commands or answers: sent to one actor, and never repeated in a snapshot."""
    return topic.startswith(("cmd.", "ans."))


class StreamIn:
    """One received stream. `live`: nothing is missing up to `seq`."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.publisher = topics.publisher(topic)
        self.epoch = 0
        self.seq = 0
        self.live = False
        self.held: list[tuple[int, int, bytes]] = []  # (epoch, seq, frame) that wait for a snapshot


class Inbox:
    """The subscribed streams and their positions. Decides what to deliver; sends nothing itself.

    `accept` and `resume` return the frames to deliver, in order. Streams that need a snapshot are in `unsynced`;
    Streams requests them. `duplicates` counts old frames, and held frames that were discarded.
    """

    def __init__(self) -> None:
        self.prefixes: dict[str, bool] = {}  # prefix -> its publisher has sent all snapshots under it
        self.streams: dict[bytes, StreamIn] = {}
        self.unsynced: dict[str, StreamIn] = {}
        self.lost = 0
        self.duplicates = 0

    def subscribe(self, prefix: str) -> bool:
        """False if it was subscribed already."""
        if prefix in self.prefixes:
            return False
        self.prefixes[prefix] = False
        return True

    def wants(self, topic: str) -> bool:
        return any(topic.startswith(prefix) for prefix in self.prefixes)

    def stream(self, topic: bytes) -> StreamIn | None:
        """The stream of a topic, new if a subscription covers it, else None. Raises BadMessage for an invalid topic."""
        known = self.streams.get(topic)
        if known is None:
            name = topics.read(topic)
            if name.endswith(".heart.") or not self.wants(name):
                return None
            known = self.streams[topic] = StreamIn(name)
        return known

    def accept(self, stream: StreamIn, epoch: int, seq: int, frame: bytes) -> bool:
        """Whether to deliver `frame` now. If not, it is old (dropped) or behind a gap (held)."""
        if stream.live:
            if epoch == stream.epoch:
                if seq == stream.seq + 1:
                    stream.seq = seq
                    return True
                if seq <= stream.seq:
                    self.duplicates += 1
                    return False
                self.lost += seq - stream.seq - 1
            elif epoch < stream.epoch:
                self.duplicates += 1
                return False
            self.set_stale(stream)
        elif not stream.held and ((stream.epoch == 0 and seq == 1) or (epoch, seq) == (stream.epoch, stream.seq + 1)):
            # The first frame of a stream, or the next one: it counted as lost and was late.
            stream.epoch, stream.seq, stream.live = epoch, seq, True
            self.unsynced.pop(stream.topic, None)
            return True
        self._hold(stream, epoch, seq, frame)
        return False

    def _hold(self, stream: StreamIn, epoch: int, seq: int, frame: bytes) -> None:
        if len(stream.held) >= MAX_HELD_FRAMES:
            self.duplicates += len(stream.held)
            stream.held.clear()
        stream.held.append((epoch, seq, frame))
        self.unsynced[stream.topic] = stream

    def set_stale(self, stream: StreamIn) -> None:
        """Makes a stream stale: it needs a snapshot before another frame of it is delivered."""
        stream.live = False
        self.unsynced[stream.topic] = stream

    def resume(self, stream: StreamIn, epoch: int, seq: int, has_state: bool = True) -> Iterator[bytes]:
        """Sets a stream to a snapshot at (epoch, seq). Yields the held frames that follow it without a gap.

        A snapshot without a state (`has_state` False: a stream of events alone) replaces no frame. All held frames that
        are new are delivered, the missing ones between them are lost, and those on their way still come.
        """
        seen = stream.seq if stream.epoch == epoch else 0
        held, stream.held = stream.held, []
        if not has_state and (newer := [one for one in held if one[0] == epoch and one[1] > seen]):
            seq = newer[0][1] - 1
        stream.epoch, stream.seq, stream.live = epoch, seq, True
        self.unsynced.pop(stream.topic, None)
        for at, (held_epoch, held_seq, frame) in enumerate(held):
            if held_epoch < epoch or (held_epoch == epoch and held_seq <= stream.seq):
                continue
            if held_epoch == epoch and not has_state:
                self.lost += held_seq - stream.seq - 1
                stream.seq = held_seq - 1
            if held_epoch == epoch and held_seq == stream.seq + 1:
                stream.seq = held_seq
                yield frame
                continue
            self.set_stale(stream)
            stream.held = held[at:]
            return

    def behind(self, positions: list[StreamPosition]) -> dict[str, StreamPosition]:
        """The positions that are not reached yet, of streams that are subscribed."""
        missing = {}
        for position in positions:
            topic, epoch, seq = position
            stream = self.streams.get(topic.encode())
            if stream is None:
                if self.wants(topic):
                    missing[topic] = position
            elif not stream.live or stream.epoch < epoch or (stream.epoch == epoch and stream.seq < seq):
                missing[topic] = position
        return missing

    def of(self, publisher: str) -> list[StreamIn]:
        """Every known stream of one publisher."""
        return [stream for stream in self.streams.values() if stream.publisher == publisher]
