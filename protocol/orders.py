"""Orders: what a strategy asks of a connector, and is told. `order_ref` is the cmd_id of the order's PlaceOrder."""

from decimal import Decimal

from protocol.enums import Liquidity, OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce
from protocol.message import Command, Message


class PlaceOrder(Command):
    """Place one order. `book_seq` and `book_age_ns`: the book that the decision was made on (the gate looks again)."""

    symbol: str
    side: Side
    price_ticks: int
    size_lots: int
    ord_type: OrdType = OrdType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    stp: SelfTradePrevention = SelfTradePrevention.NONE
    book_seq: int = 0
    book_age_ns: int = 0


class CancelOrder(Command):
    """Cancel the order that `order_ref` placed; wanted until proof."""

    order_ref: int


class CancelAll(Command):
    """Cancel every order of the sender in `symbol` ("" is all)."""

    symbol: str = ""


class ReplaceOrder(Command):
    """Cancel the order that `order_ref` placed, and if that is done place this one (whose order_ref is this cmd_id)."""

    order_ref: int
    price_ticks: int
    size_lots: int


class OrderUpdate(Message):
    """An order as the connector now knows it (topic `ord.connector.owner.`)."""

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


class Fill(Message):
    """A trade of one of our orders, told once. `fill_no` counts the connector's fills of this owner from 1."""

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


class PositionRow(Message):
    """What all fills of one owner in one market add up to."""

    symbol: str
    bought_lots: int
    sold_lots: int
    bought_notional: Decimal  # quote asset, exact
    sold_notional: Decimal
    fees: list[tuple[str, Decimal]] = []


class OrdersSnapshot(Message):
    """All of one owner: orders that are not final, positions, and the fills after the asker's cursor."""

    owner: str
    orders: list[OrderUpdate]
    positions: list[PositionRow]
    fills: list[Fill] = []
    fill_no: int = 0


class Balances(Message):
    """Every balance of the account: (asset, free, locked) (topic `acct.connector.`)."""

    rows: list[tuple[str, Decimal, Decimal]]
    ts_event_ns: int = 0
    reconciled: bool = False
