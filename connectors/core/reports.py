"""What an exchange says about an account, in one form for all exchanges. Decimal: nothing is rounded on the way in."""

from decimal import Decimal
from enum import Enum

import msgspec

from protocol import Liquidity, OrdStatus, OrdType, Side


class Proof(Enum):
    """What an answer (or the lack of one) proves about the order that was asked for. An error is not evidence."""

    PLACED = "placed"  # the exchange has it
    REJECTED = "rejected"  # the exchange says that it refused this very order
    NOT_PLACED = "not placed"  # the request provably never reached the exchange's engine
    DUPLICATE = "duplicate"  # an order of this id is there already
    UNKNOWN = "unknown"  # nothing
    NOT_FOUND = "not found"  # no such order, for what one reading is worth


class Trouble(Enum):
    """What an answer says about more than its order."""

    NONE = "none"
    RATE_LIMITED = "rate limited"  # nothing may be sent until `retry_after_ns`
    BANNED = "banned"
    CLOCK_SKEW = "clock skew"
    BAD_KEY = "bad key"
    RULES = "rules"  # the order broke a trading rule: ours may be out of date
    UNREADABLE = "unreadable"  # bytes that are no answer


class Verdict(msgspec.Struct, frozen=True):
    """An answer, judged. `retry_after_ns`: how long to be silent (RATE_LIMITED, BANNED)."""

    proof: Proof
    reason: str = ""
    trouble: Trouble = Trouble.NONE
    retry_after_ns: int = 0


class OrderReport(msgspec.Struct, frozen=True):
    """One order as the exchange shows it. `status` is NEW, PARTIALLY_FILLED or one that ends it."""

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


class TradeReport(msgspec.Struct, frozen=True):
    """One trade of the account. `cl_ord_id` is "" where the exchange does not tell it."""

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
    asset: str
    free: Decimal
    locked: Decimal


class AccountReport(msgspec.Struct, frozen=True):
    """Balances, all (`is_whole`) or those that changed; fees and permission where the exchange told them."""

    rows: list[BalanceRow]
    ts_event_ns: int = 0
    is_whole: bool = True
    account_id: str = ""
    can_trade: bool = True
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None


class StreamEnded(msgspec.Struct, frozen=True):
    """The exchange ends this user stream, or (`is_soon`) is about to."""

    reason: str
    is_soon: bool = False


UserEvent = OrderReport | TradeReport | AccountReport | StreamEnded
