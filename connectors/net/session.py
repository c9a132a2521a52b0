"""Session: one websocket that is kept open: connect, detect silence, reconnect, and hand over without a gap."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from actors.effects import Effects
from actors.net import Link
from protocol import Settings

MS_NS = 1_000_000


class SessionSettings(Settings):
    """How a connection is kept. The budget is per address, as exchanges count it (Binance: 300 in 300 s)."""

    connect_ms: int = 5_000  # maximum time for a connection to open; then the attempt has failed
    max_silence_ms: int = 5_000  # maximum time without a frame; then the listener decides whether to reconnect
    first_retry_ms: int = 20  # shortest delay before a new attempt
    max_retry_ms: int = 2_000  # longest delay before a new attempt
    attempts_max: int = 100  # maximum number of attempts within attempts_window_ms
    attempts_window_ms: int = 300_000
    stable_ms: int = 3_000  # a connection that lasted this long resets the delay to first_retry_ms
    max_age_ms: int = 0  # age at which a second connection replaces this one, before the exchange closes it; 0: never
    handover_ms: int = 10_000  # maximum time for which the old connection stays open beside the new one


class SessionListener(Protocol):
    """Receives the events of a Session."""

    def session_up(self, session: "Session") -> None:
        """A connection is open: log in and subscribe. With `session.is_handover` the old one still delivers."""

    def session_frame(self, session: "Session", data: bytes) -> None:
        """A frame arrived."""

    def session_down(self, session: "Session", reason: str) -> None:
        """No connection is open; the session reconnects by itself."""

    def session_silent(self, session: "Session", silence_ms: int) -> None:
        """No frame for `silence_ms`: call `confirm_silence()` or `recycle()`. Repeated each `max_silence_ms`."""


def never() -> int:
    """A connection may be opened at any time."""
    return 0


class Session:
    """Keeps one websocket to `url` open until `stop`. Its listener interprets the frames.

    Delays follow decorrelated jitter (each between the shortest and three times the last, up to a cap), drawn from
    a generator of its own. Attempts in a window are bounded: the first half may be used at that pace, the rest is
    spread evenly, so that even after a long outage the next attempt comes soon. `hold_ms()`: how long no connection may
    be opened, for example during a ban.
    """

    def __init__(
        self,
        fx: Effects,
        url: str,
        listener: SessionListener,
        settings: SessionSettings,
        seed: str,
        hold_ms: Callable[[], int] = never,
    ) -> None:
        self.url = url
        self.settings = settings
        self.is_up = False
        self.last_frame_ns = 0
        self.opened_ns = 0
        self.connects = self.recycles = self.handovers = 0
        self._fx = fx
        self._listener = listener
        self._hold_ms = hold_ms
        self._random = Random(seed)
        self._delay_ms = float(settings.first_retry_ms)
        self._failures = 0  # since the last stable connection
        self._attempts: deque[int] = deque()
        self._link: Link | None = None  # the connection that sends, once open
        self._old: Link | None = None  # delivers beside it during a handover
        self._next: Link | None = None  # is being opened
        self._timers: dict[str, int] = {}
        self._running = False

    @property
    def is_handover(self) -> bool:
        """Two connections deliver: their common messages must be counted once."""
        return self._old is not None

    def start(self) -> None:
        """Connect, and stay connected."""
        self._running = True
        self._connect()

    def stop(self) -> None:
        """Close every connection; the listener receives no further event."""
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
        """As `send`, ahead of the queued effects (see Link.send_now)."""
        return self._link is not None and self._link.send_now(data)

    def confirm_silence(self) -> None:
        """The silence is correct: the other side has nothing to send."""
        self.last_frame_ns = self._fx.now_ns

    def recycle(self, reason: str) -> None:
        """Drop the connection at once, and reconnect."""
        if not self._running or not self.is_up:
            return
        self.recycles += 1
        dropped = [link for link in (self._link, self._old) if link is not None]
        self._link = self._old = None
        self._down(reason)
        for link in dropped:
            link.close()

    def renew(self, reason: str) -> None:
        """Open a second connection and hand over to it, before an announced end of the first."""
        if self.is_up and self._next is None and self._old is None:
            self._fx.log.info("session renewed", url=self.url, reason=reason)
            self._connect()

    def finish_handover(self) -> None:
        """The new connection delivers everything that the old one did: close the old one."""
        self._cancel("handover")
        if self._old is not None:
            old, self._old = self._old, None
            self.handovers += 1
            old.close()

    # -- called by the driver (actors.net.Listener) ----------------------------------------------------------

    def ws_opened(self, link: Link) -> None:
        """The connection is open."""
        if link is not self._next:
            link.close()
            return
        self._cancel("connect")
        self._next = None
        self._link, self._old = link, self._link
        self.is_up = True
        self.opened_ns = self.last_frame_ns = self._fx.now_ns
        if self._old is not None:
            self._set("handover", self.settings.handover_ms, self.finish_handover)
        self._set("silence", self.settings.max_silence_ms, self._check_silence)
        if self.settings.max_age_ms:
            self._set("max_age", self.settings.max_age_ms, self.renew, "max_age_ms is over")
        self._listener.session_up(self)

    def ws_frame(self, link: Link, data: bytes) -> None:
        """A frame arrived."""
        if link is self._link or link is self._old:
            self.last_frame_ns = self._fx.now_ns
            self._listener.session_frame(self, data)

    def ws_closed(self, link: Link, reason: str) -> None:
        """The connection has closed, or could not be opened."""
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
            else:  # the new one closed first: keep the old one, and try again
                self._cancel("handover")
                self._retry()

    # -- internal --------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._cancel("retry")
        if not self._running or self._next is not None:
            return
        wait_ms = max(self._budget_ms(), self._hold_ms())
        if wait_ms:  # a handover counts as an attempt too
            self._set("retry", wait_ms, self._connect)
            return
        self._attempts.append(self._fx.now_ns)
        self.connects += 1
        self._next = self._fx.connect(self.url, self)
        self._set("connect", self.settings.connect_ms, self._on_connect_timeout, self._next)

    def _budget_ms(self) -> int:
        """Returns the time until one more attempt is within the budget, in ms; 0 if it is now."""
        window_ns = self.settings.attempts_window_ms * MS_NS
        attempts = self._attempts
        while attempts and attempts[0] <= self._fx.now_ns - window_ns:
            attempts.popleft()
        if len(attempts) < self.settings.attempts_max:
            return 0
        return (attempts[0] + window_ns - self._fx.now_ns) // MS_NS + 1

    def _on_connect_timeout(self, link: Link) -> None:
        if link is self._next:
            self._next = None
            link.close()
            self._failures += 1
            self._retry()

    def _down(self, reason: str) -> None:
        self.is_up = False
        for name in ("silence", "max_age", "handover"):
            self._cancel(name)
        lasted_ms = (self._fx.now_ns - self.opened_ns) // MS_NS
        if lasted_ms >= self.settings.stable_ms:
            self._delay_ms, self._failures = float(self.settings.first_retry_ms), 0
        else:
            self._failures += 1
        self._listener.session_down(self, reason)
        self._retry()

    def _retry(self) -> None:
        """Connect after a delay; at once if this is the first failure for a while."""
        if not self._running or self._next is not None or "retry" in self._timers:
            return
        settings, low_ms = self.settings, self.settings.first_retry_ms
        self._delay_ms = min(settings.max_retry_ms, self._random.uniform(low_ms, self._delay_ms * 3))
        delay_ms = self._delay_ms
        if self._failures and 2 * len(self._attempts) >= settings.attempts_max:  # spread the rest over the window
            low_ms = 2 * settings.attempts_window_ms // settings.attempts_max
            delay_ms = max(delay_ms, self._random.uniform(low_ms, 1.5 * low_ms))
        self._set("retry", delay_ms, self._connect)

    def _check_silence(self) -> None:
        silence_ms = (self._fx.now_ns - self.last_frame_ns) // MS_NS
        limit_ms = self.settings.max_silence_ms
        if silence_ms < limit_ms:
            self._set("silence", limit_ms - silence_ms, self._check_silence)
            return
        self._set("silence", limit_ms, self._check_silence)
        self._listener.session_silent(self, silence_ms)

    def _set(self, name: str, delay_ms: float, call: Callable[..., None], *args: Any) -> None:
        self._cancel(name)
        self._timers[name] = self._fx.after(int(delay_ms * MS_NS), self._on_timer, name, call, args)

    def _on_timer(self, name: str, call: Callable[..., None], args: tuple[object, ...]) -> None:
        self._timers.pop(name, None)
        call(*args)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            self._fx.cancel_timer(timer)
