"""EffectQueue: keeps what an actor's handlers decide, and performs it in order once they have returned."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from actors.actor_clock import ActorClock
from actors.command_client import CommandClient
from actors.effects import Log
from actors.envelope import Envelope
from actors.log.secret import ApiKey
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link, Listener
from actors.outbox import Outbox
from actors.port import Port
from actors.safe_start import NORMAL, SafeStart
from actors.sender import Sender
from actors.timers import Timers
from protocol import Answer, Command, Health, Message, topics


class RuntimeControl(Protocol):
    """What the runtime does at once when its actor requests it."""

    def subscribe(self, prefix: str) -> None: ...

    def resync(self, topic: str) -> None: ...

    def heartbeats(self, name: str) -> int: ...

    def request_stop(self) -> None: ...

    def stop(self, reason: str, exit_code: int) -> None: ...


class EffectQueue:
    """Implements ActorEffects. An entry is a frame to publish, or a call of the port with its arguments."""

    def __init__(
        self,
        name: str,
        follows: list[str],
        log: Log,
        keys: ApiKey | None,
        kill_switch: Callable[[], int],
        suspended_ns: Callable[[], int],
        *,
        envelope: Envelope,
        clock: ActorClock,
        timers: Timers,
        outbox: Outbox,
        sender: Sender,
        commands: CommandClient,
        port: Port,
        control: RuntimeControl,
        safe_start: SafeStart = NORMAL,
    ) -> None:
        self.name = name
        self.epoch = outbox.epoch
        self.follows = follows
        self.safe_start = safe_start
        self.log = log
        self.keys = keys
        self.kill_switch = kill_switch
        self.suspended_ns = suspended_ns
        self.envelope = envelope
        self.clock = clock
        self.outbox = outbox
        self.sender = sender
        self.real_time = port.real_time and not clock.lockstep
        self.state = self.detail = ""
        self._timers = timers
        self._commands = commands
        self._port = port
        self._pub: Callable[[bytes], None] = port.pub
        self._control = control
        self._links = 0
        self.pending: deque[bytes | Callable[[], object]] = deque()

    @property
    def now_ns(self) -> int:
        return self.clock.now_ns

    @property
    def anchor_ns(self) -> int:
        return self.clock.anchor_ns

    def perform(self) -> None:
        """Performs what is queued, and what that queues in turn."""
        pending = self.pending
        while pending:
            effect = pending.popleft()
            if isinstance(effect, bytes):  # a frame to publish: by far the most frequent effect
                self._pub(effect)
            else:
                effect()

    def queue(self, call: Callable[..., object], *args: Any) -> None:
        self.pending.append(partial(call, *args))

    # -- the bus --------------------------------------------------------------------------------------

    def publish(self, topic: str, message: Message) -> int:
        outbox = self.outbox
        stream = outbox.streams.get(topic)
        if stream is None:
            assert topics.publisher(topics.check_topic(topic)) == self.name, f"{self.name} publishes {topic}"
            stream = outbox.stream(topic)
        self.pending.append(outbox.next(stream, self.clock.now_ns, message))
        return stream.seq

    def publish_untraced(self, topic: str, message: Message) -> None:
        stream = self.outbox.stream(topic, False)
        self.pending.append(self.outbox.next(stream, self.clock.now_ns, message))

    def subscribe(self, prefix: str) -> None:
        self._control.subscribe(prefix)

    def resync(self, topic: str) -> None:
        self._control.resync(topic)

    def heartbeats(self, name: str) -> int:
        return self._control.heartbeats(name)

    def new_id(self) -> int:
        return self._commands.new_id()

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None) -> None:
        self.pending.append(partial(self._commands.send, target, command, then))

    def health(self, state: str, detail: str) -> None:
        if (state, detail) != (self.state, self.detail):
            self.state, self.detail = state, detail
            self.publish(topics.health(self.name), Health(state, detail))

    # -- timers and the process -----------------------------------------------------------------------

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        return self._timers.add(self.clock.now_ns + delay_ns, call, *args)

    def cancel_timer(self, timer: int) -> None:
        self._timers.cancel(timer)

    def request_stop(self) -> None:
        self._control.request_stop()

    def stop(self, reason: str, exit_code: int) -> None:
        self._control.stop(reason, exit_code)

    # -- HTTP, websockets, files ----------------------------------------------------------------------

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        self.pending.append(partial(self._port.http, request, then))

    def connect(self, url: str, listener: Listener) -> Link:
        self._links += 1
        link = Link(self._links, url, listener, self)
        self.pending.append(partial(self._port.ws_connect, link))
        return link

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self.pending.append(partial(self._port.ws_send, link, data))

    def ws_send_now(self, link: Link, data: str | bytes) -> None:
        self._port.ws_send(link, data)

    def ws_close(self, link: Link) -> None:
        self.pending.append(partial(self._port.ws_close, link))

    def append(self, journal: str, record: bytes, then: Callable[[str], None] | None = None) -> None:
        self.pending.append(partial(self._append, journal, record, then))

    def _append(self, journal: str, record: bytes, then: Callable[[str], None] | None) -> None:
        self._report(journal, self._port.append(journal, record), then)

    def rewrite(self, journal: str, records: list[bytes], then: Callable[[str], None] | None = None) -> None:
        self.pending.append(partial(self._rewrite, journal, records, then))

    def _rewrite(self, journal: str, records: list[bytes], then: Callable[[str], None] | None) -> None:
        self._report(journal, self._port.rewrite(journal, records), then)

    def _report(self, journal: str, trouble: str, then: Callable[[str], None] | None) -> None:
        if then is not None:
            then(trouble)
        elif trouble:
            self.log.error("journal write failed", journal=journal, error=trouble)
