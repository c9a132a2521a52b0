"""OrderApi: the order side of one exchange. The order manager needs nothing else to trade on one more exchange."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from actors.net import HttpAnswer, HttpFailure, HttpRequest
from connectors.core.records import NewOrderRecord
from connectors.core.reports import (
    AccountReport,
    OrderReport,
    StreamEnded,
    TradeReport,
    Unreadable,
    UserEvent,
    Verdict,
)
from connectors.core.throttle import Limit
from market.instrument import Instrument


class SocketRequest(msgspec.Struct, frozen=True):
    """One request frame for the order socket, and the id that its answer will carry."""

    request_id: int
    text: str
    timeout_ms: int


class SocketAnswer(msgspec.Struct, frozen=True):
    """The answer to a SocketRequest, in the form of a REST answer."""

    request_id: int
    answer: HttpAnswer


class Call(msgspec.Struct, frozen=True):
    """A request, and its cost by kind of limit. `urgent`: it may use the share that is reserved for cancels."""

    request: HttpRequest | SocketRequest
    costs: Mapping[str, int]
    urgent: bool = False


class BadAnswer(ValueError):
    """An answer with a good status and an invalid content; the text is the reason."""


class LoggedIn(msgspec.Struct, frozen=True):
    """The login of a connection is done: from here on it carries every user event, or accepts requests."""


class LoginRefused(msgspec.Struct, frozen=True):
    """The exchange refused a login. `is_final`: trying again at once cannot help (a wrong key).

    `until_ns`: the end of a ban, by the exchange's clock; 0 if it is none.
    """

    reason: str
    is_final: bool = False
    until_ns: int = 0


class Pong(msgspec.Struct, frozen=True):
    """The answer to our probe: the connection carries data."""


StreamEvent = UserEvent | LoggedIn | LoginRefused | Pong


class ReplaceOutcome(msgspec.Struct, frozen=True):
    """The result of a cancel-and-place request, for each of its two orders."""

    old: Verdict
    new: Verdict
    old_report: OrderReport | None = None
    new_report: OrderReport | None = None
    trades: Sequence[TradeReport] = ()


class RequestApi(Protocol):
    """What every connector needs of an exchange to send requests within its limits, keys or not. Pure."""

    @property
    def rate_limits(self) -> Sequence[Limit]:
        """The limits of the exchange: those that are known before it states them."""

    def adopt_limits(self, limits: Sequence[Limit]) -> None:
        """The exchange has stated its limits (MarketApi.parse_limits): read its counts of them in `used`."""

    def used(self, headers: Mapping[str, str]) -> dict[str, int]:
        """Returns what the exchange has counted in each window, by the name of the limit."""

    def classify(self, answer: HttpAnswer | HttpFailure) -> Verdict:
        """Classifies the answer to any request. Never raises."""


class OrderApi(RequestApi, Protocol):
    """One exchange's orders. `ts_ns` is the time at which a request is signed, by the exchange's clock.

    No method does I/O or reads a clock. The only state is the set of markets that `add_symbol` and `add_market` have
    added; every other method is a pure function of its arguments and of these markets. `classify*` never raise;
    `parse_*` raise BadAnswer and are called only for an answer classified as OK.

    `request_id` 0 makes a REST request; a positive number makes a SocketRequest with that id, for the order socket.
    """

    recv_window_ns: int  # how long after `ts_ns` the exchange accepts a request
    trades_page: int  # a page with fewer trades is the last one
    orders_page: int  # a page with fewer orders is the last one

    def add_symbol(self, symbol: str) -> None:
        """Understand reports about this market from now on, and cancel its orders, also while its rules are unknown."""

    def add_market(self, instrument: Instrument) -> None:
        """Add one more market, or its changed rules: orders can be placed in it."""

    def time_request(self) -> Call:
        """Returns the request for the exchange's time."""

    def parse_time(self, body: bytes) -> int:
        """Returns the exchange's time, ns UTC."""

    def place_request(self, order: NewOrderRecord, ts_ns: int, request_id: int = 0) -> Call:
        """Returns the request that places `order`."""

    def cancel_request(self, symbol: str, cl_ord_id: str, ts_ns: int, request_id: int = 0) -> Call:
        """Returns the request that cancels an order."""

    def replace_request(self, order: NewOrderRecord, ts_ns: int, request_id: int = 0) -> Call:
        """Returns the request that cancels `order.replaces`, and only if that succeeds places `order`."""

    def order_query(self, symbol: str, ts_ns: int, cl_ord_id: str = "", order_id: str = "") -> Call:
        """Returns the request for the status of one order, by one of its ids."""

    def open_orders_request(self, symbol: str, ts_ns: int) -> Call:
        """Returns the request for all open orders of a market; of the whole account for the symbol ""."""

    def orders_request(self, symbol: str, ts_ns: int, from_order_id: str) -> Call:
        """Returns the request for all orders of a market, of any status, from an order id on."""

    def trades_request(self, symbol: str, ts_ns: int, from_id: int | None = None, order_id: str = "") -> Call:
        """Returns the request for own trades: of one order, or from a trade id on (None: the latest)."""

    def account_request(self, ts_ns: int) -> Call:
        """Returns the request for the balances of the account."""

    def parse_order(self, body: bytes) -> tuple[OrderReport, list[TradeReport]]:
        """Returns the order in the answer to a placement, cancel or query, and the trades that the answer contains."""

    def classify_replace(self, answer: HttpAnswer | HttpFailure) -> ReplaceOutcome:
        """Classifies each half of the answer to a `replace_request`."""

    def parse_orders(self, body: bytes) -> list[OrderReport | Unreadable]:
        """Returns the orders in an answer, row by row. Raises BadAnswer only if the body has no rows."""

    def parse_trades(self, body: bytes) -> list[TradeReport | Unreadable]:
        """Returns the own trades in an answer, row by row. Raises BadAnswer only if the body has no rows."""

    def parse_account(self, body: bytes) -> AccountReport:
        """Returns the balances in an answer. Raises BadAnswer only if the body has no balances."""

    def order_socket_url(self) -> str:
        """Returns the address of the order socket; "" where the exchange has none."""

    def order_socket_login(self, ts_ns: int) -> list[str]:
        """Returns the frames that log an order socket in; empty if it may be used as soon as it is open."""

    def parse_order_socket(self, frame: bytes) -> SocketAnswer | LoggedIn | LoginRefused | StreamEnded | Pong | None:
        """Returns the event in a frame of the order socket, None if it has no meaning here. Raises BadAnswer."""

    def user_url(self) -> str:
        """Returns the address of the user stream."""

    def user_login(self, ts_ns: int) -> list[str]:
        """Returns the frames that log the user stream in and subscribe it."""

    def user_probe(self) -> str:
        """Returns a frame that the exchange answers with a Pong, on the user stream and on the order socket."""

    def parse_user(self, frame: bytes) -> Sequence[StreamEvent]:
        """Returns the events in a frame of the user stream. Raises BadAnswer for bytes of no known form."""


def parse_order_of(api: OrderApi, body: bytes, cl_ord_id: str) -> tuple[OrderReport, list[TradeReport]]:
    """Returns `api.parse_order(body)`. Raises BadAnswer also if the answer is about another order than `cl_ord_id`."""
    report, trades = api.parse_order(body)
    if report.cl_ord_id != cl_ord_id:
        raise BadAnswer(f"requested order {cl_ord_id}, got order {report.cl_ord_id}")
    return report, trades
