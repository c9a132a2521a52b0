"""Binance Spot's order side: the requests of its REST API, signed, and the way to its answers."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

import msgspec

from actors.log.secret import ApiKey
from actors.net import HttpAnswer, HttpFailure, HttpRequest
from connectors.binance import answers, errors, line, user
from connectors.binance.shapes import Shapes, in_order, is_plain, sorted_by_name
from connectors.binance.sign import Value, sign, signed_query
from connectors.binance.symbols import Symbols, venue_symbol
from connectors.core.order_api import (
    BadAnswer,
    Call,
    LineAnswer,
    LineRequest,
    Pong,
    ReplaceOutcome,
    StreamEvent,
    UserReady,
    UserRefused,
)
from connectors.core.records import Intent
from connectors.core.reports import AccountReport, OrderReport, Proof, StreamEnded, TradeReport, Verdict
from connectors.core.throttle import Limit
from market.instrument import Instrument
from protocol import OrdType, SelfTradePrevention, TimeInForce

MS_NS = 1_000_000
SECOND_NS = 1_000_000_000
TRADES_PAGE = 1000

# The limits that Binance publishes; exchangeInfo and the headers have the last word.
LIMITS = [
    Limit("weight-1m", "weight", 6000, 60 * SECOND_NS),
    Limit("order-count-10s", "orders", 100, 10 * SECOND_NS),
    Limit("order-count-1d", "orders", 200_000, 86_400 * SECOND_NS),
]
_HEADERS = {
    "x-mbx-used-weight-1m": "weight-1m",
    "x-mbx-order-count-10s": "order-count-10s",
    "x-mbx-order-count-1d": "order-count-1d",
}
_PLACING = {"weight": 1, "orders": 1}
_CANCELLING = {"weight": 1}


class _Replaced(msgspec.Struct):
    cancelResult: str
    newOrderResult: str
    cancelResponse: msgspec.Raw = msgspec.Raw()
    newOrderResponse: msgspec.Raw = msgspec.Raw()


_replaced = answers.typed(_Replaced)


class BinanceOrders:
    """The OrderDialect of Binance Spot (connectors.core.order_api)."""

    trades_page = TRADES_PAGE
    pong_after_ms = 15_000

    def __init__(
        self,
        rest_url: str,
        ws_api_url: str,
        key: ApiKey,
        recv_window_ms: int,
        timeout_ms: int,
        logon: Literal["signature", "session"] = "signature",
    ) -> None:
        self.limits = LIMITS
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
        self._line_number = 0
        self._headers = {"X-MBX-APIKEY": key.key}
        self._rest_shapes = Shapes(lambda intent: self._told(self._order_params(intent)), in_order)
        self._line_shapes = Shapes(lambda intent: self._told_by_line(self._order_params(intent)), sorted_by_name)

    def learn(self, instrument: Instrument) -> None:
        self._symbols.add(instrument.symbol)
        self._instruments[instrument.symbol] = instrument

    # -- requests -------------------------------------------------------------------------------------

    def time_request(self) -> Call:
        return Call(HttpRequest("GET", f"{self._rest_url}/api/v3/time", timeout_ms=self._timeout_ms), {"weight": 1})

    def place_request(self, intent: Intent, ts_ns: int, by_line: bool = False) -> Call:
        instrument, ts_ms = self._instruments[intent.symbol], ts_ns // MS_NS
        payload = (self._line_shapes if by_line else self._rest_shapes).payload(intent, instrument, ts_ms)
        if by_line:
            if payload:
                return self._line_call("order.place", payload, _PLACING)
            return self._line("order.place", self._order_params(intent), ts_ns, _PLACING)
        if payload:
            return self._rest_call("POST", "order", payload, _PLACING)
        return self._signed("POST", "order", self._order_params(intent), ts_ns, _PLACING)

    def cancel_request(self, symbol: str, cl_ord_id: str, ts_ns: int, by_line: bool = False) -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol), "origClientOrderId": cl_ord_id}
        if by_line:
            return self._line("order.cancel", params, ts_ns, _CANCELLING, urgent=True)
        return self._signed("DELETE", "order", params, ts_ns, _CANCELLING, urgent=True)

    def replace_request(self, intent: Intent, ts_ns: int, by_line: bool = False) -> Call:
        params = self._order_params(intent)
        params["cancelReplaceMode"] = "STOP_ON_FAILURE"
        params["cancelOrigClientOrderId"] = intent.replaces
        if by_line:
            return self._line("order.cancelReplace", params, ts_ns, _PLACING)
        return self._signed("POST", "order/cancelReplace", params, ts_ns, _PLACING)

    def order_query(self, symbol: str, ts_ns: int, cl_ord_id: str = "", order_id: str = "") -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol)}
        params["orderId" if order_id else "origClientOrderId"] = order_id or cl_ord_id
        return self._signed("GET", "order", params, ts_ns, {"weight": 4}, urgent=True)

    def open_orders_request(self, symbol: str, ts_ns: int) -> Call:
        return self._signed("GET", "openOrders", {"symbol": venue_symbol(symbol)}, ts_ns, {"weight": 6})

    def trades_request(self, symbol: str, ts_ns: int, from_id: int | None = None, order_id: str = "") -> Call:
        params: dict[str, Value] = {"symbol": venue_symbol(symbol), "limit": TRADES_PAGE}
        if order_id:
            params["orderId"] = order_id
        elif from_id is not None:
            params["fromId"] = from_id
        return self._signed("GET", "myTrades", params, ts_ns, {"weight": 5 if order_id else 20})

    def account_request(self, ts_ns: int) -> Call:
        return self._signed("GET", "account", {"omitZeroBalances": True}, ts_ns, {"weight": 20})

    def _order_params(self, intent: Intent) -> dict[str, Value]:
        instrument = self._instruments[intent.symbol]
        params: dict[str, Value] = {
            "symbol": venue_symbol(intent.symbol),
            "side": intent.side.name,
            "type": intent.ord_type.name,
            "quantity": instrument.size_text(intent.size_lots),
            "newClientOrderId": intent.cl_ord_id,
            "newOrderRespType": "FULL",
        }
        if intent.ord_type is not OrdType.MARKET:
            params["price"] = instrument.price_text(intent.price_ticks)
        if intent.ord_type is OrdType.LIMIT:
            params["timeInForce"] = TimeInForce(intent.time_in_force).name
        if intent.stp is not SelfTradePrevention.NONE:
            params["selfTradePreventionMode"] = SelfTradePrevention(intent.stp).name
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
        told = self._told(params)
        told["timestamp"] = ts_ns // MS_NS
        payload = in_order(told)
        if is_plain(payload, len(told)):  # nearly always: percent-encoding costs more than the signature
            return self._rest_call(method, path, payload, costs, urgent)
        return self._rest_request(method, path, signed_query(self._key, told), costs, urgent)

    def _rest_call(self, method: str, path: str, payload: str, costs: Mapping[str, int], urgent: bool = False) -> Call:
        signature = sign(self._key, payload.encode())
        query = f"{payload}&signature={signature if signature.isalnum() else quote(signature, safe='')}"
        return self._rest_request(method, path, query, costs, urgent)

    def _rest_request(self, method: str, path: str, query: str, costs: Mapping[str, int], urgent: bool) -> Call:
        url = f"{self._rest_url}/api/v3/{path}?{query}"
        return Call(HttpRequest(method, url, self._headers, timeout_ms=self._timeout_ms), costs, urgent)

    def _told(self, params: dict[str, Value]) -> dict[str, Value]:
        params["recvWindow"] = self._recv_window_ms
        return params

    def _told_by_line(self, params: dict[str, Value]) -> dict[str, Value]:
        if not self._logs_on:
            params["apiKey"] = self._key.key
        return self._told(params)

    def _line(
        self, method: str, params: dict[str, Value], ts_ns: int, costs: Mapping[str, int], urgent: bool = False
    ) -> Call:
        told = self._told_by_line(params)
        told["timestamp"] = ts_ns // MS_NS
        payload = sorted_by_name(told)
        if is_plain(payload, len(told)):
            return self._line_call(method, payload, costs, urgent)
        self._line_number += 1
        frame = line.request_frame(self._key, self._line_number, method, told, self._logs_on)
        return Call(LineRequest(self._line_number, frame, self._timeout_ms), costs, urgent)

    def _line_call(self, method: str, payload: str, costs: Mapping[str, int], urgent: bool = False) -> Call:
        self._line_number += 1
        frame = line.plain_frame(self._key, self._line_number, method, payload, self._logs_on)
        return Call(LineRequest(self._line_number, frame, self._timeout_ms), costs, urgent)

    # -- answers --------------------------------------------------------------------------------------

    def judge(self, answer: HttpAnswer | HttpFailure) -> Verdict:
        return errors.judge(answer)

    def parse_time(self, body: bytes) -> int:
        return answers.parse_time(body)

    def parse_order(self, body: bytes) -> tuple[OrderReport, list[TradeReport]]:
        return answers.parse_order(body, self._symbols)

    def parse_orders(self, body: bytes) -> list[OrderReport]:
        return answers.parse_orders(body, self._symbols)

    def parse_trades(self, body: bytes) -> list[TradeReport]:
        return answers.parse_trades(body, self._symbols)

    def parse_account(self, body: bytes) -> AccountReport:
        return answers.parse_account(body)

    def used(self, headers: Mapping[str, str]) -> dict[str, int]:
        return {name: int(headers[header]) for header, name in _HEADERS.items() if headers.get(header, "").isdecimal()}

    def judge_replace(self, answer: HttpAnswer | HttpFailure) -> ReplaceOutcome:
        """Each half by itself: the answer to a half that failed is an error body in its place."""
        verdict = errors.judge(answer)
        if isinstance(answer, HttpFailure):
            return ReplaceOutcome(Verdict(Proof.UNKNOWN, verdict.reason), verdict)
        data: bytes | msgspec.Raw = answer.body
        if answer.status != 200:
            error = errors.error_body(answer.body)
            if error is None or not len(error.data) or answer.status >= 500:
                return ReplaceOutcome(Verdict(Proof.UNKNOWN, verdict.reason), verdict)
            data = error.data
        try:
            return self._halves(_replaced(data))
        except BadAnswer as trouble:
            unknown = Verdict(Proof.UNKNOWN, f"unreadable answer: {trouble}")
            return ReplaceOutcome(unknown, unknown)

    def _halves(self, row: _Replaced) -> ReplaceOutcome:
        old, old_report, _ = self._half(row.cancelResult, row.cancelResponse)
        new, new_report, trades = self._half(row.newOrderResult, row.newOrderResponse)
        return ReplaceOutcome(old, new, old_report, new_report, trades)

    def _half(self, result: str, raw: msgspec.Raw) -> tuple[Verdict, OrderReport | None, list[TradeReport]]:
        if result == "SUCCESS":
            report, trades = answers.parse_order(raw, self._symbols)
            return Verdict(Proof.PLACED), report, trades
        if result == "NOT_ATTEMPTED":
            return Verdict(Proof.NOT_PLACED, "the order to replace was not cancelled"), None, []
        error = errors.error_body(raw)
        if result != "FAILURE" or error is None:
            return Verdict(Proof.UNKNOWN, f"half an answer: {result[:50]}"), None, []
        return errors.judge_code(error.code, error.msg), None, []

    # -- the order line -------------------------------------------------------------------------------

    def line_url(self) -> str:
        return f"{self._ws_api_url}/ws-api/v3"

    def line_login(self, ts_ns: int) -> list[str]:
        return user.login_frames(self._key, ts_ns // MS_NS, True)[:1] if self._logs_on else []

    def parse_line(self, frame: bytes) -> LineAnswer | UserReady | UserRefused | StreamEnded | Pong | None:
        return line.parse_line(frame)

    # -- the user stream ------------------------------------------------------------------------------

    def user_url(self) -> str:
        return f"{self._ws_api_url}/ws-api/v3"

    def user_login(self, ts_ns: int) -> list[str]:
        return user.login_frames(self._key, ts_ns // MS_NS, self._logon == "session")

    def user_probe(self) -> str:
        return user.probe_frame()

    def parse_user(self, frame: bytes) -> list[StreamEvent]:
        return user.parse_user(frame, self._symbols)
