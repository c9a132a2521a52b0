"""OrderSocket: order requests over a websocket of their own, where the exchange has one."""

from collections.abc import Callable

from actors.effects import Effects
from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import BadAnswer, LoggedIn, LoginRefused, OrderApi, Pong, SocketAnswer, SocketRequest
from connectors.core.reports import StreamEnded
from connectors.net.ban import Ban
from connectors.net.keepalive import KeepAlive
from connectors.net.server_clock import ServerClock
from connectors.net.session import Session, SessionSettings

MS_NS = 1_000_000
LOGIN_MS = 5_000  # maximum time for a login
PENDING_MAX = 10_000  # requests without an answer; then no request is accepted

Then = Callable[[HttpAnswer | HttpFailure], None]


class OrderSocket:
    """Listens to one Session. `is_up`: it accepts requests; while it does not, order requests go by REST.

    Each request that `send` accepted gets exactly one answer or failure. A connection that breaks is no evidence about
    the requests sent on it: they fail with `sent`, and their orders become UNKNOWN.
    """

    def __init__(self, fx: Effects, api: OrderApi, clock: ServerClock, settings: SessionSettings, ban: Ban) -> None:
        self.is_up = False
        self.sent = 0
        self.last_id = 0  # of the latest request; ExchangeClient gives them out
        self.keepalive = KeepAlive(fx.log, "order socket", api.user_probe)
        self.session = Session(fx, api.order_socket_url(), self, settings, f"{fx.name}.orders", ban.left_ms)
        self._fx = fx
        self._api = api
        self._clock = clock
        self._pending: dict[int, tuple[int, Then]] = {}  # request id -> (deadline, then), oldest first
        self._login_timer = 0

    def start(self) -> None:
        """Connect, and stay connected."""
        self.session.start()

    def stop(self) -> None:
        """Close the connection; pending requests fail."""
        self.is_up = False
        self.session.stop()
        self._fail("stopped")

    def send(self, request: SocketRequest, then: Then) -> bool:
        """Send now, ahead of the queued effects; False if no byte has left."""
        if not self.is_up or len(self._pending) >= PENDING_MAX or not self.session.send_now(request.text):
            return False
        self.sent += 1
        self._pending[request.request_id] = (self._fx.now_ns + request.timeout_ms * MS_NS, then)
        return True

    def check(self) -> None:
        """Fail the requests whose answer is overdue; called on a timer."""
        now_ns = self._fx.now_ns
        late = [number for number, (deadline_ns, _) in self._pending.items() if deadline_ns <= now_ns]
        for number in late:
            _, then = self._pending.pop(number)
            then(HttpFailure(True, "no answer on the order socket in time"))

    def _fail(self, reason: str) -> None:
        pending, self._pending = self._pending, {}
        for _, then in pending.values():
            then(HttpFailure(True, reason))

    # -- SessionListener --------------------------------------------------------------------------------------

    def session_up(self, session: Session) -> None:
        """Log in; without a login the socket is up at once."""
        frames = self._api.order_socket_login(self._fx.now_ns + self._clock.offset_ns)
        for frame in frames:
            session.send(frame)
        if frames:
            self.is_up = False  # the new connection is the one that sends, and it is not logged in yet
            self._login_timer = self._fx.after(LOGIN_MS * MS_NS, self._on_login_timeout)
        else:
            self._ready(session)

    def _ready(self, session: Session) -> None:
        self._fx.cancel_timer(self._login_timer)
        session.finish_handover()
        self.is_up = True

    def _on_login_timeout(self) -> None:
        if not self.is_up:
            self.session.recycle("no answer to the login")

    def session_down(self, session: Session, reason: str) -> None:
        """Fail all pending requests: their outcome is unknown."""
        self._fx.cancel_timer(self._login_timer)
        self.is_up = False
        self.keepalive.clear_probe()
        self._fail(f"the order socket closed: {reason}")

    def session_silent(self, session: Session, silence_ms: int) -> None:
        """Probe, or drop the connection."""
        self.keepalive.on_silence(session, silence_ms)

    def session_frame(self, session: Session, data: bytes) -> None:
        """Pass an answer to its request; follow logins and announced ends."""
        try:
            event = self._api.parse_order_socket(data)
        except BadAnswer as error:
            self.keepalive.on_invalid_frame(session, error)
            return
        self.keepalive.on_valid_frame(answers_probe=True)
        if isinstance(event, SocketAnswer):
            _, then = self._pending.pop(event.request_id, (0, None))
            if then is not None:
                then(event.answer)
        elif isinstance(event, LoggedIn):
            self._ready(session)
        elif isinstance(event, LoginRefused):
            self._fx.log.warning("order socket login refused", reason=event.reason)
            session.recycle(event.reason)
        elif isinstance(event, StreamEnded):
            self.keepalive.on_end(session, event)
        else:
            assert event is None or isinstance(event, Pong)
