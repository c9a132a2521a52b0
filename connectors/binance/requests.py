"""Binance Spot's order side: signed requests for REST and the WebSocket API, and their answers."""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

import msgspec

from actors.log.secret import ApiKey
from actors.net import HttpAnswer, HttpFailure, HttpRequest
from connectors.binance import answers, error_codes, user_data, websocket_api
from connectors.binance.order_templates import OrderTemplates, in_order, is_plain, sorted_by_name
from connectors.binance.sign import Value, sign, signed_query
from connectors.binance.symbols import Symbols, venue_symbol
from connectors.core.order_api import (
    BadAnswer,
    Call,
    LoggedIn,
    LoginRefused,
    Pong,
    ReplaceOutcome,
    SocketAnswer,
    SocketRequest,
    StreamEvent,
)
from connectors.core.records import NewOrderRecord
from connectors.core.reports import AccountReport, OrderReport, Outcome, StreamEnded, TradeReport, Unreadable, Verdict
from connectors.core.throttle import Limit
from market.instrument import Instrument
from protocol import OrdType, SelfTradePrevention, TimeInForce

MS_NS = 1_000_000
SECOND_NS = 1_000_000_000
TRADES_PAGE = 1000
ORDERS_PAGE = 1000

# The limits that Binance publishes. The headers of its answers correct our counts.
LIMITS = [
    Limit("weight-1m", "weight", 6000, 60 * SECOND_NS),
    Limit("order-count-10s", "orders", 100, 10 * SECOND_NS),
    Limit("order-count-1d", "orders", 200_000, 86_400 * SECOND_NS),
]
_HEADERS = {"weight": "x-mbx-used-", "orders": "x-mbx-"}  # before the name of a limit of this kind
_PLACING = {"weight": 1, "orders": 1, "requests": 1}
_CANCELLING = {"weight": 1, "requests": 1}


class _Replaced(msgspec.Struct):
    cancelResult: str
    newOrderResult: str
    cancelResponse: msgspec.Raw = msgspec.Raw()
    newOrderResponse: msgspec.Raw = msgspec.Raw()


_replaced = answers.typed(_Replaced)


def _count_headers(limits: Sequence[Limit]) -> dict[str, str]:
    """Returns the name of each limit by the header that has the exchange's count of it."""
    return {_HEADERS[one.kind] + one.name: one.name for one in limits if one.kind in _HEADERS}


class BinanceRequests:
    """The RequestApi of Binance Spot (connectors.core.order_api)."""

    def __init__(self) -> None:
        self.rate_limits: Sequence[Limit] = LIMITS
        self._counts = _count_headers(LIMITS)

    def adopt_limits(self, limits: Sequence[Limit]) -> None:
        self.rate_limits = limits
        self._counts = _count_headers(limits)

    def used(self, headers: Mapping[str, str]) -> dict[str, int]:
        counts = self._counts
        return {name: int(headers[header]) for header, name in counts.items() if headers.get(header, "").isdecimal()}

    def classify(self, answer: HttpAnswer | HttpFailure) -> Verdict:
        return error_codes.classify(answer)


