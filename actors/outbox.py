"""Outbox: the streams that an actor sends; sequence numbers, positions, and a hash of all that was sent."""

import hashlib

from protocol import Message, StreamPosition, encode
from protocol.frame import MAX_FRAME_BYTES, join, prefix

MAX_POSITIONS = 1_000  # in one heartbeat


class StreamOut:
    """One stream that this actor sends. `marked`: the clock forwards its position to its subscribers."""

    def __init__(self, topic: str, marked: bool) -> None:
        self.topic = topic
        self.prefix = prefix(topic)
        self.seq = 0
        self.marked = marked


class Outbox:
    """Numbers what an actor sends, one count for each topic, and keeps the hash by which two runs are compared."""

    def __init__(self, epoch: int, trace: bool = False) -> None:
        self.epoch = epoch
        self.streams: dict[str, StreamOut] = {}
        self._moved: dict[str, StreamOut] = {}
        self._trace = hashlib.blake2b(digest_size=8) if trace else None

    def stream(self, topic: str, marked: bool = True) -> StreamOut:
        """The stream of a topic, new at seq 0."""
        known = self.streams.get(topic)
        if known is None:
            known = self.streams[topic] = StreamOut(topic, marked)
        return known

    def pack(self, stream: StreamOut, ts_ns: int, message: Message) -> bytes:
        """The next frame of a stream; `commit` makes it count. Raises ValueError above the size limit."""
        data: bytes = join(stream.prefix, self.epoch, stream.seq + 1, ts_ns, encode(message))
        if len(data) > MAX_FRAME_BYTES:
            raise ValueError(f"{stream.topic}: a message of {len(data)} bytes; at most {MAX_FRAME_BYTES} fit")
        return data

    def next(self, stream: StreamOut, ts_ns: int, message: Message) -> bytes:
        """`pack` and `commit`."""
        data = self.pack(stream, ts_ns, message)
        self.commit(stream, data)
        return data

    def commit(self, stream: StreamOut, data: bytes) -> None:
        """Counts a sent frame: advances the stream, its position and the trace."""
        stream.seq += 1
        if stream.marked:
            self._moved[stream.topic] = stream
            if self._trace is not None:
                self._trace.update(data)

    def drain_positions(self) -> list[StreamPosition]:
        """The positions of the marked streams that moved since the last call."""
        if not self._moved:
            return []
        positions = [(stream.topic, self.epoch, stream.seq) for stream in self._moved.values()]
        self._moved.clear()
        return positions

    def positions(self) -> list[StreamPosition]:
        """The positions of all marked streams, at most MAX_POSITIONS: those with the most messages. For heartbeats."""
        marked = [stream for stream in self.streams.values() if stream.marked]
        if len(marked) > MAX_POSITIONS:
            marked = sorted(marked, key=lambda stream: -stream.seq)[:MAX_POSITIONS]
        return [(stream.topic, self.epoch, stream.seq) for stream in marked]

    @property
    def trace(self) -> int:
        """Hash of every marked frame so far; 0 when tracing is off."""
        return 0 if self._trace is None else int.from_bytes(self._trace.digest(), "little")
