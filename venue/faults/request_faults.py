"""Struck: requests on their way in, by REST or websocket API, and the faults that they meet."""

from collections.abc import Callable

import msgspec

from venue.api.dispatch import BY_WS_METHOD, Dispatch
from venue.base.wire import CLOSED, REFUSED, RESET, Request, Response
from venue.faults.active_fault import Running
from venue.faults.kinds.requests import PAGE, RejectAfterAck, RequestFault, StaleReads
from venue.faults.scheduler import Weather
from venue.streams.connections import Connection, Connections

Handle = Callable[[], Response]
DISCONNECTED = -1001


class _Params(msgspec.Struct):
    apiKey: str = ""


class _Frame(msgspec.Struct):
    id: str | int | None = None
    method: str = ""
    params: _Params | None = None


class _Error(msgspec.Struct):
    code: int
    msg: str = ""


class Struck:
    """Stands before the endpoints: `http` and `frame` call them, or not, and change what they answer."""

    def __init__(self, weather: Weather, connections: Connections, dispatch: Dispatch) -> None:
        self.weather = weather
        self.connections = connections
        self.dispatch = dispatch
        self._frame = msgspec.json.Decoder(_Frame)

    def http(self, request: Request, now_ns: int, handle: Callable[[Request, int], Response]) -> Response:
        """Answer a REST request."""
        weather = self.weather
        if not weather.running:
            return handle(request, now_ns)
        if (closed := self.closed()) is not None:
            return closed
        account = self._account(request.headers.get("x-mbx-apikey", ""))
        one = self._meet(account, request.method, request.path)
        if one is None:
            return handle(request, now_ns)
        return self._answer(one, account, now_ns, lambda: handle(request, now_ns))

    def closed(self) -> Response | None:
        """What everybody is answered while the exchange is away, websocket upgrades too; None while it is there."""
        if self.weather.is_refusing:
            return Response(REFUSED)
        if (down := self.weather.maintenance) is not None:
            return Response(down.status, {"content-type": "text/html"}, PAGE % (down.status, down.status))
        return None

    def frame(
        self, connection: Connection, text: bytes, now_ns: int, receive: Callable[[Connection, bytes, int], None]
    ) -> None:
        """Take a frame of the websocket API; the answer is among the pushes."""
        one = None
        if self.weather.running:
            try:
                asked = self._frame.decode(text)
            except msgspec.MsgspecError:
                return receive(connection, text, now_ns)
            endpoint = BY_WS_METHOD.get(asked.method.removeprefix("v3/"))
            if endpoint is not None:
                account = self._account(asked.params.apiKey if asked.params else "")
                account = account or (connection.key.account if connection.key else "")
                one = self._meet(account, endpoint.method, endpoint.path)
        if one is None:
            return receive(connection, text, now_ns)
        answer = self._answer(one, account, now_ns, lambda: self._asked(connection, text, now_ns, receive))
        return self._send(connection, asked.id, answer, now_ns)

    # -- inside ---------------------------------------------------------------------------------------

    def _account(self, api_key: str) -> str:
        key = self.weather.accounts.keys.get(api_key)
        return key.account if key is not None else ""

    def _meet(self, account: str, method: str, path: str) -> Running | None:
        return self.weather.meet(RequestFault, lambda fault: fault.meets(account, method, path))

    def _answer(self, one: Running, account: str, now_ns: int, handle: Handle) -> Response:
        """Carry it out or not, hush the news of it, and spoil the answer."""
        fault = one.fault
        assert isinstance(fault, RequestFault)
        answer = None
        if fault.is_accepted(one.random):
            outbox = self.connections.outbox
            before = len(outbox)
            if isinstance(fault, StaleReads):
                self.dispatch.reader = self.weather.replicas[one.number].read(account, now_ns)
            answer = handle()
            self.dispatch.reader = None
            if fault.user_event != "sent":
                self._hush(one, fault, account, before, now_ns)
            if isinstance(fault, RejectAfterAck):
                self.weather.deeds.reject_later(one, fault, account, answer.body, now_ns)
        return fault.spoil(answer, one.random)

    def _hush(self, one: Running, fault: RequestFault, account: str, before: int, now_ns: int) -> None:
        """The user events of what was just done come late, or never."""
        pushes, outbox = self.weather.pushes, self.connections.outbox
        news, outbox[before:] = outbox[before:], []
        for push in news:
            found = pushes.account_of(push)
            if found is None or found[0] != account:
                outbox.append(push)
            elif fault.user_event == "late":
                pushes.hold(push, now_ns + fault.event_ns(one.random))

    def _asked(
        self, connection: Connection, text: bytes, now_ns: int, receive: Callable[[Connection, bytes, int], None]
    ) -> Response:
        """What the websocket API answers, taken back from the outbox; news that follows from it stays there."""
        outbox = self.connections.outbox
        before = len(outbox)
        receive(connection, text, now_ns)
        for index in range(len(outbox) - 1, before - 1, -1):
            conn_id, item = outbox[index]
            if conn_id == connection.conn_id and isinstance(item, bytes) and not item.startswith(b'{"subscriptionId":'):
                del outbox[index]
                return Response(200, {}, item)
        return Response(CLOSED)

    def _send(self, connection: Connection, asked_id: str | int | None, answer: Response, now_ns: int) -> None:
        """An answer of HTTP as a frame. One that never comes is none; one that breaks off breaks the connection."""
        body = answer.body
        if answer.status == CLOSED:
            if not answer.delay_ns:
                self.connections.outbox.append((connection.conn_id, RESET))
            return
        if answer.cut_at is not None:
            body = body[: answer.cut_at]
        elif answer.status != 200:
            try:
                error = msgspec.json.decode(body, type=_Error)
            except msgspec.MsgspecError:
                error = _Error(DISCONNECTED, "Internal error; unable to process your request. Please try again.")
            body = msgspec.json.encode({"id": asked_id, "status": answer.status, "error": error})
        if answer.delay_ns:
            self.connections.hold_back(connection.conn_id, body, now_ns + answer.delay_ns)
        else:
            self.connections.send(connection.conn_id, body)
