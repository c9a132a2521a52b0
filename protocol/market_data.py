"""Market data. Prices are ticks, sizes are lots; levels are packed little-endian int64 pairs.

Each message contains the scale of its integers: one tick is 10**-price_digits of quote, one lot is 10**-size_digits of
base (docs: decisions/units). -1: a message of an earlier version, in the scale that its receiver uses.
"""

from decimal import Decimal

from protocol.enums import Side, StreamState
from protocol.message import Message


class Rules(Message):
    """An instrument's trading rules (topic kind `rules`); the fields of `market.Instrument`. Fees are parts of 1.

    `tick_size`, `lot_size`: the steps that the exchange requires now. With digits of -1 the integers count these steps.
    """

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_price_ticks: int
    max_price_ticks: int
    min_size_lots: int
    max_size_lots: int
    min_notional: Decimal
    max_notional: Decimal = Decimal(0)  # 0: no limit
    market_max_size_lots: int = 0
    base_precision: int = 8
    quote_precision: int = 8
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    trading: bool = True
    price_digits: int = -1
    size_digits: int = -1


class BookSnapshot(Message):
    """A complete book at the exchange's `update_id` (topic kind `book`). Levels best first."""

    symbol: str
    update_id: int
    bids: bytes
    asks: bytes
    ts_event_ns: int = 0
    ts_recv_ns: int = 0
    state: StreamState = StreamState.LIVE
    price_digits: int = -1
    size_digits: int = -1


class BookDelta(Message):
    """Changed levels with their new sizes (0: removed), from `first_id` to `update_id` of the exchange."""

    symbol: str
    first_id: int
    update_id: int
    bids: bytes
    asks: bytes
    ts_event_ns: int = 0
    ts_recv_ns: int = 0
    price_digits: int = -1
    size_digits: int = -1


class BookStatus(Message):
    """The book of `symbol` became stale, or comes from polling; a BookSnapshot in state LIVE ends that."""

    symbol: str
    state: StreamState
    reason: str = ""


class TopOfBook(Message):
    """Best bid and ask at `update_id` (topic kind `top`)."""

    symbol: str
    update_id: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    ts_event_ns: int = 0
    ts_recv_ns: int = 0
    price_digits: int = -1
    size_digits: int = -1


class Trade(Message):
    """A public trade (topic kind `trade`). `side` is the taker's."""

    symbol: str
    trade_id: int
    side: Side
    price_ticks: int
    size_lots: int
    ts_event_ns: int = 0
    ts_recv_ns: int = 0
    price_digits: int = -1
    size_digits: int = -1
