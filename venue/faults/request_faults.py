"""RequestFaults: applies faults to requests on their way in, by REST or websocket API, and to their answers."""

from collections.abc import Callable

import msgspec

from venue.accounts.accounts import Accounts
from venue.api.dispatch import BY_WS_METHOD, RequestDispatcher
from venue.base.wire import CLOSE, CLOSED, REFUSED, RESET, Request, Response
from venue.faults.active_fault import ActiveFault
from venue.faults.exchange_faults import ExchangeFaults
from venue.faults.kinds.exchange_kinds import Maintenance
from venue.faults.kinds.request_kinds import PAGE, PresetAnswer, RejectAfterAck, RequestFault, StaleReads
from venue.faults.kinds.stream_kinds import ConnectionRefused
from venue.faults.scheduler import FaultScheduler
from venue.faults.stale_reads import StaleReadFaults
from venue.faults.stream_faults import EVENT, StreamFaults
from venue.streams.connections import Connection, Connections

Handle = Callable[[], Response]
Receive = Callable[[Connection, bytes, int], None]
DISCONNECTED = -1001
BANNED = 418


class _FrameParams(msgspec.Struct):
    apiKey: str = ""


class _RequestFrame(msgspec.Struct):
    id: str | int | None = None
    method: str = ""
    params: _FrameParams | None = None


class _ErrorBody(msgspec.Struct):
    code: int
    msg: str = ""


