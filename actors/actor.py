"""Actor: a synchronous state machine. Its handlers decide; what they decide is queued, and the driver performs it."""

import difflib
from collections.abc import Callable
from typing import Any, ClassVar

from actors.effects import ActorEffects
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link, Listener
from protocol import Answer, Command, Message, Tick
from protocol import Settings as BaseSettings
from protocol.errors import BadHandler
from protocol.message import REGISTRY, handler_name

LIFECYCLE = ("on_start", "on_stop", "on_stale", "on_live", "on_journal", "on_peer", "on_short_done")


class Actor:
    """The base class of every process on the bus. It satisfies `actors.effects.Effects` for its parts.

    A message of type `OrderUpdate` is handled by a method `on_order_update(self, update)`; its return value is
    ignored, except for a Command: return an Answer (or None, which is OK). `self.envelope` holds sender, topic,
    epoch, seq and ts_ns of the message in hand. Handlers never wait, never read a clock, never do I/O.
    """

    class Settings(BaseSettings):
        """What the actor's `settings` table in a run file may contain. Subclass it under the same name."""

    ticks: ClassVar[bool] = True  # the clock ticks it
    network: ClassVar[bool] = False  # uses HTTP or websockets: the live driver then runs it on an asyncio loop
    journals: ClassVar[tuple[str, ...]] = ()  # append-only files, read back before on_start
    stop_within_ms: ClassVar[int] = 8_000  # after a stop request, the longest time that `may_stop` may return False
    # Receives (sender, n) of each TickDone without positions, in place of on_tick_done, unless it returns False.
    on_short_done: Callable[[str, int], bool] | None = None

    def __init__(self, name: str, settings: BaseSettings, effects: ActorEffects) -> None:
        self.name: str = name
        self.settings: Any = settings
        self.effects = effects
        self.log = effects.log
        self.now_ns: int = effects.now_ns  # UTC; set before each handler runs, and constant within one
        self.envelope = effects.envelope
        self.epoch = effects.epoch  # number of this process run; each restart has a higher one
        self.follows = effects.follows  # the publishers that the run file names in `follows`
        self.keys = effects.keys  # of the run file's `keys` entry; None without one
        self.suspended_ns = effects.suspended_ns  # returns how long the machine was suspended since the start
        self.kill_switch = effects.kill_switch  # returns 0, or 1: send nothing new, or 2: cancel all orders too

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        known = {handler_name(kind) for kind in REGISTRY.types.values()} | set(LIFECYCLE)
        for name in vars(cls):
            if name.startswith("on_") and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f", did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"
                raise BadHandler(f"{cls.__module__}.{cls.__qualname__}: no message reaches {name}{hint}")

    # -- handlers of the process and its streams: override what you need -------------------------------

    def on_start(self) -> None:
        """Called once, before any message: subscribe, set timers, connect."""

    def on_tick(self, tick: Tick) -> None:
        """It is this actor's turn; it has received all that it follows up to the tick's positions."""

    def on_stale(self, topic: str) -> None:
        """Messages of `topic` are missing, or its publisher is gone; a snapshot has been requested."""

    def on_live(self, topic: str) -> None:
        """`topic` is complete again; its snapshot, if it has one, was handled just before."""

    def on_peer(self, name: str, up: bool) -> None:
        """A publisher that this actor follows has started (with a new epoch), or has been silent for 3 s."""

    def on_journal(self, journal: str, records: list[bytes]) -> None:
        """Called once for each of `journals`, before on_start, with the records of earlier process runs."""

    def on_stop(self) -> None:
        """A stop was requested: begin to shut down."""

    def may_stop(self) -> bool:
        """Whether shutting down is complete; called after each event, at most for `stop_within_ms`."""
        return True

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        """The whole state of a stream that this actor publishes, as one message; None if it has no state."""
        return None

    def cursor(self, topic: str) -> int:
        """The cursor of a SnapshotRequest for `topic`: how far this actor has come."""
        return 0

    # -- effects: each of these queues; the driver performs them in order after the handler -------------

    def publish(self, topic: str, message: Message) -> int:
        """Publish to all subscribers of `topic`, whose second token is this actor's name. Returns the message's seq."""
        return self.effects.publish(topic, message)

    def subscribe(self, prefix: str) -> None:
        """Subscribe to one publisher's streams under `prefix` ("md.binance.BTC-USDT."), each from a snapshot on."""
        self.effects.subscribe(prefix)

    def resync(self, topic: str) -> None:
        """Make a followed stream stale until its publisher has sent a snapshot."""
        self.effects.resync(topic)

    def heartbeats(self, name: str) -> int:
        """Returns the number of heartbeats received from another actor; the first call subscribes to them."""
        return self.effects.heartbeats(name)

    def new_id(self) -> int:
        """A command id, unique over restarts: epoch << 32 | counter."""
        return self.effects.new_id()

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None = None) -> None:
        """Send a command; `then` receives exactly one Answer, also if `target` is not connected or does not answer."""
        self.effects.send(target, command, then)

    def queue(self, call: Callable[..., object], *args: Any) -> None:
        """Run `call(*args)` after all effects queued before it are performed."""
        self.effects.queue(call, *args)

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        """Run `call(*args)` once, `delay_ns` from now. Returns the timer's number, for `cancel_timer`."""
        return self.effects.after(delay_ns, call, *args)

    def cancel_timer(self, timer: int) -> None:
        """Cancel a timer; has no effect if it has run."""
        self.effects.cancel_timer(timer)

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        """Send a request; `then` receives exactly one answer or failure."""
        self.effects.http(request, then)

    def connect(self, url: str, listener: Listener) -> Link:
        """Open a websocket."""
        return self.effects.connect(url, listener)

    def append(self, journal: str, record: bytes, then: Callable[[str], None] | None = None) -> None:
        """Append to one of `journals`; `then` receives "" once it is written, and the error's text if it cannot be."""
        self.effects.append(journal, record, then)

    def rewrite(self, journal: str, records: list[bytes], then: Callable[[str], None] | None = None) -> None:
        """Replace a journal's whole content at once; `then` receives "" or the error's text.

        A journal that could not take a record accepts others again only after this.
        """
        self.effects.rewrite(journal, records, then)

    def health(self, state: str, detail: str = "") -> None:
        """Publish this actor's status, if it has changed."""
        self.effects.health(state, detail)

    def request_stop(self) -> None:
        """Begin an orderly stop: `on_stop`, then the process ends when `may_stop` returns True."""
        self.effects.request_stop()

    def stop(self, reason: str, exit_code: int = 0) -> None:
        """End this process. A supervisor starts it again, unless the operator has stopped it there."""
        self.effects.stop(reason, exit_code)
