"""Dispatcher: hands messages to the actor's handlers, at once or, in lockstep, at its next turn."""

from collections.abc import Callable
from typing import Any

from actors.actor import Actor
from actors.actor_clock import ActorClock
from actors.effects import Log
from actors.envelope import Envelope
from actors.inbox import StreamIn
from actors.timers import Timers
from protocol import Message, Tick, topics
from protocol.message import REGISTRY, handler_name

INVALID_LOGGED = 10  # log this many invalid frames one by one, then every thousandth


def find_handlers(actor: Actor) -> dict[type[Message], Callable[[Any], Any]]:
    """The actor's handler of each message type that it has one for; `on_tick` is left to Turns."""
    found = {}
    for kind in REGISTRY.types.values():
        method = getattr(actor, handler_name(kind), None)
        if method is not None and kind is not Tick:
            found[kind] = method
    return found


class Dispatcher:
    """Runs one actor's handlers. With a lockstep clock, it queues what arrives and runs it in `advance`."""

    def __init__(self, actor: Actor, envelope: Envelope, clock: ActorClock, timers: Timers, log: Log) -> None:
        self._actor = actor
        self._name = actor.name
        self._envelope = envelope
        self._clock = clock
        self._timers = timers
        self._log = log
        self._handlers = find_handlers(actor)
        self._queued: dict[tuple[str, str], list[tuple[Callable[..., None], tuple[Any, ...]]]] = {}
        self.invalid_frames = 0

    def deliver(self, stream: StreamIn, epoch: int, seq: int, ts_ns: int, message: Message) -> None:
        """Hands over the next message of a stream."""
        if self._clock.lockstep:
            source = (stream.publisher, stream.topic, epoch, seq, ts_ns)
            self.run_or_queue(("pub", stream.publisher), self.handle, *source, message)
        else:
            self.handle(stream.publisher, stream.topic, epoch, seq, ts_ns, message)

    def run_or_queue(self, channel: tuple[str, str], call: Callable[..., None], *args: Any) -> None:
        """Runs `call(*args)`, or queues it under `channel` in lockstep, so that races between sockets do not matter."""
        if self._clock.lockstep:
            self._queued.setdefault(channel, []).append((call, args))
        else:
            call(*args)

    def advance(self, now_ns: int) -> None:
        """Lockstep: sets the actor's time, runs what is queued, channel by channel, then the timers that are due."""
        self._clock.now_ns = self._actor.now_ns = now_ns
        queued, self._queued = self._queued, {}
        for channel in sorted(queued):
            for call, args in queued[channel]:
                call(*args)
        due = self._timers.pop_due(now_ns)
        while due is not None:
            due[0](*due[1])
            due = self._timers.pop_due(now_ns)

    def handle(self, sender: str, topic: str, epoch: int, seq: int, ts_ns: int, message: Message) -> Any:
        """Calls the handler of the message, if the actor has one. Returns its return value."""
        handler = self._handlers.get(type(message))
        if handler is None:
            return None
        envelope = self._envelope
        envelope.sender, envelope.topic, envelope.epoch, envelope.seq, envelope.ts_ns = sender, topic, epoch, seq, ts_ns
        return handler(message)

    def handle_command(self, peer: str, epoch: int, seq: int, ts_ns: int, command: Message) -> Any:
        """Calls the handler of a command from `peer`. NotImplemented if the actor has none."""
        if type(command) not in self._handlers:
            return NotImplemented
        return self.handle(peer, topics.commands(peer, self._name), epoch, seq, ts_ns, command)

    def dead_letter(self, source: str, data: bytes, error: Exception) -> None:
        """Counts bytes that are an invalid frame, and logs some of them."""
        self.invalid_frames += 1
        if self.invalid_frames <= INVALID_LOGGED or self.invalid_frames % 1000 == 0:
            count, text = self.invalid_frames, str(error)[:200]
            self._log.warning("invalid frame", source=source, count=count, error=text, head=data[:60].hex())
