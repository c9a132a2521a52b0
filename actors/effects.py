"""Effects: what an actor and its parts may do. Each effect is queued; the driver performs the queue in order."""

from collections.abc import Callable
from typing import Any, Protocol

from actors.envelope import Envelope
from actors.log.secret import ApiKey
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link, Listener
from actors.safe_start import SafeStart
from protocol import Answer, Command, Message


class Log(Protocol):
    """A structured log: `log.warning("order rejected", symbol=..., code=...)` writes one line."""

    def debug(self, event: str, **fields: Any) -> Any:
        """Writes a line that is only of use when debugging."""

    def info(self, event: str, **fields: Any) -> Any:
        """Writes a line about a normal event."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Writes a line about trouble that the actor handles."""

    def error(self, event: str, **fields: Any) -> Any:
        """Writes a line about a failure that needs the operator."""


class Effects(Protocol):
    """The effects that parts of an actor use. An Actor itself satisfies this Protocol; so does a small test double.

    No method waits and none does I/O: the driver performs the queue, in order, when the handler has returned.
    """

    @property
    def name(self) -> str:
        """The actor's name: the second part of each topic that it publishes."""

    @property
    def now_ns(self) -> int:
        """UTC time of the event in hand, in nanoseconds; it does not change within one handler."""

    @property
    def log(self) -> Log:
        """The actor's log."""

    def publish(self, topic: str, message: Message) -> int:
        """Publishes a message to all subscribers of `topic`. Returns its sequence number."""

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        """Sets a timer that runs `call(*args)` once. Returns the timer's number, for `cancel_timer`."""

    def cancel_timer(self, timer: int) -> None:
        """Cancels a timer; has no effect if it has run or does not exist."""

    def queue(self, call: Callable[..., object], *args: Any) -> None:
        """Runs `call(*args)` after all effects queued before it are performed."""

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        """Sends an HTTP request; `then` receives exactly one answer or failure."""

    def connect(self, url: str, listener: Listener) -> Link:
        """Opens a websocket; `listener` receives its events."""

    def append(self, journal: str, record: bytes, then: Callable[[str], None] | None = None) -> None:
        """Appends a record to a journal. `then` receives "" once it is written, else the error's text.

        After an error no record is accepted until `rewrite` has replaced the whole content.
        """

    def rewrite(self, journal: str, records: list[bytes], then: Callable[[str], None] | None = None) -> None:
        """Replaces the whole content of a journal. `then` receives "" or the error's text, as for `append`."""

    def heartbeats(self, name: str) -> int:
        """Returns the number of heartbeats received from another actor; the first call subscribes to them."""

    def request_stop(self) -> None:
        """Begins an orderly stop: `on_stop`, then the process ends when `may_stop` returns True."""


class ActorEffects(Effects, Protocol):
    """The effects that an Actor itself uses; its runtime provides them."""

    @property
    def epoch(self) -> int:
        """The number of this process run; a restart gets a higher one."""

    @property
    def follows(self) -> list[str]:
        """The actors that the run file names in `follows`."""

    @property
    def keys(self) -> ApiKey | None:
        """The API key of the run file's `keys` entry; None without one."""

    @property
    def suspended_ns(self) -> Callable[[], int]:
        """Returns for how many ns the machine was suspended since the process started."""

    @property
    def kill_switch(self) -> Callable[[], int]:
        """Returns 0, or 1: send nothing new, or 2: cancel all orders too."""

    @property
    def safe_start(self) -> SafeStart:
        """After a crash loop: for how long this actor is to do its safe work alone, and the reason."""

    @property
    def envelope(self) -> Envelope:
        """The origin of the message in hand."""

    @property
    def state(self) -> str:
        """The status that `health` published last; empty before that."""

    @property
    def detail(self) -> str:
        """The explanation of `state`."""

    @property
    def real_time(self) -> bool:
        """Whether time passes while code runs: False in the sim driver and in lockstep."""

    @property
    def anchor_ns(self) -> int:
        """What to add to the monotonic clock to get `now_ns`."""

    def publish_untraced(self, topic: str, message: Message) -> None:
        """Publishes a message that is in no trace and that no actor waits for before its turn."""

    def subscribe(self, prefix: str) -> None:
        """Subscribes to each stream of one publisher that starts with `prefix`."""

    def resync(self, topic: str) -> None:
        """Makes a stream stale until its publisher has sent a snapshot."""

    def new_id(self) -> int:
        """A command id, unique over restarts."""

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None) -> None:
        """Sends a command; `then` receives exactly one Answer."""

    def health(self, state: str, detail: str) -> None:
        """Publishes the actor's status if it has changed."""

    def stop(self, reason: str, exit_code: int) -> None:
        """Ends the process once the queued effects are performed."""
