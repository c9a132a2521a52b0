"""OrderLine: order requests over a websocket of their own, where the exchange has one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import BadAnswer, LineAnswer, LineRequest, Pong, UserReady, UserRefused
from connectors.core.reports import StreamEnded
from connectors.net.keepalive import Probing
from connectors.net.session import Session, SessionSettings

if TYPE_CHECKING:
    from connectors.connector import Connector

MS_NS = 1_000_000
LOGIN_MS = 5_000
PENDING_MAX = 10_000

Then = Callable[[HttpAnswer | HttpFailure], None]


class OrderLine(Probing):
    """Owner of one Session. `is_up`: requests may be sent; while it is not, they go by REST.

    Each request that `send` took gets exactly one answer or failure. A line that breaks says nothing about what was
    sent on it: those are failures with `sent`, and so UNKNOWN.
    """

    def __init__(self, host: "Connector", settings: SessionSettings) -> None:
        super().__init__(host)
        self.is_up = False
        self.sent = 0
        self._pending: dict[int, tuple[int, Then]] = {}  # request id -> (deadline, then), oldest first
        self._session = Session(host, host.dialect.line_url(), self, settings, f"{host.name}.orders")
        self._login_timer = 0

    def start(self) -> None:
        """Connect, and stay connected."""
        self._session.start()

    def stop(self) -> None:
        """Hang up; what is pending fails."""
        self.is_up = False
        self._session.stop()
        self._fail("stopped")

    def send(self, request: LineRequest, then: Then) -> bool:
        """False if nothing has left."""
        if not self.is_up or len(self._pending) >= PENDING_MAX or not self._session.send_now(request.text):
            return False
        self.sent += 1
        self._pending[request.request_id] = (self.host.now_ns + request.timeout_ms * MS_NS, then)
        return True

    def check(self) -> None:
        """Called now and then: answers that do not come any more."""
        now_ns = self.host.now_ns
        late = [number for number, (deadline_ns, _) in self._pending.items() if deadline_ns <= now_ns]
        for number in late:
            _, then = self._pending.pop(number)
            then(HttpFailure(True, "no answer on the order line in time"))

    def _fail(self, why: str) -> None:
        pending, self._pending = self._pending, {}
        for _, then in pending.values():
            then(HttpFailure(True, why))

    # -- the session's owner --------------------------------------------------------------------------

    def session_up(self, session: Session) -> None:
        frames = self.host.dialect.line_login(self.host.caller.now_ns)
        for frame in frames:
            session.send(frame)
        if frames:
            self.is_up = False  # the new connection is the one that sends, and it is not logged on yet
            self._login_timer = self.host.after(LOGIN_MS * MS_NS, self._too_slow)
        else:
            self._ready(session)

    def _ready(self, session: Session) -> None:
        self.host.cancel_timer(self._login_timer)
        session.settled()
        self.is_up = True

    def _too_slow(self) -> None:
        if not self.is_up:
            self._session.recycle("no answer to the login")

    def session_down(self, session: Session, reason: str) -> None:
        self.host.cancel_timer(self._login_timer)
        self.is_up = self._probed = False
        self._fail(f"the order line broke: {reason}")

    def session_frame(self, session: Session, data: bytes) -> None:
        try:
            event = self.host.dialect.parse_line(data)
        except BadAnswer as error:
            self.unreadable(session, "order line frame", error)
            return
        self.readable()
        self._probed = False
        if isinstance(event, LineAnswer):
            _, then = self._pending.pop(event.request_id, (0, None))
            if then is not None:
                then(event.answer)
        elif isinstance(event, UserReady):
            self._ready(session)
        elif isinstance(event, UserRefused):
            self.host.log.warning("order line refused", reason=event.reason)
            session.recycle(event.reason)
        elif isinstance(event, StreamEnded):
            self.ended(session, event)
        else:
            assert event is None or isinstance(event, Pong)
