"""The user stream: our orders, fills and balances as they happen, and whether it can be relied on."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from connectors.core.order_api import BadAnswer, Pong, UserReady, UserRefused
from connectors.core.reports import AccountReport, OrderReport, StreamEnded, TradeReport
from connectors.net.keepalive import Probing
from connectors.net.session import Session, SessionSettings

if TYPE_CHECKING:
    from connectors.connector import Connector

MS_NS = 1_000_000
LOGIN_MS = 5_000
REMEMBERED_MAX = 10_000
SUSPECT_NS = 20_000 * MS_NS  # with nothing owed for so long, silence proves nothing either way


class UserStream(Probing):
    """Owner of one Session. `is_live`: logged in. `is_suspect`: it has kept from us what the exchange told over REST;
    until it tells something again, or owes nothing for a while, REST polling goes on beside it."""

    def __init__(self, host: "Connector", settings: SessionSettings, silence_ms: int) -> None:
        super().__init__(host)
        self.silence_ns = silence_ms * MS_NS
        self.is_live = False
        self.is_suspect = False
        self.is_started = False
        self.events = 0
        self._expected: dict[tuple[str, bool], int] = {}  # (order, its end) that REST told, and since when it is owed
        self._heard: OrderedDict[tuple[str, bool], None] = OrderedDict()  # what the stream has told, the latest last
        self._session = Session(host, host.dialect.user_url(), self, settings, f"{host.name}.user")
        self._login_timer = 0
        self._suspect_ns = 0

    @property
    def is_reliable(self) -> bool:
        return self.is_live and not self.is_suspect

    def start(self) -> None:
        self.is_started = True
        self._session.start()

    def stop(self) -> None:
        self.is_live = False
        self._session.stop()

    def expect(self, cl_ord_id: str, ended: bool) -> None:
        """The exchange has just told over REST that this order is there, or has ended: the stream owes us the same,
        unless it was faster."""
        key = (cl_ord_id, ended)
        if self.is_live and key not in self._heard and len(self._expected) < REMEMBERED_MAX:
            self._expected.setdefault(key, self.host.now_ns)

    def _hear(self, cl_ord_id: str, ended: bool) -> None:
        for key in ((cl_ord_id, False), (cl_ord_id, True))[: 1 + ended]:
            self._expected.pop(key, None)
            self._heard[key] = None
        while len(self._heard) > REMEMBERED_MAX:
            self._heard.popitem(last=False)

    def check(self) -> None:
        """Called now and then: has it kept something from us for too long?"""
        for (cl_ord_id, _), since_ns in self._expected.items():
            if self.host.now_ns - since_ns < self.silence_ns:
                return  # the oldest is first
            self.is_suspect = True
            self._suspect_ns = self.host.now_ns
            self._session.recycle(f"it told nothing of {cl_ord_id}")
            return
        if self.is_suspect and self.is_live and self.host.now_ns - self._suspect_ns > SUSPECT_NS:
            self._trust()

    def _trust(self) -> None:
        self.is_suspect = False
        self.host.user_trusted()

    # -- the session's owner --------------------------------------------------------------------------

    def session_up(self, session: Session) -> None:
        for frame in self.host.dialect.user_login(self.host.caller.now_ns):
            session.send(frame)
        self.host.cancel_timer(self._login_timer)
        self._login_timer = self.host.after(LOGIN_MS * MS_NS, self._too_slow)

    def _too_slow(self) -> None:
        if not self.is_live or self._session.is_handover:
            self._session.recycle("no answer to the login")

    def session_down(self, session: Session, reason: str) -> None:
        self.host.cancel_timer(self._login_timer)
        self._expected.clear()
        self._probed = False
        if self.is_live:
            self.is_live = False
            self.host.user_down(reason)

    def session_frame(self, session: Session, data: bytes) -> None:
        try:
            events = self.host.dialect.parse_user(data)
        except BadAnswer as error:
            self.unreadable(session, "user frame", error)
            return
        self.readable()
        for event in events:
            if isinstance(event, UserReady):
                self._ready(session)
            elif isinstance(event, Pong):
                self._probed = False
            elif isinstance(event, UserRefused):
                self.host.user_refused(event)
                session.recycle(event.reason)
            elif isinstance(event, StreamEnded):
                self.ended(session, event)
            else:
                self._told(event)

    def _ready(self, session: Session) -> None:
        self.host.cancel_timer(self._login_timer)
        session.settled()
        self.is_live = True
        self.host.user_live()

    def _told(self, event: OrderReport | TradeReport | AccountReport) -> None:
        self.events += 1
        if self.is_suspect:
            self._trust()
        if isinstance(event, OrderReport):
            self._hear(event.cl_ord_id, event.status.is_final)
            self.host.intake.order(event, "user stream")
        elif isinstance(event, TradeReport):
            self.host.intake.trade(event, "user stream")
        else:
            self.host.intake.account(event)
