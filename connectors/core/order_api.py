"""What an exchange's order side looks like: all that Connector must be told to trade on one more exchange. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from actors.net import HttpAnswer, HttpFailure, HttpRequest
from connectors.core.records import Intent
from connectors.core.reports import AccountReport, OrderReport, StreamEnded, TradeReport, UserEvent, Verdict
from connectors.core.throttle import Limit
from market.instrument import Instrument


class LineRequest(msgspec.Struct, frozen=True):
    """One frame of the order line (see OrderLine), and the id that its answer will name."""

    request_id: int
    text: str
    timeout_ms: int


class LineAnswer(msgspec.Struct, frozen=True):
    """The answer to a LineRequest, in the terms of REST."""

    request_id: int
    answer: HttpAnswer


class Call(msgspec.Struct, frozen=True):
    """A request, and what it takes from each kind of limit. `urgent`: it may use the share kept for cancels."""

    request: HttpRequest | LineRequest
    costs: Mapping[str, int]
    urgent: bool = False


class BadAnswer(ValueError):
    """An answer with a good status whose content makes no sense; the text says why."""


class UserReady(msgspec.Struct, frozen=True):
    """The user stream tells everything from here on."""


class UserRefused(msgspec.Struct, frozen=True):
    """The exchange refused the user stream. `is_final`: asking again will not help (a wrong key)."""

    reason: str
    is_final: bool = False


class Pong(msgspec.Struct, frozen=True):
    """The answer to our probe: the connection carries data."""


StreamEvent = UserEvent | UserReady | UserRefused | Pong


class ReplaceOutcome(msgspec.Struct, frozen=True):
    """What one request that cancels and places says about each of its two orders."""

    old: Verdict
    new: Verdict
    old_report: OrderReport | None = None
    new_report: OrderReport | None = None
    trades: Sequence[TradeReport] = ()


class OrderDialect(Protocol):
    """One exchange's orders. `ts_ns` is the exchange's time at which a request is signed.

    `judge_*` never raise; `parse_*` raise BadAnswer and are called only for what was judged PLACED.
    """

    recv_window_ns: int
    limits: list[Limit]
    pong_after_ms: int  # how often the user stream can be probed

    def learn(self, instrument: Instrument) -> None:
        """Know one more market."""

    def time_request(self) -> Call: ...

    def parse_time(self, body: bytes) -> int:
        """The exchange's time, ns."""

    def place_request(self, intent: Intent, ts_ns: int, by_line: bool = False) -> Call:
        """For REST, or as a LineRequest for the order line; so do the next two."""

    def cancel_request(self, symbol: str, cl_ord_id: str, ts_ns: int, by_line: bool = False) -> Call: ...

    def replace_request(self, intent: Intent, ts_ns: int, by_line: bool = False) -> Call:
        """Cancel `intent.replaces`, and only if that is done place `intent`."""

    def order_query(self, symbol: str, ts_ns: int, cl_ord_id: str = "", order_id: str = "") -> Call: ...

    def open_orders_request(self, symbol: str, ts_ns: int) -> Call: ...

    def trades_request(self, symbol: str, ts_ns: int, from_id: int | None = None, order_id: str = "") -> Call:
        """Own trades: of one order, or from one id on (None: the latest)."""

    trades_page: int  # a page of fewer trades is the last one

    def account_request(self, ts_ns: int) -> Call: ...

    def judge(self, answer: HttpAnswer | HttpFailure) -> Verdict:
        """Of a placement, a cancel, a query or any other signed request: what the answer proves."""

    def parse_order(self, body: bytes) -> tuple[OrderReport, list[TradeReport]]:
        """The answer to a placement, cancel or query, with the trades that it tells."""

    def judge_replace(self, answer: HttpAnswer | HttpFailure) -> ReplaceOutcome: ...

    def parse_orders(self, body: bytes) -> list[OrderReport]: ...

    def parse_trades(self, body: bytes) -> list[TradeReport]: ...

    def parse_account(self, body: bytes) -> AccountReport: ...

    def used(self, headers: Mapping[str, str]) -> dict[str, int]:
        """What the exchange says is used, by the name of the limit."""

    def line_url(self) -> str:
        """Where the order line is; "" where the exchange has none."""

    def line_login(self, ts_ns: int) -> list[str]:
        """What to send once the order line is open; it may be used once UserReady came, or at once if this is empty."""

    def parse_line(self, frame: bytes) -> LineAnswer | UserReady | UserRefused | StreamEnded | Pong | None:
        """What a frame of the order line says. Raises BadAnswer."""

    def user_url(self) -> str: ...

    def user_login(self, ts_ns: int) -> list[str]:
        """What to send once the user connection is open."""

    def user_probe(self) -> str:
        """What to send to see that it still carries data; a Pong answers it."""

    def parse_user(self, frame: bytes) -> Sequence[StreamEvent]:
        """What a frame of the user connection says. Raises BadAnswer for one that says nothing we know."""
