"""UserStream: our orders, fills and balances as they happen, and whether the stream is reliable."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from actors.effects import Effects
from connectors.core.order_api import BadAnswer, LoggedIn, LoginRefused, OrderApi, Pong
from connectors.core.reports import AccountReport, OrderReport, StreamEnded, TradeReport, Unreadable
from connectors.net.keepalive import KeepAlive
from connectors.net.server_clock import ServerClock
from connectors.net.session import Session, SessionSettings, never

MS_NS = 1_000_000
LOGIN_MS = 5_000  # maximum time for a login
EVENTS_MAX = 10_000  # expected and received events that are kept
SOURCE = "user stream"
SUSPECT_NS = 20_000 * MS_NS  # after this time without an expected event, silence is no evidence either way


class Reports(Protocol):
    """Receives what the exchange reports. `source` names where a report came from."""

    def order(self, report: OrderReport, source: str) -> object: ...

    def trade(self, report: TradeReport, source: str) -> object: ...

    def account(self, report: AccountReport) -> None: ...

    def unread(self, row: Unreadable, source: str) -> None: ...


class UserStreamListener(Protocol):
    """Receives the state of the user stream."""

    def user_stream_live(self) -> None:
        """The stream carries every event from now on; earlier ones may have been missed."""

    def user_stream_trusted(self) -> None:
        """The stream, suspect before, delivers again."""

    def user_stream_down(self, reason: str) -> None: ...

    def user_stream_refused(self, refused: LoginRefused) -> None: ...


class UserStream:
    """Listens to one Session. `is_live`: logged in.

    `is_suspect`: an event that the exchange confirmed over REST did not arrive here. REST polling stands in until the
    stream delivers again, or no event is expected for SUSPECT_NS.
    """

    def __init__(
        self,
        fx: Effects,
        api: OrderApi,
        clock: ServerClock,
        settings: SessionSettings,
        user_event_ms: int,
        reports: Reports,
        listener: UserStreamListener,
        hold_ms: Callable[[], int] = never,
    ) -> None:
        self.is_live = False
        self.is_suspect = False
        self.is_started = False
        self.events = 0
        self.keepalive = KeepAlive(fx.log, "user stream", api.user_probe)
        self.session = Session(fx, api.user_url(), self, settings, f"{fx.name}.user", hold_ms)
        self._fx = fx
        self._api = api
        self._clock = clock
        self._silence_ns = user_event_ms * MS_NS
        self._reports = reports
        self._listener = listener
        self._expected: dict[tuple[str, bool], int] = {}  # (client order id, its end) -> expected since, oldest first
        self._received: OrderedDict[tuple[str, bool], None] = OrderedDict()  # the latest last
        self._login_timer = 0
        self._suspect_ns = 0

    @property
    def is_reliable(self) -> bool:
        """Whether our picture of the account follows only the stream."""
        return self.is_live and not self.is_suspect

    def start(self) -> None:
        """Connect, and stay connected."""
        self.is_started = True
        self.session.start()

    def stop(self) -> None:
        """Close the connection."""
        self.is_live = False
        self.session.stop()

    def recycle(self, reason: str) -> None:
        """Drop the connection and open another: what it has delivered last may be old."""
        self.session.recycle(reason)

    def expect(self, cl_ord_id: str, ended: bool) -> None:
        """The exchange reported over REST that this order exists, or (`ended`) has ended: the stream must report it
        too, unless it has already."""
        key = (cl_ord_id, ended)
        if self.is_live and key not in self._received and len(self._expected) < EVENTS_MAX:
            self._expected.setdefault(key, self._fx.now_ns)

    def check(self) -> None:
        """Drop a stream that is late with an expected event; called on a timer."""
        now_ns = self._fx.now_ns
        for (cl_ord_id, _), since_ns in self._expected.items():
            if now_ns - since_ns < self._silence_ns:
                return
            self.is_suspect = True
            self._suspect_ns = now_ns
            self.session.recycle(f"no event of order {cl_ord_id}")
            return
        if self.is_suspect and self.is_live and now_ns - self._suspect_ns > SUSPECT_NS:
            self._set_reliable()

    def _set_reliable(self) -> None:
        self.is_suspect = False
        self._listener.user_stream_trusted()

    # -- SessionListener --------------------------------------------------------------------------------------

    def session_up(self, session: Session) -> None:
        """Log in."""
        for frame in self._api.user_login(self._fx.now_ns + self._clock.offset_ns):
            session.send(frame)
        self._fx.cancel_timer(self._login_timer)
        self._login_timer = self._fx.after(LOGIN_MS * MS_NS, self._on_login_timeout)

    def _on_login_timeout(self) -> None:
        if not self.is_live or self.session.is_handover:
            self.session.recycle("no answer to the login")

    def session_down(self, session: Session, reason: str) -> None:
        """Events may be missed from now on."""
        self._fx.cancel_timer(self._login_timer)
        self._expected.clear()
        self.keepalive.clear_probe()
        if self.is_live:
            self.is_live = False
            self._listener.user_stream_down(reason)

    def session_silent(self, session: Session, silence_ms: int) -> None:
        """Probe, or drop the connection."""
        self.keepalive.on_silence(session, silence_ms)

    def session_frame(self, session: Session, data: bytes) -> None:
        """Pass the events of a frame on."""
        try:
            events = self._api.parse_user(data)
        except BadAnswer as error:
            self.keepalive.on_invalid_frame(session, error)
            return
        self.keepalive.on_valid_frame()
        for event in events:
            if isinstance(event, LoggedIn):
                self._ready(session)
            elif isinstance(event, Pong):
                self.keepalive.clear_probe()
            elif isinstance(event, LoginRefused):
                self._listener.user_stream_refused(event)
                session.recycle(event.reason)
            elif isinstance(event, StreamEnded):
                self.keepalive.on_end(session, event)
            else:
                self._on_event(event)

    def _ready(self, session: Session) -> None:
        self._fx.cancel_timer(self._login_timer)
        session.finish_handover()
        self.is_live = True
        self._listener.user_stream_live()

    def _on_event(self, event: OrderReport | TradeReport | AccountReport | Unreadable) -> None:
        self.events += 1
        if self.is_suspect:
            self._set_reliable()
        if isinstance(event, OrderReport):
            self._note(event.cl_ord_id, event.status.is_final)
            self._reports.order(event, SOURCE)
        elif isinstance(event, TradeReport):
            self._reports.trade(event, SOURCE)
        elif isinstance(event, Unreadable):
            self._reports.unread(event, SOURCE)
        else:
            self._reports.account(event)

    def _note(self, cl_ord_id: str, ended: bool) -> None:
        for key in ((cl_ord_id, False), (cl_ord_id, True))[: 1 + ended]:
            self._expected.pop(key, None)
            self._received[key] = None
        while len(self._received) > EVENTS_MAX:
            self._received.popitem(last=False)
