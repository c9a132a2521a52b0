"""TickSender: messages from the clock to an actor. Most are Ticks without positions, which are encoded in place."""

from actors.actor_clock import ActorClock
from actors.outbox import Outbox, StreamOut
from actors.sender import Sender
from protocol import Message
from protocol.tick_codec import TICK_CODEC


class TickSender:
    """Sends at once, on one stream for each actor, `tell.<clock>.<actor>.`; it does not wait for an answer."""

    def __init__(self, name: str, outbox: Outbox, sender: Sender, clock: ActorClock) -> None:
        self._name = name
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._codec = TICK_CODEC
        self._streams: dict[str, StreamOut] = {}

    def send(self, target: str, message: Message) -> bool:
        """Sends a message; False if `target` is not connected."""
        return self._sender.send(target, self._stream(target), message)

    def send_tick(self, target: str, n: int, time_ns: int, period_ns: int, skipped: int) -> bool:
        """Sends a Tick without positions and without names of late actors; False if `target` is not connected."""
        stream, ts_ns = self._stream(target), self._clock.now_ns
        frame = self._codec.encode_tick(
            stream.prefix, self._outbox.epoch, stream.seq + 1, ts_ns, n, time_ns, period_ns, skipped
        )
        return self._sender.send_frame(target, stream, frame)

    def _stream(self, target: str) -> StreamOut:
        stream = self._streams.get(target)
        if stream is None:
            stream = self._streams[target] = self._outbox.stream(f"tell.{self._name}.{target}.", False)
        return stream
