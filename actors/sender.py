"""Sender: frames to one actor. A frame counts in its stream only if the port has accepted it."""

from collections.abc import Callable

from actors.actor_clock import ActorClock
from actors.outbox import Outbox, StreamOut
from actors.port import Port
from protocol import Message


class Sender:
    """Sends on the command sockets of other actors and replies on our own. Sending is immediate, not queued."""

    def __init__(self, outbox: Outbox, port: Port, clock: ActorClock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._send: Callable[[str, bytes], bool] = port.send
        self._reply: Callable[[str, bytes], bool] = port.reply

    def send(self, target: str, stream: StreamOut, message: Message) -> bool:
        """Sends the next message of `stream` to the actor `target`. False if it is not connected: nothing was sent."""
        frame = self._outbox.pack(stream, self._clock.now_ns, message)
        if not self._send(target, frame):
            return False
        self._outbox.commit(stream, frame)
        return True

    def send_frame(self, target: str, stream: StreamOut, frame: bytes) -> bool:
        """As `send`, with the frame packed already."""
        if not self._send(target, frame):
            return False
        self._outbox.commit(stream, frame)
        return True

    def reply(self, peer: str, stream: StreamOut, message: Message) -> bool:
        """Sends the next message of `stream` back to an actor that has sent to us. False if it is gone."""
        frame = self._outbox.pack(stream, self._clock.now_ns, message)
        if not self._reply(peer, frame):
            return False
        self._outbox.commit(stream, frame)
        return True

    def reply_frame(self, peer: str, stream: StreamOut, frame: bytes) -> bool:
        """As `reply`, with the frame packed already."""
        if not self._reply(peer, frame):
            return False
        self._outbox.commit(stream, frame)
        return True
