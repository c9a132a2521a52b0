"""One websocket that is kept up: connect, notice silence, connect again, and change over without a hole."""

from collections import deque
from random import Random
from typing import Any, Protocol

from actors.net import Link, Listener
from protocol import Settings

MS_NS = 1_000_000


class SessionSettings(Settings):
    """How a connection is kept. The budget is per address, as exchanges count it (Binance: 300 in 5 minutes)."""

    connect_ms: int = 5_000  # for a connection to open
    max_silence_ms: int = 5_000  # without a frame; then the owner is asked what that means
    first_retry_ms: int = 20  # the shortest delay before connecting again
    max_retry_ms: int = 2_000
    attempts_max: int = 100
    attempts_window_ms: int = 300_000
    stable_ms: int = 3_000  # a connection that lived so long starts delays from the shortest again
    life_ms: int = 0  # connect anew after this, before the exchange cuts; 0: never
    handover_ms: int = 10_000  # how long the old connection may stay beside the new one


class Host(Protocol):
    """What a Session needs of its actor."""

    now_ns: int
    log: Any

    def connect(self, url: str, listener: Listener) -> Link: ...

    def after(self, delay_ns: int, call: Any, *args: Any) -> int: ...

    def cancel_timer(self, timer: int) -> None: ...


class SessionOwner(Protocol):
    """Who is told how a Session does."""

    def session_up(self, session: "Session") -> None:
        """A connection is open: log in and subscribe. With `session.is_handover` the old one still delivers."""

    def session_frame(self, session: "Session", data: bytes) -> None: ...

    def session_down(self, session: "Session", reason: str) -> None:
        """No connection carries anything now; the next attempt is on its way."""

    def session_silent(self, session: "Session", silence_ms: int) -> None:
        """No frame for that long: `confirm()` if that is right, else `recycle()`. Asked again each max_silence_ms."""


