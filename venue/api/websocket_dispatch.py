"""The websocket API: sessions, user data subscriptions, and the REST endpoints as methods."""

from collections.abc import Callable
from typing import Any

import msgspec

from venue.accounts import security
from venue.accounts.rate_limits import RateLimit
from venue.accounts.security import AccountKey
from venue.api.dispatch import BY_WS_METHOD, FOR_EVER_NS, RequestDispatcher
from venue.api.requests.allowed_params import WEBSOCKET
from venue.api.requests.endpoint import PUBLIC, Endpoint
from venue.base import api_errors
from venue.base.params import Params, from_json
from venue.base.units import SECOND_NS
from venue.streams.connections import Connection, Connections
from venue.streams.user_data_stream import UserDataStream

ENCODER = msgspec.json.Encoder()
SESSION_WEIGHT = 2
BANNED = 418


class WebsocketRequest(msgspec.Struct):
    """One request frame; parameter values keep their original text, because it is signed."""

    id: int | str | None
    method: str
    params: dict[str, msgspec.Raw] = {}


class FrameId(msgspec.Struct):
    """The id of a frame; other fields are ignored."""

    id: int | str | None = None


class WebsocketApi:
    """Answers request frames."""

    def __init__(
        self, dispatcher: RequestDispatcher, connections: Connections, user_stream: UserDataStream, hmac_logon: bool
    ) -> None:
        self.dispatcher = dispatcher
        self.connections = connections
        self.user_stream = user_stream
        self.hmac_logon = hmac_logon
        self._decoder = msgspec.json.Decoder(WebsocketRequest)
        self._id_decoder = msgspec.json.Decoder(FrameId)
        self.methods: dict[str, Callable[[Connection, Params, int], Any]] = {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
            "session.subscriptions": self._subscriptions,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def receive(self, connection: Connection, text: bytes, now_ns: int) -> None:
        """Answers one frame. Answers are in the order of the frames."""
        try:
            request = self._decoder.decode(text)
            params = from_json(request.params)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            error = {"code": -1135, "msg": "Invalid JSON Request"}
            self._send(connection, {"id": self._id_of(text), "status": 400, "error": error})
            return
        method = request.method.removeprefix("v3/")
        endpoint = BY_WS_METHOD.get(method)
        answer = {"id": request.id, **self._answer(connection, method, endpoint, params, now_ns)}
        self._send(connection, answer)
        if answer.get("status") == BANNED:
            self.connections.request_close(connection.conn_id)

    def _id_of(self, text: bytes) -> int | str | None:
        """The id of an invalid request; None without one."""
        try:
            return self._id_decoder.decode(text).id
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    def _send(self, connection: Connection, answer: dict[str, Any]) -> None:
        self.connections.send(connection.conn_id, ENCODER.encode(answer))

    def _answer(
        self, connection: Connection, method: str, endpoint: Endpoint | None, params: Params, now_ns: int
    ) -> dict[str, Any]:
        """The fields status, result or error, and rateLimits if requested."""
        limits: list[RateLimit] = []
        returns_limits = connection.returns_limits
        try:
            returns_limits = params.flag("returnRateLimits", connection.returns_limits)
            result, limits = self._run(connection, method, endpoint, params, now_ns)
            answer: dict[str, Any] = {"status": 200, "result": result}
        except api_errors.ApiError as error:
            body = error.body()
            if error.retry_after_s:
                server_ms = now_ns // connection.unit_ns
                wait = error.retry_after_s * SECOND_NS // connection.unit_ns
                body["data"] = {"serverTime": server_ms, "retryAfter": server_ms + wait}
            answer = {"status": error.status, "error": body}
        if returns_limits:
            answer["rateLimits"] = [*limits, self.dispatcher.limits.weight_row(connection.remote, now_ns)]
        return answer

    def _run(
        self, connection: Connection, method: str, endpoint: Endpoint | None, params: Params, now_ns: int
    ) -> tuple[Any, list[RateLimit]]:
        limits, remote = self.dispatcher.limits, connection.remote
        own = self.methods.get(method)
        if own is not None:
            limits.charge(remote, SESSION_WEIGHT, now_ns)
            return own(connection, params, now_ns), []
        if endpoint is None:
            raise api_errors.unsupported()
        limits.charge(remote, endpoint.weight_of(params), now_ns)
        key, valid_until_ns = None, FOR_EVER_NS
        if endpoint.security != PUBLIC:
            key, valid_until_ns = self._authenticate(connection, params, now_ns)
        result = self.dispatcher.call(
            endpoint, params, key, now_ns, remote, connection.unit_ns, valid_until_ns, WEBSOCKET
        )
        if key is not None and endpoint.places_orders:
            return result, limits.order_rows(key.account, now_ns)
        return result, []

    def _authenticate(self, connection: Connection, params: Params, now_ns: int) -> tuple[AccountKey, int]:
        """Authenticates by the request's own key, else by the session's; also returns the end of validity."""
        if "apiKey" in params or "signature" in params or connection.key is None:
            return self._signed(params, now_ns)
        return connection.key, security.check_timing(params, now_ns)

    def _signed(self, params: Params, now_ns: int) -> tuple[AccountKey, int]:
        api_key = params.text("apiKey")
        security.check_key_format(api_key)
        key = self.dispatcher.engine.accounts.key(api_key)
        payload = security.websocket_payload(params)
        return key, self.dispatcher.verify(key, payload, params.values.get("signature", ""), params, now_ns)

    # Methods of the session itself

    def _logon(self, connection: Connection, params: Params, now_ns: int) -> dict[str, Any]:
        key, _ = self._signed(params, now_ns)
        if key.is_hmac and not self.hmac_logon:
            raise api_errors.ApiError(-4056, "HMAC_SHA256 API key is not supported.", 401)
        connection.key = key
        connection.authorized_ns = now_ns
        return self._status(connection, params, now_ns)

    def _status(self, connection: Connection, params: Params, now_ns: int) -> dict[str, Any]:
        key, unit_ns = connection.key, connection.unit_ns
        return {
            "apiKey": key.api_key if key else None,
            "authorizedSince": connection.authorized_ns // unit_ns if key else None,
            "connectedSince": connection.opened_ns // unit_ns,
            "returnRateLimits": connection.returns_limits,
            "serverTime": now_ns // unit_ns,
            "userDataStream": bool(connection.subscriptions),
        }

    def _logout(self, connection: Connection, params: Params, now_ns: int) -> dict[str, Any]:
        if connection.logon_subscription is not None:
            self.user_stream.unsubscribe(connection, connection.logon_subscription, now_ns)
            connection.logon_subscription = None
        connection.key = None
        return self._status(connection, params, now_ns)

    def _subscriptions(self, connection: Connection, params: Params, now_ns: int) -> list[dict[str, int]]:
        return [{"subscriptionId": number} for number in connection.subscriptions]

    def _subscribe(self, connection: Connection, params: Params, now_ns: int) -> dict[str, int]:
        if connection.key is None:
            raise api_errors.ApiError(-1002, "You are not authorized to execute this request.", 401)
        number = self.user_stream.subscribe(connection, connection.key.account)
        connection.logon_subscription = number
        return {"subscriptionId": number}

    def _subscribe_signed(self, connection: Connection, params: Params, now_ns: int) -> dict[str, int]:
        key, _ = self._signed(params, now_ns)
        return {"subscriptionId": self.user_stream.subscribe(connection, key.account)}

    def _unsubscribe(self, connection: Connection, params: Params, now_ns: int) -> dict[str, Any]:
        """Ends the subscription `subscriptionId`; without it all."""
        number = params.optional_integer("subscriptionId")
        for one in list(connection.subscriptions) if number is None else [number]:
            self.user_stream.unsubscribe(connection, one, now_ns)
            if one == connection.logon_subscription:
                connection.logon_subscription = None
        return {}