class BinanceOrders(BinanceRequests):
    """The OrderApi of Binance Spot (connectors.core.order_api)."""

    trades_page = TRADES_PAGE
    orders_page = ORDERS_PAGE

    def __init__(
        self,
        rest_url: str,
        ws_api_url: str,
        key: ApiKey,
        recv_window_ms: int,
        timeout_ms: int,
        logon: Literal["signature", "session"] = "signature",
    ) -> None:
        super().__init__()
        self.recv_window_ns = recv_window_ms * MS_NS
        self._rest_url = rest_url.rstrip("/")
        self._ws_api_url = ws_api_url.rstrip("/")
        self._key = key
        self._recv_window_ms = recv_window_ms
        self._timeout_ms = timeout_ms
        self._logon = logon
        self._symbols = Symbols()
        self._instruments: dict[str, Instrument] = {}
        self._logs_on = key.kind == "ed25519"  # the only kind of key that a connection can be logged on with
        self._headers = {"X-MBX-APIKEY": key.key}
        self._rest_templates = OrderTemplates(lambda order: self._rest_params(self._order_params(order)), in_order)
        self._ws_templates = OrderTemplates(lambda order: self._ws_params(self._order_params(order)), sorted_by_name)

    def add_symbol(self, symbol: str) -> None:
        self._symbols.add(symbol)

    def add_market(self, instrument: Instrument) -> None:
        self._symbols.add(instrument.symbol)
        self._instruments[instrument.symbol] = instrument

    # -- requests -------------------------------------------------------------------------------------

    def time_request(self) -> Call:
        return Call(
            HttpRequest("GET", f"{self._rest_url}/api/v3/time", timeout_ms=self._timeout_ms),
            {"weight": 1, "requests": 1},
        )

    def place_request(self, order: NewOrderRecord, ts_ns: int, request_id: int = 0) -> Call:
        instrument, ts_ms = self._instruments[order.symbol], ts_ns // MS_NS
        payload = (self._ws_templates if request_id else self._rest_templates).payload(order, instrument, ts_ms)
        if request_id:
            if payload:
                return self._ws_call(request_id, "order.place", payload, _PLACING)
            return self._ws_signed(request_id, "order.place", self._order_params(order), ts_ns, _PLACING)
        if payload:
            return self._rest_call("POST", "order", payload, _PLACING)
        return self._signed("POST", "order", self._order_params(order), ts_ns, _PLACING)

    def cancel_request(self, symbol: str, cl_ord_id: str, ts_ns: int, request_id: int = 0) -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol), "origClientOrderId": cl_ord_id}
        if request_id:
            return self._ws_signed(request_id, "order.cancel", params, ts_ns, _CANCELLING, urgent=True)
        return self._signed("DELETE", "order", params, ts_ns, _CANCELLING, urgent=True)

    def replace_request(self, order: NewOrderRecord, ts_ns: int, request_id: int = 0) -> Call:
        params = self._order_params(order)
        params["cancelReplaceMode"] = "STOP_ON_FAILURE"
        params["cancelOrigClientOrderId"] = order.replaces
        if request_id:
            return self._ws_signed(request_id, "order.cancelReplace", params, ts_ns, _PLACING)
        return self._signed("POST", "order/cancelReplace", params, ts_ns, _PLACING)

    def order_query(self, symbol: str, ts_ns: int, cl_ord_id: str = "", order_id: str = "") -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol)}
        params["orderId" if order_id else "origClientOrderId"] = order_id or cl_ord_id
        return self._signed("GET", "order", params, ts_ns, {"weight": 4, "requests": 1}, urgent=True)

    def open_orders_request(self, symbol: str, ts_ns: int) -> Call:
        if not symbol:
            return self._signed("GET", "openOrders", {}, ts_ns, {"weight": 80, "requests": 1})
        return self._signed("GET", "openOrders", {"symbol": venue_symbol(symbol)}, ts_ns, {"weight": 6, "requests": 1})

    def orders_request(self, symbol: str, ts_ns: int, from_order_id: str) -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol), "orderId": from_order_id, "limit": ORDERS_PAGE}
        return self._signed("GET", "allOrders", params, ts_ns, {"weight": 20, "requests": 1})

    def trades_request(self, symbol: str, ts_ns: int, from_id: int | None = None, order_id: str = "") -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol), "limit": TRADES_PAGE}
        if order_id:
            params["orderId"] = order_id
        elif from_id is not None:
            params["fromId"] = from_id
        return self._signed("GET", "myTrades", params, ts_ns, {"weight": 5 if order_id else 20, "requests": 1})

    def account_request(self, ts_ns: int) -> Call:
        return self._signed("GET", "account", {"omitZeroBalances": True}, ts_ns, {"weight": 20, "requests": 1})

    def _order_params(self, order: NewOrderRecord) -> dict[str, Value]:
        instrument = self._instruments[order.symbol]
        params: dict[str, Value] = {
            "symbol": venue_symbol(order.symbol),
            "side": order.side.name,
            "type": order.ord_type.name,
            "quantity": instrument.size_text(order.size_lots),
            "newClientOrderId": order.cl_ord_id,
            "newOrderRespType": "FULL",
        }
        if order.ord_type is not OrdType.MARKET:
            params["price"] = instrument.price_text(order.price_ticks)
        if order.ord_type is OrdType.LIMIT:
            params["timeInForce"] = TimeInForce(order.time_in_force).name
        if order.stp is not SelfTradePrevention.NONE:
            params["selfTradePreventionMode"] = SelfTradePrevention(order.stp).name
        return params

    def _signed(
        self,
        method: str,
        path: str,
        params: dict[str, Value],
        ts_ns: int,
        costs: Mapping[str, int],
        urgent: bool = False,
    ) -> Call:
        named = self._rest_params(params)
        named["timestamp"] = ts_ns // MS_NS
        payload = in_order(named)
        if is_plain(payload, len(named)):  # nearly always: percent-encoding costs more than the signature
            return self._rest_call(method, path, payload, costs, urgent)
        return self._rest_request(method, path, signed_query(self._key, named), costs, urgent)

    def _rest_call(self, method: str, path: str, payload: str, costs: Mapping[str, int], urgent: bool = False) -> Call:
        signature = sign(self._key, payload.encode())
        query = f"{payload}&signature={signature if signature.isalnum() else quote(signature, safe='')}"
        return self._rest_request(method, path, query, costs, urgent)

    def _rest_request(self, method: str, path: str, query: str, costs: Mapping[str, int], urgent: bool) -> Call:
        url = f"{self._rest_url}/api/v3/{path}?{query}"
        return Call(HttpRequest(method, url, self._headers, timeout_ms=self._timeout_ms), costs, urgent)

    def _rest_params(self, params: dict[str, Value]) -> dict[str, Value]:
        params["recvWindow"] = self._recv_window_ms
        return params

    def _ws_params(self, params: dict[str, Value]) -> dict[str, Value]:
        if not self._logs_on:
            params["apiKey"] = self._key.key
        return self._rest_params(params)

    def _ws_signed(
        self,
        request_id: int,
        method: str,
        params: dict[str, Value],
        ts_ns: int,
        costs: Mapping[str, int],
        urgent: bool = False,
    ) -> Call:
        named = self._ws_params(params)
        named["timestamp"] = ts_ns // MS_NS
        payload = sorted_by_name(named)
        if is_plain(payload, len(named)):
            return self._ws_call(request_id, method, payload, costs, urgent)
        frame = websocket_api.request_frame(self._key, request_id, method, named, self._logs_on)
        return Call(SocketRequest(request_id, frame, self._timeout_ms), costs, urgent)

    def _ws_call(
        self, request_id: int, method: str, payload: str, costs: Mapping[str, int], urgent: bool = False
    ) -> Call:
        frame = websocket_api.plain_frame(self._key, request_id, method, payload, self._logs_on)
        return Call(SocketRequest(request_id, frame, self._timeout_ms), costs, urgent)

    # -- answers --------------------------------------------------------------------------------------

    def parse_time(self, body: bytes) -> int:
        return answers.parse_time(body)

    def parse_order(self, body: bytes) -> tuple[OrderReport, list[TradeReport]]:
        return answers.parse_order(body, self._symbols)

    def parse_orders(self, body: bytes) -> list[OrderReport | Unreadable]:
        return answers.parse_orders(body, self._symbols)

    def parse_trades(self, body: bytes) -> list[TradeReport | Unreadable]:
        return answers.parse_trades(body, self._symbols)

    def parse_account(self, body: bytes) -> AccountReport:
        return answers.parse_account(body)

    def classify_replace(self, answer: HttpAnswer | HttpFailure) -> ReplaceOutcome:
        """Classifies each half by itself: the answer to a failed half is an error body in its place."""
        verdict = error_codes.classify(answer)
        if isinstance(answer, HttpFailure):
            return ReplaceOutcome(Verdict(Outcome.UNKNOWN, verdict.reason), verdict)
        data: bytes | msgspec.Raw = answer.body
        if answer.status != 200:
            error = error_codes.error_body(answer.body)
            if error is None or not len(error.data) or answer.status >= 500:
                return ReplaceOutcome(Verdict(Outcome.UNKNOWN, verdict.reason), verdict)
            data = error.data
        try:
            return self._halves(_replaced(data))
        except BadAnswer as trouble:
            unknown = Verdict(Outcome.UNKNOWN, f"invalid answer: {trouble}")
            return ReplaceOutcome(unknown, unknown)

    def _halves(self, row: _Replaced) -> ReplaceOutcome:
        old, old_report, _ = self._half(row.cancelResult, row.cancelResponse)
        new, new_report, trades = self._half(row.newOrderResult, row.newOrderResponse)
        return ReplaceOutcome(old, new, old_report, new_report, trades)

    def _half(self, result: str, raw: msgspec.Raw) -> tuple[Verdict, OrderReport | None, list[TradeReport]]:
        if result == "SUCCESS":
            report, trades = answers.parse_order(raw, self._symbols)
            return Verdict(Outcome.OK), report, trades
        if result == "NOT_ATTEMPTED":
            return Verdict(Outcome.NOT_SENT, "the order to replace was not cancelled"), None, []
        error = error_codes.error_body(raw)
        if result != "FAILURE" or error is None:
            return Verdict(Outcome.UNKNOWN, f"incomplete answer: {result[:50]}"), None, []
        return error_codes.classify_code(error.code, error.msg), None, []

    # -- the order socket ----------------------------------------------------------------------------

    def order_socket_url(self) -> str:
        return f"{self._ws_api_url}/ws-api/v3"

    def order_socket_login(self, ts_ns: int) -> list[str]:
        return user_data.login_frames(self._key, ts_ns // MS_NS, True)[:1] if self._logs_on else []

    def parse_order_socket(self, frame: bytes) -> SocketAnswer | LoggedIn | LoginRefused | StreamEnded | Pong | None:
        return websocket_api.parse_frame(frame)

    # -- the user stream ------------------------------------------------------------------------------

    def user_url(self) -> str:
        return f"{self._ws_api_url}/ws-api/v3"

    def user_login(self, ts_ns: int) -> list[str]:
        return user_data.login_frames(self._key, ts_ns // MS_NS, self._logon == "session")

    def user_probe(self) -> str:
        return user_data.probe_frame()

    def parse_user(self, frame: bytes) -> list[StreamEvent]:
        return user_data.parse_user(frame, self._symbols)
