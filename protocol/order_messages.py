"""Messages about orders, between strategies and connectors. `order_ref` is the cmd_id of the order's PlaceOrder.

`price_digits`, `size_digits`: the scale of a message's ticks and lots (see protocol.market_data).
"""

from decimal import Decimal

from protocol.enums import Liquidity, OrdStatus, OrdType, RefusalCode, SelfTradePrevention, Side, TimeInForce
from protocol.message import Command, Message


class PlaceOrder(Command):
    """Places one order. `book_seq`, `book_age_ns`: the book that the decision is based on, for the risk check.

    `tag`: a name that the sender gives to a group of its orders; the connector keeps a ledger for each.
    """

    symbol: str
    side: Side
    price_ticks: int
    size_lots: int
    ord_type: OrdType = OrdType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    stp: SelfTradePrevention = SelfTradePrevention.NONE
    book_seq: int = 0
    book_age_ns: int = 0
    tag: str = ""
    price_digits: int = -1
    size_digits: int = -1


class CancelOrder(Command):
    """Cancels the order that `order_ref` placed. The connector resends the request until the order has ended."""

    order_ref: int


class CancelAll(Command):
    """Cancels every order of the sender in `symbol` with `tag`; "" is all symbols, and all tags."""

    symbol: str = ""
    tag: str = ""


class ReleaseTag(Command):
    """Drops the ledger of a tag of the sender in `symbol`. Refused while an order with this tag may be live."""

    symbol: str
    tag: str


class ReplaceOrder(Command):
    """Cancels the order that `order_ref` placed, then places this one with its tag; its order_ref is this cmd_id."""

    order_ref: int
    price_ticks: int
    size_lots: int
    price_digits: int = -1
    size_digits: int = -1


class OrderUpdate(Message):
    """The state of an order in the connector (topic `ord.connector.owner.`). `refusal`: the cause of a REJECTED."""

    owner: str
    order_ref: int
    cl_ord_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    price_ticks: int
    size_lots: int
    cum_lots: int
    status: OrdStatus
    order_id: str = ""
    reason: str = ""
    ts_event_ns: int = 0
    cancel_wanted: bool = False
    tag: str = ""
    refusal: RefusalCode = RefusalCode.NONE
    price_digits: int = -1
    size_digits: int = -1


class Fill(Message):
    """A trade of one own order, published once. `fill_no` counts the fills of this owner at this connector from 1."""

    owner: str
    order_ref: int
    cl_ord_id: str
    trade_id: str
    symbol: str
    side: Side
    last_ticks: int
    last_lots: int
    cum_lots: int
    liquidity: Liquidity
    fee: Decimal
    fee_asset: str
    fill_no: int = 0
    ts_event_ns: int = 0
    tag: str = ""
    price_digits: int = -1
    size_digits: int = -1


class PositionRow(Message):
    """The sums of the fills of one owner in one market, or of one tag of it. Notionals are exact, in the quote asset.

    `held`: base that is left of them; `cost`: quote that it cost. Both are None from a version that did not count
    them. `is_estimated`: the cost was computed from such sums.
    """

    symbol: str
    bought_lots: int
    sold_lots: int
    bought_notional: Decimal
    sold_notional: Decimal
    fees: list[tuple[str, Decimal]] = []
    tag: str = ""
    held: Decimal | None = None
    cost: Decimal | None = None
    is_estimated: bool = False
    price_digits: int = -1
    size_digits: int = -1


class OrdersSnapshot(Message):
    """The whole state of one owner: open orders, positions, and the fills after the cursor of the request.

    `ledgers`: the positions of the tags that were not released.
    """

    owner: str
    orders: list[OrderUpdate]
    positions: list[PositionRow]
    fills: list[Fill] = []
    fill_no: int = 0
    ledgers: list[PositionRow] = []


class Refusals(Message):
    """How many orders a connector's check has refused in this process run, and the exchange since the journal began.

    Rows of (owner, code, count).
    """

    by_check: list[tuple[str, RefusalCode, int]] = []
    by_exchange: list[tuple[str, RefusalCode, int]] = []


class Balances(Message):
    """Every balance of the account: (asset, free, locked) (topic `acct.connector.`)."""

    rows: list[tuple[str, Decimal, Decimal]]
    ts_event_ns: int = 0
    reconciled: bool = False
