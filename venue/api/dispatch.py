"""RequestDispatcher: from a request to its endpoint: weight, key, signature, timing, handler, errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from venue.accounts import security
from venue.accounts.accounts import ExchangeAccount
from venue.accounts.rate_limits import RateLimits
from venue.accounts.security import AccountKey
from venue.api.requests import allowed_params
from venue.api.requests.endpoint import PUBLIC, TRADE, ApiCall, Endpoint
from venue.api.rest import (
    account_endpoints,
    account_rule_endpoints,
    amend_endpoints,
    cancel_replace_endpoint,
    client_startup_endpoints,
    execution_endpoints,
    market_endpoints,
    order_list_endpoints,
    ticker_endpoints,
    trade_endpoints,
)
from venue.base import api_errors
from venue.base.params import Params, from_request
from venue.base.units import MICROSECOND_NS, MILLISECOND_NS
from venue.base.wire import Request, Response
from venue.engine.engine import Engine

ENDPOINTS: list[Endpoint] = [
    *market_endpoints.ENDPOINTS,
    *ticker_endpoints.ENDPOINTS,
    *execution_endpoints.ENDPOINTS,
    *trade_endpoints.ENDPOINTS,
    *cancel_replace_endpoint.ENDPOINTS,
    *amend_endpoints.ENDPOINTS,
    *order_list_endpoints.ENDPOINTS,
    *account_endpoints.ENDPOINTS,
    *account_rule_endpoints.ENDPOINTS,
    *client_startup_endpoints.ENDPOINTS,
]
BY_ROUTE = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}
BY_WS_METHOD = {endpoint.ws_method: endpoint for endpoint in ENDPOINTS if endpoint.ws_method}
PATHS = {endpoint.path for endpoint in ENDPOINTS}
ENCODER = msgspec.json.Encoder()
NOTHING: frozenset[str] = frozenset()
FOR_EVER_NS = 2**63
JSON_TYPE = "application/json;charset=UTF-8"


def time_unit(text: str | None) -> int:
    """The requested time unit in nanoseconds. Raises -1194 for an unknown one."""
    if text is None or text.upper() == "MILLISECOND":
        return MILLISECOND_NS
    if text.upper() == "MICROSECOND":
        return MICROSECOND_NS
    text = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
    raise api_errors.ApiError(-1194, text)


def error_response(error: api_errors.ApiError) -> Response:
    """The answer for an error before any endpoint is called."""
    headers = {"content-type": JSON_TYPE}
    if error.retry_after_s:
        headers["retry-after"] = str(error.retry_after_s)
    return Response(error.status, headers, ENCODER.encode(error.body()))


REMOVED = ("/api/v3/userDataStream", "/api/v1/userDataStream")  # listen keys; the exchange removed them in 2026-02


class RequestDispatcher:
    """Authenticates requests and calls their endpoints."""

    def __init__(self, engine: Engine, limits: RateLimits) -> None:
        self.engine = engine
        self.limits = limits
        self._reader: ExchangeAccount | None = None

    @contextmanager
    def reading_from(self, reader: ExchangeAccount | None) -> Iterator[None]:
        """Within the block, reads see `reader` (a lagging copy) instead of the caller's account; None: no change."""
        self._reader = reader
        try:
            yield
        finally:
            self._reader = None

    def call(
        self,
        endpoint: Endpoint,
        params: Params,
        key: AccountKey | None,
        now_ns: int,
        remote: str,
        unit_ns: int,
        valid_until_ns: int,
        extra: frozenset[str] = NOTHING,
    ) -> Any:
        """Calls an endpoint; its weight is counted and its caller authenticated before. Raises ApiError.

        A trading request must still be valid now, by `valid_until_ns`.
        """
        extra_params = extra if key is None else allowed_params.SIGNED | extra
        allowed_params.check_allowed(endpoint.method, endpoint.path, params, extra_params)
        caller = None if key is None else self.engine.accounts.of_key(key)
        if endpoint.security == TRADE:
            if key is not None and not key.can_trade:
                raise api_errors.bad_key()
            if now_ns > valid_until_ns:
                raise api_errors.too_old()
        if self._reader is not None and caller is not None:
            caller = self._reader
        call = ApiCall(self.engine, self.limits, params, now_ns, remote, unit_ns, caller, is_websocket=bool(extra))
        result = endpoint.handler(call)
        if endpoint.is_free:
            self.limits.refund(remote, endpoint.weight_of(params), now_ns)
        return result

    def handle(self, request: Request, now_ns: int) -> Response:
        """Answers a REST request."""
        endpoint = BY_ROUTE.get((request.method, request.path))
        if request.path in REMOVED:
            return Response(410, {"content-type": "text/html"}, b"<html><body>Gone</body></html>")
        if endpoint is None:
            status = 405 if request.path in PATHS else 404
            return Response(status, {"content-type": "text/html"}, b"<html><body>Not found</body></html>")
        return self._answer(endpoint, request, now_ns)

    def _answer(self, endpoint: Endpoint, request: Request, now_ns: int) -> Response:
        key: AccountKey | None = None
        valid_until_ns = FOR_EVER_NS
        headers = {"content-type": JSON_TYPE}
        try:
            if "x-mbx-sbe" in request.headers:
                raise api_errors.ApiError(-1155, "SBE is not enabled.")
            params = from_request(request.query, request.body, request.method)
            self.limits.charge(request.remote, endpoint.weight_of(params), now_ns)
            unit_ns = time_unit(request.headers.get("x-mbx-time-unit"))
            if endpoint.security != PUBLIC:
                key, valid_until_ns = self._authenticate(request, params, now_ns)
            result = self.call(endpoint, params, key, now_ns, request.remote, unit_ns, valid_until_ns)
            status, body = 200, ENCODER.encode(result)
        except api_errors.ApiError as error:
            status, body = error.status, ENCODER.encode(error.body())
            if error.retry_after_s:
                headers["retry-after"] = str(error.retry_after_s)
        used = str(self.limits.peer(request.remote).weight.now(now_ns))
        headers["x-mbx-used-weight"] = headers["x-mbx-used-weight-1m"] = used
        if key is not None and endpoint.places_orders:
            counts = self.limits.counts(key.account)
            headers["x-mbx-order-count-10s"] = str(counts.ten_seconds.now(now_ns))
            headers["x-mbx-order-count-1d"] = str(counts.day.now(now_ns))
        return Response(status, headers, body)

    def _authenticate(self, request: Request, params: Params, now_ns: int) -> tuple[AccountKey, int]:
        """The caller's key, and until when the request is valid: the window counts from its receipt, not from now."""
        api_key = request.headers.get("x-mbx-apikey", "")
        security.check_key_format(api_key)
        key = self.engine.accounts.key(api_key)
        payload, signature = security.signed_payload(request.query, request.body if request.method != "GET" else b"")
        received_ns = request.received_ns
        if received_ns is None or received_ns > now_ns:
            received_ns = now_ns
        return key, self.verify(key, payload, signature, params, received_ns)

    def verify(self, key: AccountKey, payload: bytes, signature: str, params: Params, now_ns: int) -> int:
        """The end of validity. Raises -1102 without, -1022 for a wrong signature, -1021 outside the window."""
        params.text("timestamp")
        if not signature:
            raise api_errors.mandatory("signature")
        key.verify(payload, signature)
        return security.check_timing(params, now_ns)

    def account_of(self, key: AccountKey) -> ExchangeAccount:
        return self.engine.accounts.of_key(key)
