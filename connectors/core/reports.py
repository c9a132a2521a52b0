"""Reports about an account, in one form for all exchanges. Quantities are Decimal: nothing is rounded on the way in."""

from decimal import Decimal
from enum import Enum

import msgspec

from protocol import Liquidity, OrdStatus, OrdType, RefusalCode, Side


class Outcome(Enum):
    """The outcome of a request, as far as its answer (or the lack of one) shows it. An error is not evidence."""

    OK = "ok"  # the exchange did it; the body contains the result
    REJECTED = "rejected"  # the exchange rejected this very request
    NOT_SENT = "not sent"  # the request certainly never reached the exchange's matching engine
    DUPLICATE = "duplicate"  # an order with this client order id exists already
    UNKNOWN = "unknown"  # nothing is certain
    NOT_FOUND = "not found"  # no such order in this one answer


class Trouble(Enum):
    """What an answer means for more than its own request."""

    NONE = "none"
    RATE_LIMITED = "rate limited"  # no request may leave for `retry_after_ns`
    BANNED = "banned"  # no request and no new connection before the ban ends
    TOO_MANY_ORDERS = "too many orders"  # no new order may leave for `retry_after_ns`
    CLOCK_SKEW = "clock skew"
    BAD_KEY = "bad key"
    NO_MARKET = "no market"  # the exchange does not have this market (any more)
    RULES = "rules"  # the order broke a trading rule: our copy of the rules may be out of date
    UNREADABLE = "unreadable"  # the body has no known form


class Verdict(msgspec.Struct, frozen=True):
    """A classified answer. `retry_after_ns`: how long to send nothing (RATE_LIMITED, BANNED), or no new order
    (TOO_MANY_ORDERS). `until_ns`: the end of a ban by the exchange's clock, ns UTC; 0 if it was not stated.

    `refusal`: the cause of REJECTED or NOT_SENT, for the strategy.
    """

    outcome: Outcome
    reason: str = ""
    trouble: Trouble = Trouble.NONE
    retry_after_ns: int = 0
    refusal: RefusalCode = RefusalCode.NONE
    until_ns: int = 0


class Unreadable(msgspec.Struct, frozen=True):
    """One row of an answer, or one event, that cannot be read; the rows beside it are.

    `what`: "order", "trade" or "balance". The ids are those that could be read: "", and -1 for `trade_id`, where not.
    """

    what: str
    reason: str
    symbol: str = ""
    cl_ord_id: str = ""
    order_id: str = ""
    trade_id: int = -1
    asset: str = ""

    def __str__(self) -> str:
        ids = (
            self.symbol,
            self.asset,
            self.cl_ord_id or self.order_id,
            str(self.trade_id) if self.trade_id >= 0 else "",
        )
        return " ".join(one for one in (self.what, *ids) if one) + f": {self.reason}"


class OrderReport(msgspec.Struct, frozen=True):
    """One order as the exchange reports it. `status` is NEW, PARTIALLY_FILLED or a final status; `cum`: executed.

    `oddity`: what is new in the report: a status that this version does not have is reported as NEW or
    PARTIALLY_FILLED, since it is no evidence that the order has ended.
    """

    symbol: str
    cl_ord_id: str
    order_id: str
    side: Side
    ord_type: OrdType
    status: OrdStatus
    price: Decimal
    size: Decimal
    cum: Decimal
    ts_event_ns: int = 0
    reason: str = ""
    oddity: str = ""
    alias: str = ""  # the client order id that an amendment has given the order; "" if there was none


class TradeReport(msgspec.Struct, frozen=True):
    """One trade of the account. `cl_ord_id` is "" where it is not included; a negative fee is a rebate."""

    symbol: str
    trade_id: int
    order_id: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    ts_event_ns: int = 0
    cl_ord_id: str = ""


class BalanceRow(msgspec.Struct, frozen=True):
    """The balance of one asset."""

    asset: str
    free: Decimal
    locked: Decimal


class AccountReport(msgspec.Struct, frozen=True):
    """Balances: all (`is_whole`) or the changed ones; fees and permission where the exchange includes them.

    `unreadable`: balances that are not in `rows`, since they could not be read.
    """

    rows: list[BalanceRow]
    ts_event_ns: int = 0
    is_whole: bool = True
    account_id: str = ""
    can_trade: bool = True
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    unreadable: tuple[Unreadable, ...] = ()


class StreamEnded(msgspec.Struct, frozen=True):
    """The exchange has ended this connection, or (`is_soon`) announces its end."""

    reason: str
    is_soon: bool = False


UserEvent = OrderReport | TradeReport | AccountReport | Unreadable | StreamEnded
