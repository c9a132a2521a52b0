"""Actor: a synchronous state machine. Handlers decide; what they ask for is queued, and the driver does it."""

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link, Listener
from protocol import Answer, Command, Health, Message, Tick, topics
from protocol import Settings as BaseSettings
from protocol.errors import BadHandler
from protocol.message import REGISTRY, handler_name

if TYPE_CHECKING:
    from actors.runtime import Runtime

LIFECYCLE = ("on_start", "on_stop", "on_stale", "on_live", "on_journal", "on_peer")


class Actor:
    """The base of everything that lives on the bus.

    A message of type `OrderUpdate` is handled by a method `on_order_update(self, update)`; its return value is
    ignored, except for a Command: return an Answer (or None, which is OK). `self.envelope` tells sender, topic,
    epoch, seq and ts_ns of the message in hand. Handlers never wait, never read a clock, never do I/O.
    """

    class Settings(BaseSettings):
        """What the actor's `settings` table in a run file may hold. Subclass it under the same name."""

    ticks: ClassVar[bool] = True  # joins the clock's order
    network: ClassVar[bool] = False  # wants HTTP and websockets: the live driver then runs it on uvloop
    journals: ClassVar[tuple[str, ...]] = ()  # append-only files, read back before on_start
    keys: Any = None  # ApiKey of the run file's `keys` entry; set by the driver before on_start
    kill_switch: Callable[[], int] = staticmethod(lambda: 0)  # 1: send nothing new; 2: cancel too; set by the driver
    stop_within_ms: ClassVar[int] = 8_000  # how long `may_stop` may say no after a stop was asked for

    def __init__(self, name: str, settings: BaseSettings, runtime: "Runtime") -> None:
        self.name: str = name
        self.settings: Any = settings
        self.runtime = runtime
        self.log = runtime.log
        self.now_ns: int = 0  # UTC; set before each handler runs; the same for everything within one
        self.envelope = runtime.envelope
        self.epoch = runtime.epoch  # number of this process run; each restart has a higher one
        self.follows = runtime.follows  # the publishers that the run file names in `follows`

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        known = {handler_name(kind) for kind in REGISTRY.types.values()} | set(LIFECYCLE)
        for name in vars(cls):
            if name.startswith("on_") and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f", did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"
                raise BadHandler(f"{cls.__module__}.{cls.__qualname__}: no message reaches {name}{hint}")

    # -- the life of an actor: override what you need ------------------------------------------------

    def on_start(self) -> None:
        """Once, before anything else: subscribe, set timers, connect."""

    def on_tick(self, tick: Tick) -> None:
        """It is this actor's turn; all that it follows is seen up to the tick's marks."""

    def on_stale(self, topic: str) -> None:
        """Messages of `topic` are missing, or its publisher is gone; a snapshot is on its way."""

    def on_live(self, topic: str) -> None:
        """`topic` is whole again (its snapshot, if it has one, was handled just before)."""

    def on_peer(self, name: str, up: bool) -> None:
        """A publisher that this actor follows came (with a new epoch), or has been silent for too long."""

    def on_journal(self, journal: str, records: list[bytes]) -> None:
        """What `journal` holds from earlier lives; once for each of `journals`, before on_start."""

    def on_stop(self) -> None:
        """A stop was asked for: begin to wind up."""

    def may_stop(self) -> bool:
        """Whether winding up is done; asked again after each event, at most for `stop_within_ms`."""
        return True

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        """The message that says all of a stream that this actor publishes; None if there is nothing to catch up on."""
        return None

    def cursor(self, topic: str) -> int:
        """What to put into a SnapshotRequest for `topic`: how far this actor has come."""
        return 0

    # -- effects: each of these queues; the driver performs them in order after the handler -------------

    def publish(self, topic: str, message: Message) -> int:
        """Tell everybody who listens; the seq that the message got. `topic` has this actor's name second."""
        return self.runtime.publish(topic, message)

    def subscribe(self, prefix: str) -> None:
        """Hear every stream of one publisher that starts with `prefix` ("md.binance.BTC-USDT."), from a snapshot on."""
        self.runtime.subscribe(prefix)

    def new_id(self) -> int:
        """A command id, unique over restarts: epoch << 32 | counter."""
        return self.runtime.new_id()

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None = None) -> None:
        """Send a command; `then` gets its one Answer, also if nobody was there or none came in time."""
        self.runtime.send(target, command, then)

    def queue(self, call: Callable[..., None], *args: Any) -> None:
        """Run `call(*args)` after all effects queued before it are performed."""
        self.runtime.effect("_call", call, *args)

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        """Run `call(*args)` once, `delay_ns` from now; the number that `cancel_timer` takes."""
        return self.runtime.after(delay_ns, call, *args)

    def cancel_timer(self, timer: int) -> None:
        """Forget a timer; harmless if it has run."""
        self.runtime.cancel_timer(timer)

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        """Send a request; `then` gets exactly one answer or failure."""
        self.runtime.effect("http", request, then)

    def connect(self, url: str, listener: Listener) -> Link:
        """Open a websocket."""
        return self.runtime.connect(url, listener)

    def append(self, journal: str, record: bytes, then: Callable[[str], None] | None = None) -> None:
        """Append to a journal of `journals`; `then("")` runs once it is written, `then(why not)` if it cannot be."""
        self.runtime.effect("append", journal, record, then)

    def rewrite(self, journal: str, records: list[bytes]) -> None:
        """Replace a journal's whole content at once (compaction)."""
        self.runtime.effect("rewrite", journal, records)

    def health(self, state: str, detail: str = "") -> None:
        """Say how this actor is, when that changes."""
        if self.runtime.set_health(state, detail):
            self.publish(topics.health(self.name), Health(state, detail))

    def resync(self, topic: str) -> None:
        """Stop trusting a stream that this actor follows: it is stale until its publisher has sent a snapshot."""
        self.runtime.streams.resync(topic)

    def request_stop(self) -> None:
        """Begin an orderly stop: `on_stop`, then the process ends when `may_stop` returns True."""
        self.runtime.request_stop()

    def stop(self, reason: str, exit_code: int = 0) -> None:
        """End this process (a supervisor starts it again unless told otherwise)."""
        self.runtime.stop(reason, exit_code)