class RequestFaults:
    """Stands in front of the endpoints: `http` and `frame` call them, or do not, and change their answers."""

    def __init__(
        self,
        scheduler: FaultScheduler,
        streams: StreamFaults,
        exchange: ExchangeFaults,
        stale_reads: StaleReadFaults,
        accounts: Accounts,
        connections: Connections,
        dispatcher: RequestDispatcher,
    ) -> None:
        self.scheduler = scheduler
        self.streams = streams
        self.exchange = exchange
        self.stale_reads = stale_reads
        self.accounts = accounts
        self.connections = connections
        self.dispatcher = dispatcher
        self._frame = msgspec.json.Decoder(_RequestFrame)

    def http(self, request: Request, now_ns: int, handle: Callable[[Request, int], Response]) -> Response:
        """Answers a REST request."""
        if not self.scheduler.active:
            return handle(request, now_ns)
        if (closed := self.unavailable()) is not None:
            return closed
        account = self._account(request.headers.get("x-mbx-apikey", ""))
        active = self._match(account, request.method, request.path)
        if active is None:
            return handle(request, now_ns)
        return self._answer(active, account, now_ns, lambda: handle(request, now_ns))

    @property
    def is_refusing(self) -> bool:
        """Whether new connections are refused now."""
        return bool(self.scheduler.active) and bool(self.scheduler.of_kind(ConnectionRefused))

    def unavailable(self) -> Response | None:
        """The answer to every request and websocket upgrade while the exchange is unreachable; None while it is up."""
        if self.is_refusing:
            return Response(REFUSED)
        down = self.scheduler.of_kind(Maintenance) if self.scheduler.active else []
        if down:
            status = down[0].fault.status  # type: ignore[attr-defined]
            return Response(status, {"content-type": "text/html"}, PAGE % (status, status))
        return None

    def frame(self, connection: Connection, text: bytes, now_ns: int, receive: Receive) -> None:
        """Handles a frame of the websocket API; the answer goes to the outbox."""
        active = None
        if self.scheduler.active:
            try:
                request = self._frame.decode(text)
            except msgspec.MsgspecError:
                return receive(connection, text, now_ns)
            endpoint = BY_WS_METHOD.get(request.method.removeprefix("v3/"))
            if endpoint is not None:
                account = self._account(request.params.apiKey if request.params else "")
                account = account or (connection.key.account if connection.key else "")
                active = self._match(account, endpoint.method, endpoint.path)
        if active is None:
            return receive(connection, text, now_ns)
        answer = self._answer(active, account, now_ns, lambda: self._received(connection, text, now_ns, receive))
        if isinstance(active.fault, PresetAnswer):
            return self._send_preset(connection, request.id, active.fault, answer, now_ns)
        return self._send(connection, request.id, answer, now_ns)

    # -- inside ---------------------------------------------------------------------------------------

    def _account(self, api_key: str) -> str:
        key = self.accounts.keys.get(api_key)
        return key.account if key is not None else ""

    def _match(self, account: str, method: str, path: str) -> ActiveFault | None:
        """The fault that applies to a request; the preset answers of the control endpoint come first."""
        active = self.scheduler.match(PresetAnswer, lambda fault: fault.matches(account, method, path))
        if active is None:
            return self.scheduler.match(RequestFault, lambda fault: fault.matches(account, method, path))
        if active.is_used_up:
            self.scheduler.remove([active.number])
        return active

    def _answer(self, active: ActiveFault, account: str, now_ns: int, handle: Handle) -> Response:
        """Carries the request out or not, holds back its user events, and changes the answer."""
        fault = active.fault
        assert isinstance(fault, RequestFault)
        answer = None
        if fault.is_accepted(active.random):
            outbox = self.connections.outbox
            before = len(outbox)
            reader = None
            if isinstance(fault, StaleReads):
                reader = self.stale_reads.read(active.number, account, now_ns)
            with self.dispatcher.reading_from(reader):
                answer = handle()
            if fault.user_event != "sent":
                self._hold_user_events(active, fault, account, before, now_ns)
            if isinstance(fault, RejectAfterAck):
                self.exchange.reject_later(active, fault, account, answer.body, now_ns)
        return fault.changed(answer, active.random)

    def _hold_user_events(
        self, active: ActiveFault, fault: RequestFault, account: str, before: int, now_ns: int
    ) -> None:
        """Takes the account's user events back from the outbox: they are sent late, or never."""
        outbox = self.connections.outbox
        pushes, outbox[before:] = outbox[before:], []
        for push in pushes:
            found = self.streams.account_of(push)
            if found is None or found[0] != account:
                outbox.append(push)
            elif fault.user_event == "late":
                self.streams.hold(push, now_ns + fault.event_ns(active.random))

    def _received(self, connection: Connection, text: bytes, now_ns: int, receive: Receive) -> Response:
        """The websocket API's answer, taken back from the outbox; the events that it caused stay there."""
        outbox = self.connections.outbox
        before = len(outbox)
        receive(connection, text, now_ns)
        for index in range(len(outbox) - 1, before - 1, -1):
            conn_id, item = outbox[index]
            if conn_id == connection.conn_id and isinstance(item, bytes) and not item.startswith(EVENT):
                del outbox[index]
                return Response(200, {}, item)
        return Response(CLOSED)

    def _send(self, connection: Connection, request_id: str | int | None, answer: Response, now_ns: int) -> None:
        """Sends an HTTP answer as a frame. No answer sends nothing, or without a delay resets the connection."""
        body = answer.body
        if answer.status == CLOSED:
            if not answer.delay_ns:
                self.connections.outbox.append((connection.conn_id, RESET))
            return
        if answer.cut_at is not None:
            body = body[: answer.cut_at]
        elif answer.status != 200:
            try:
                error = msgspec.json.decode(body, type=_ErrorBody)
            except msgspec.MsgspecError:
                error = _ErrorBody(DISCONNECTED, "Internal error; unable to process your request. Please try again.")
            body = msgspec.json.encode({"id": request_id, "status": answer.status, "error": error})
        self._send_at(connection, body, answer.delay_ns, now_ns)

    def _send_preset(
        self, connection: Connection, request_id: str | int | None, fault: PresetAnswer, answer: Response, now_ns: int
    ) -> None:
        """Sends a preset answer as a frame: its own code and text; no answer closes the connection."""
        if answer.status == CLOSED:
            self.connections.outbox.append((connection.conn_id, CLOSE))
            return
        body = answer.body
        if answer.status != 200:
            error = _ErrorBody(-1000 if fault.code is None else fault.code, fault.msg)
            body = msgspec.json.encode({"id": request_id, "status": answer.status, "error": error})
        self._send_at(connection, body, answer.delay_ns, now_ns)
        if answer.status == BANNED:
            self.connections.outbox.append((connection.conn_id, CLOSE))

    def _send_at(self, connection: Connection, body: bytes, delay_ns: int, now_ns: int) -> None:
        if delay_ns:
            self.connections.hold_back(connection.conn_id, body, now_ns + delay_ns)
        else:
            self.connections.send(connection.conn_id, body)
