"""Subscriptions of market streams: requests of clients, and the sending of events to all subscribers."""

import re
from typing import Annotated, Any

import msgspec

from venue.render.stream_events import StreamEvent
from venue.streams.connections import MARKET, Connection, Connections

ENCODER = msgspec.json.Encoder()
PROPERTIES = ("combined",)
METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


Identifier = (
    Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, msgspec.Meta(max_length=36)] | None
)
TOO_MANY = "Invalid request: too many parameters"
BAD_ID = "Invalid request: request ID must be an unsigned integer"
_BYTE = re.compile(r"byte ([0-9]+)")


class StreamRequest(msgspec.Struct):
    """A request frame on a market stream connection."""

    method: str
    id: Identifier | msgspec.UnsetType = msgspec.UNSET
    params: list[Any] = []


def bad_request(reason: str, column: int) -> str:
    """Binance's error text for a malformed request."""
    if "`$.id`" in reason:
        return BAD_ID
    if "`method`" in reason and "missing" in reason:
        return f"Invalid request: missing field `method` at line 1 column {column}"
    return f"Invalid request: {reason}"


def refusal(code: int, text: str, request_id: Any = None) -> dict[str, Any]:
    """The answer to a refused request. The exchange wraps code and text in `error`; its page shows the inner part."""
    return {"error": {"code": code, "msg": text}, "id": request_id}


class StreamSubscriptions:
    """The subscribed connections by the name of the stream."""

    def __init__(self, connections: Connections, max_streams: int) -> None:
        self.connections = connections
        self.max_streams = max_streams
        self.subscribers: dict[str, dict[int, Connection]] = {}
        self._decoder = msgspec.json.Decoder(StreamRequest)

    def subscribe(self, connection: Connection, name: str) -> None:
        connection.streams[name] = None
        self.subscribers.setdefault(name, {})[connection.conn_id] = connection

    def unsubscribe(self, connection: Connection, name: str) -> None:
        connection.streams.pop(name, None)
        subscribed = self.subscribers.get(name)
        if subscribed is not None:
            subscribed.pop(connection.conn_id, None)
            if not subscribed:
                del self.subscribers[name]

    def remove(self, connection: Connection) -> None:
        for name in list(connection.streams):
            self.unsubscribe(connection, name)

    def receive(self, connection: Connection, text: bytes) -> None:
        """Answers a request frame; one that is not JSON closes the connection, after its answer."""
        try:
            answer = self._answer(connection, text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            found = _BYTE.search(str(error))
            column = int(found.group(1)) + 1 if found else max(1, len(text))
            answer = refusal(3, f"Invalid JSON: expected value at line 1 column {column}")
            self.connections.send(connection.conn_id, ENCODER.encode(answer))
            self.connections.request_close(connection.conn_id)
            return
        self.connections.send(connection.conn_id, ENCODER.encode(answer))

    def _answer(self, connection: Connection, text: bytes) -> dict[str, Any]:
        try:
            control = self._decoder.decode(text)
        except msgspec.ValidationError as error:
            return refusal(2, bad_request(str(error), len(text)))
        if control.id is msgspec.UNSET:
            return refusal(2, BAD_ID)
        names = [name for name in control.params if isinstance(name, str)]
        result: Any = None
        if control.method == "SUBSCRIBE":
            if len({*connection.streams, *names}) > self.max_streams:
                return self._error(control, 2, TOO_MANY)
            for name in names:
                self.subscribe(connection, name)
        elif control.method == "UNSUBSCRIBE":
            for name in names:
                self.unsubscribe(connection, name)
        elif control.method == "LIST_SUBSCRIPTIONS":
            if control.params:
                return self._error(control, 2, TOO_MANY)
            result = list(connection.streams)
        elif control.method in ("SET_PROPERTY", "GET_PROPERTY"):
            return self._property(connection, control)
        else:
            wrong = f"Invalid request: unknown variant `{control.method}`"
            return self._error(control, 2, f"{wrong}, expected one of {METHODS} at line 1 column 28")
        return {"result": result, "id": control.id}

    def _property(self, connection: Connection, control: StreamRequest) -> dict[str, Any]:
        if not control.params or not isinstance(control.params[0], str):
            return self._error(control, 2, "Invalid request: property name must be a string")
        if len(control.params) > (1 if control.method == "GET_PROPERTY" else 2):
            return self._error(control, 2, TOO_MANY)
        if control.params[0] not in PROPERTIES:
            return self._error(control, 0, "Unknown property")
        if control.method == "GET_PROPERTY":
            return {"result": connection.is_combined, "id": control.id}
        if len(control.params) < 2 or not isinstance(control.params[1], bool):
            return self._error(control, 1, "Invalid value type: expected Boolean")
        connection.is_combined = control.params[1]
        return {"result": None, "id": control.id}

    def _error(self, control: StreamRequest, code: int, text: str) -> dict[str, Any]:
        return refusal(code, text, control.id)

    def push(self, name: str, event: StreamEvent, now_ns: int) -> None:
        """Sends an event to all subscribers; `event(unit_ns)` makes its JSON object, once per time unit."""
        subscribed = self.subscribers.get(name)
        if not subscribed or self.connections.is_silent(MARKET, now_ns):
            return
        texts: dict[tuple[int, bool], bytes] = {}
        for connection in subscribed.values():
            shape = (connection.unit_ns, connection.is_combined)
            text = texts.get(shape)
            if text is None:
                text = ENCODER.encode(event(connection.unit_ns))
                if connection.is_combined:
                    text = b'{"stream":"%s","data":%s}' % (name.encode(), text)
                texts[shape] = text
            self.connections.send(connection.conn_id, text)
