"""Tap: listen to a running house. Needs no registration, slows nobody, and says what it missed.

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

LOOK_NS = 500_000_000  # how often the folder is looked at for actors that have joined
_count = itertools.count(1)  # taps of this process: an answer goes by its asker's name
MAX_QUEUED = 200_000  # frames taken off the sockets and not yet asked for; more are lost, and counted


class Tapped(msgspec.Struct):
    """One message as it passed. `body` is None where this process does not know the type; `raw` is its plain form."""

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
        """From its sender to this tap."""
        return self.recv_ns - self.ts_ns


class Tap:
    """Everything that a run's actors tell, or what matches `wanted`: message types and topic prefixes.

    `run`: a run file, or a run folder. `.lost` counts what was missed, by sequence numbers; `.garbage` what was no
    message. Raises Unreachable if nothing runs there. Iterating waits; `poll` does not wait longer than it is told.
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
        self._look_ns = 0
        self.lost = self.garbage = self.received = 0
        name = f"tap-{os.getpid()}-{next(_count)}"
        # libzmq's own thread takes in what passes, and answers for us, while whoever taps does something else.
        self._bus = Bus(name, self.folder, ZmqTransport, bind=False)
        self._sink = Sink(self._frame, self._ignore, self._answer)
        self._look()

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
        """What has passed since the last call; waits at most `timeout_s` for the first."""
        end_ns = time.monotonic_ns() + round(timeout_s * 1e9)
        while True:
            now_ns = time.monotonic_ns()
            if now_ns >= self._look_ns:
                self._look()
            self._bus.transport.wait(0 if self._queue else min(max(0, end_ns - now_ns), LOOK_NS))
            while self._bus.transport.drain(self._sink) and len(self._queue) < MAX_QUEUED:
                pass
            if self._queue or time.monotonic_ns() >= end_ns:
                found = list(self._queue)
                self._queue.clear()
                return found

    def ask(self, publisher: str, prefix: str) -> bool:
        """Ask a publisher for snapshots of its streams under a prefix; they come like messages, marked by `raw`."""
        stream = frame.prefix(f"req.{self._bus.name}.snapshot.")
        return self._bus.send(publisher, frame.pack(stream, 0, 0, self._time.now_ns(), SnapshotRequest(prefix)))

    @property
    def actors(self) -> list[str]:
        """Whoever has a socket in the run folder."""
        return sorted(self._known)

    def _look(self) -> None:
        """Subscribe to actors that were not there before."""
        self._look_ns = time.monotonic_ns() + LOOK_NS
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
            self.garbage += 1
            return
        last = self._seen.get((name, epoch))
        if last is not None and seq > last + 1:
            self.lost += seq - last - 1
        self._seen[name, epoch] = seq
        self.received += 1
        self._take(name, epoch, seq, ts_ns, now_ns, memoryview(data)[offset:])

    def _take(self, topic: str, epoch: int, seq: int, ts_ns: int, now_ns: int, body: memoryview | bytes) -> None:
        message, raw = None, None
        try:
            message = decode(body)
        except BadMessage:
            try:
                raw = msgspec.msgpack.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.garbage += 1
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
            told = frame.body(data, offset)
            if isinstance(told, Snapshot) and told.body:
                topic = topics.read(told.topic.encode())
                self._take(topic, told.epoch, told.seq, ts_ns, self._time.now_ns(), told.body)
        except BadMessage:
            self.garbage += 1

    def _ignore(self, peer: str, data: bytes) -> None:
        """A tap has no command socket."""
