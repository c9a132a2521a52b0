"""Tap: read the bus of a running bot. Needs no registration, delays no actor, and counts what it missed.

with Tap("runs/paper.toml", Fill) as tap:
    for envelope in tap:
        print(envelope.sender, envelope.body)
"""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from actors.live.run_time import RunTime
from actors.live.sockets import Bus
from actors.live.transport import Sink
from actors.live.transport_zmq import ZmqTransport
from actors.run.run_file import CLOCK, load
from protocol import Message, Snapshot, SnapshotRequest, frame, topics
from protocol.errors import BadMessage, Unreachable
from protocol.message import decode

REFRESH_NS = 500_000_000  # between two searches of the run folder for new actors
_count = itertools.count(1)  # taps of this process: each has a name, to which answers are sent
MAX_QUEUED = 200_000  # messages received and not yet returned by `poll`; more are dropped, and counted as lost


class Tapped(msgspec.Struct):
    """One message. `body` is None if this process does not know its type; `raw` is then its decoded content."""

    topic: str
    sender: str
    epoch: int
    seq: int
    ts_ns: int
    recv_ns: int
    body: Message | None
    raw: Any = None

    @property
    def lag_ns(self) -> int:
        """The delay from its sender to this tap."""
        return self.recv_ns - self.ts_ns


class Tap:
    """All messages that a run's actors publish, or those that match `wanted`: message types and topic prefixes.

    `run`: a run file, or a run folder. `.lost` counts missed messages, by sequence numbers; `.invalid_frames`
    frames that could not be decoded. Raises Unreachable if nothing runs there. Iterating waits; see also `poll`.
    """

    def __init__(self, run: str | Path, *wanted: type[Message] | str, publishers: list[str] | None = None) -> None:
        path = Path(run)
        self.folder = path if path.is_dir() else load(path).dir
        if not (self.folder / "run.time").exists():
            raise Unreachable(f"nothing runs in {self.folder}: start it with `tickbus run` or `tickbus up`")
        self._time = RunTime(self.folder)
        self._types = tuple(one for one in wanted if not isinstance(one, str))
        self._prefixes = tuple(topics.check_topic(one) for one in wanted if isinstance(one, str)) or ("",)
        self._only = publishers
        self._seen: dict[tuple[str, int], int] = {}
        self._queue: deque[Tapped] = deque()
        self._known: set[str] = set()
        self._refresh_ns = 0
        self.lost = self.invalid_frames = self.received = 0
        name = f"tap-{os.getpid()}-{next(_count)}"
        # libzmq's own thread takes in what passes, and answers for us, while whoever taps does something else.
        self._bus = Bus(name, self.folder, ZmqTransport, bind=False, reads_only=True)
        self._sink = Sink(self._frame, self._ignore, self._answer)
        self._refresh()

    def __enter__(self) -> "Tap":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._bus.close()

    def __iter__(self) -> Iterator[Tapped]:
        while True:
            yield from self.poll(1.0)

    def poll(self, timeout_s: float = 0.0) -> list[Tapped]:
        """The messages since the last call; waits at most `timeout_s` for the first."""
        end_ns = time.monotonic_ns() + round(timeout_s * 1e9)
        while True:
            now_ns = time.monotonic_ns()
            if now_ns >= self._refresh_ns:
                self._refresh()
            self._bus.transport.wait(0 if self._queue else min(max(0, end_ns - now_ns), REFRESH_NS))
            while self._bus.transport.drain(self._sink) and len(self._queue) < MAX_QUEUED:
                pass
            if self._queue or time.monotonic_ns() >= end_ns:
                found = list(self._queue)
                self._queue.clear()
                return found

    def request_snapshots(self, publisher: str, prefix: str) -> bool:
        """Request snapshots of a publisher's streams under a prefix; they come like messages. False: not connected."""
        stream = frame.prefix(f"req.{self._bus.name}.snapshot.")
        return self._bus.send(publisher, frame.pack(stream, 0, 0, self._time.now_ns(), SnapshotRequest(prefix)))

    @property
    def actors(self) -> list[str]:
        """The names of all actors that have a socket in the run folder."""
        return sorted(self._known)

    def _refresh(self) -> None:
        """Subscribe to new actors."""
        self._refresh_ns = time.monotonic_ns() + REFRESH_NS
        found = {path.stem for path in self.folder.glob("*.pub")} | {CLOCK}
        for name in found - self._known:
            self._known.add(name)
            if self._only is not None and name not in self._only:
                continue
            for prefix in self._prefixes:
                if not prefix or topics.publisher(prefix + "x.x.") == name or prefix.count(".") < 2:
                    self._bus.subscribe(name, prefix)

    def _frame(self, data: bytes) -> None:
        now_ns = self._time.now_ns()
        try:
            topic, epoch, seq, ts_ns, offset = frame.split(data)
            name = topics.read(topic)
        except BadMessage:
            self.invalid_frames += 1
            return
        last = self._seen.get((name, epoch))
        if last is not None and seq > last + 1:
            self.lost += seq - last - 1
        self._seen[name, epoch] = seq
        self.received += 1
        self._store(name, epoch, seq, ts_ns, now_ns, memoryview(data)[offset:])

    def _store(self, topic: str, epoch: int, seq: int, ts_ns: int, now_ns: int, body: memoryview | bytes) -> None:
        message, raw = None, None
        try:
            message = decode(body)
        except BadMessage:
            try:
                raw = msgspec.msgpack.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.invalid_frames += 1
                return
        if self._types and not isinstance(message, self._types):
            return
        if len(self._queue) >= MAX_QUEUED:
            self.lost += 1
            return
        self._queue.append(Tapped(topic, topics.publisher(topic), epoch, seq, ts_ns, now_ns, message, raw))

    def _answer(self, publisher: str, data: bytes) -> None:
        try:
            _, _, _, ts_ns, offset = frame.split(data)
            snapshot = frame.body(data, offset)
            if isinstance(snapshot, Snapshot) and snapshot.body:
                topic = topics.read(snapshot.topic.encode())
                self._store(topic, snapshot.epoch, snapshot.seq, ts_ns, self._time.now_ns(), snapshot.body)
        except BadMessage:
            self.invalid_frames += 1

    def _ignore(self, peer: str, data: bytes) -> None:
        """A tap has no command socket."""