class Session:
    """Keeps one websocket to `url` until `stop`. Tells its owner; decides nothing about what frames mean.

    Delays follow decorrelated jitter (each between the shortest and thrice the last, up to a cap), drawn from
    a generator of its own. Attempts in a window are bounded: the first half may be used up at that pace, the
    rest is spread evenly, so that even after a long outage the next attempt is never far.
    """

    def __init__(self, host: Host, url: str, owner: SessionOwner, settings: SessionSettings, seed: str) -> None:
        self.host = host
        self.url = url
        self.owner = owner
        self.settings = settings
        self.is_up = False
        self.last_frame_ns = 0
        self.opened_ns = 0
        self.connects = self.recycles = self.handovers = 0
        self._random = Random(seed)
        self._delay_ms = float(settings.first_retry_ms)
        self._failures = 0  # since a connection that lived
        self._attempts: deque[int] = deque()
        self._link: Link | None = None  # the one that sends, once open
        self._old: Link | None = None  # delivers beside it during a handover
        self._next: Link | None = None  # is being opened
        self._timers: dict[str, int] = {}
        self._running = False

    @property
    def is_handover(self) -> bool:
        """Two connections deliver: what both bring must not count twice."""
        return self._old is not None

    def start(self) -> None:
        """Connect, and stay connected."""
        self._running = True
        self._connect()

    def stop(self) -> None:
        """Close everything; the owner hears nothing more."""
        self._running = self.is_up = False
        for name in list(self._timers):
            self._cancel(name)
        for link in (self._link, self._old, self._next):
            if link is not None:
                link.close()
        self._link = self._old = self._next = None

    def send(self, data: str | bytes) -> bool:
        """Send on the newest open connection; False if there is none."""
        return self._link is not None and self._link.send(data)

    def send_now(self, data: str | bytes) -> bool:
        """As `send`, before all queued effects. Only for a `then` of an append (see `Link.send_now`)."""
        return self._link is not None and self._link.send_now(data)

    def confirm(self) -> None:
        """The silence is right: the other side has nothing to say."""
        self.last_frame_ns = self.host.now_ns

    def recycle(self, reason: str) -> None:
        """This connection is no good: give it up at once, and connect again."""
        if not self._running or not self.is_up:
            return
        self.recycles += 1
        gone = [link for link in (self._link, self._old) if link is not None]
        self._link = self._old = None
        self._down(reason)
        for link in gone:
            link.close()

    def renew(self, reason: str) -> None:
        """Open a second connection and change over to it: before a cut that is known to come."""
        if self.is_up and self._next is None and self._old is None:
            self.host.log.info("session.renew", url=self.url, reason=reason)
            self._connect()

    def settled(self) -> None:
        """The new connection delivers all that the old one did: close the old one."""
        self._cancel("handover")
        if self._old is not None:
            old, self._old = self._old, None
            self.handovers += 1
            old.close()

    # -- called by the driver ------------------------------------------------------------------------------

    def ws_opened(self, link: Link) -> None:
        """Listener: the connection is there."""
        if link is not self._next:
            link.close()
            return
        self._cancel("connect")
        self._next = None
        self._link, self._old = link, self._link
        self.is_up = True
        self.opened_ns = self.last_frame_ns = self.host.now_ns
        if self._old is not None:
            self._set("handover", self.settings.handover_ms, self.settled)
        self._set("silence", self.settings.max_silence_ms, self._check_silence)
        if self.settings.life_ms:
            self._set("life", self.settings.life_ms, self.renew, "end of its life")
        self.owner.session_up(self)

    def ws_frame(self, link: Link, data: bytes) -> None:
        """Listener: something came."""
        if link is self._link or link is self._old:
            self.last_frame_ns = self.host.now_ns
            self.owner.session_frame(self, data)

    def ws_closed(self, link: Link, reason: str) -> None:
        """Listener: the connection is gone, or never came."""
        if link is self._next:
            self._next = None
            self._cancel("connect")
            self._failures += 1
            self._retry()
        elif link is self._old:
            self._old = None
            self._cancel("handover")
        elif link is self._link:
            self._link, self._old = self._old, None
            if self._link is None:
                self._down(reason)
            else:  # the new one died first: go on with the old one, and try again
                self._cancel("handover")
                self._retry()

    # -- within --------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._cancel("retry")
        if not self._running or self._next is not None:
            return
        wait_ms = self._budget_ms()
        if wait_ms:  # renewals count too
            self._set("retry", wait_ms, self._connect)
            return
        self._attempts.append(self.host.now_ns)
        self.connects += 1
        self._next = self.host.connect(self.url, self)
        self._set("connect", self.settings.connect_ms, self._too_slow, self._next)

    def _budget_ms(self) -> int:
        """How long until one more attempt is within the budget."""
        window_ns = self.settings.attempts_window_ms * MS_NS
        attempts = self._attempts
        while attempts and attempts[0] <= self.host.now_ns - window_ns:
            attempts.popleft()
        if len(attempts) < self.settings.attempts_max:
            return 0
        return (attempts[0] + window_ns - self.host.now_ns) // MS_NS + 1

    def _too_slow(self, link: Link) -> None:
        if link is self._next:
            self._next = None
            link.close()
            self._failures += 1
            self._retry()

    def _down(self, reason: str) -> None:
        self.is_up = False
        for name in ("silence", "life", "handover"):
            self._cancel(name)
        lived_ms = (self.host.now_ns - self.opened_ns) // MS_NS
        if lived_ms >= self.settings.stable_ms:
            self._delay_ms, self._failures = float(self.settings.first_retry_ms), 0
        else:
            self._failures += 1
        self.owner.session_down(self, reason)
        self._retry()

    def _retry(self) -> None:
        """Connect after a delay; at once if this is the first failure for a while."""
        if not self._running or self._next is not None or "retry" in self._timers:
            return
        settings, low_ms = self.settings, self.settings.first_retry_ms
        self._delay_ms = min(settings.max_retry_ms, self._random.uniform(low_ms, self._delay_ms * 3))
        delay_ms = self._delay_ms
        if self._failures and 2 * len(self._attempts) >= settings.attempts_max:  # the rest has to last
            low_ms = 2 * settings.attempts_window_ms // settings.attempts_max
            delay_ms = max(delay_ms, self._random.uniform(low_ms, 1.5 * low_ms))
        self._set("retry", delay_ms, self._connect)

    def _check_silence(self) -> None:
        silence_ms = (self.host.now_ns - self.last_frame_ns) // MS_NS
        limit_ms = self.settings.max_silence_ms
        if silence_ms < limit_ms:
            self._set("silence", limit_ms - silence_ms, self._check_silence)
            return
        self._set("silence", limit_ms, self._check_silence)
        self.owner.session_silent(self, silence_ms)

    def _set(self, name: str, delay_ms: float, call: Any, *args: Any) -> None:
        self._cancel(name)
        self._timers[name] = self.host.after(int(delay_ms * MS_NS), self._ring, name, call, args)

    def _ring(self, name: str, call: Any, args: tuple[Any, ...]) -> None:
        self._timers.pop(name, None)
        call(*args)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            self.host.cancel_timer(timer)
