"""SnapshotServer: the publisher's side of catching up; answers snapshot requests for this actor's streams."""

from typing import Protocol

from actors.inbox import is_direct
from actors.outbox import Outbox
from actors.sender import Sender
from protocol import Message, Snapshot, SnapshotRequest, encode, topics
from protocol.errors import BadTopic

MAX_STREAMS = 10_000  # with more, an actor opens no further stream because of a request


class SnapshotSource(Protocol):
    """An actor as SnapshotServer sees it."""

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        """The whole state of a stream; None if it has none."""


class SnapshotServer:
    """Replies with a Snapshot of each stream under the requested prefix, then with one that ends the list (seq -1)."""

    def __init__(self, name: str, outbox: Outbox, sender: Sender, source: SnapshotSource) -> None:
        self._name = name
        self._outbox = outbox
        self._sender = sender
        self._source = source
        self._stream = outbox.stream(f"rep.{name}.snapshot.", marked=False)

    def answer(self, peer: str, request: SnapshotRequest) -> None:
        """Sends the snapshots that `peer` has requested."""
        outbox, prefix, cursor = self._outbox, request.prefix, request.cursor
        known = outbox.streams
        new = prefix not in known and self._is_own_topic(prefix)
        if new and len(known) < MAX_STREAMS and self._source.snapshot(prefix, cursor) is not None:
            outbox.stream(prefix)  # nothing is published on it yet in this run, but it has a state: it stands at 0
        for stream in list(known.values()):
            if stream.marked and stream.topic.startswith(prefix) and not is_direct(stream.topic):
                state = self._source.snapshot(stream.topic, cursor)
                content = b"" if state is None else encode(state)
                self._reply(peer, Snapshot(stream.topic, outbox.epoch, stream.seq, content))
        self._reply(peer, Snapshot(prefix, outbox.epoch, -1))

    def _reply(self, peer: str, snapshot: Snapshot) -> None:
        self._sender.reply(peer, self._stream, snapshot)

    def _is_own_topic(self, prefix: str) -> bool:
        """Whether it could be a stream of this actor: a request may contain any text."""
        try:
            return topics.publisher(topics.check_topic(prefix)) == self._name
        except BadTopic:
            return False
