"""Enumerations that cross the bus, as small integers. Names and, where FIX has one, values are FIX 4.4's."""

from enum import IntEnum


class Side(IntEnum):
    """FIX 54."""

    BUY = 1
    SELL = 2

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: the direction in which a fill moves the position."""
        return 1 if self is Side.BUY else -1


class OrdType(IntEnum):
    """FIX 40; LIMIT_MAKER is a limit order that must not take (post-only)."""

    MARKET = 1
    LIMIT = 2
    LIMIT_MAKER = 101


class TimeInForce(IntEnum):
    """FIX 59."""

    GTC = 1
    IOC = 3
    FOK = 4


class SelfTradePrevention(IntEnum):
    """What happens when an order meets another of the same account or trade group (Binance's names)."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4
    TRANSFER = 5  # as DECREMENT; between two accounts of one group the lots change hands, outside of any trade


class OrdStatus(IntEnum):
    """The order lattice. A greater value never gives way to a smaller one, save by the rules of `market.order_state`.

    The last five end an order; each of them needs evidence from the exchange (docs: orders).
    """

    PENDING_NEW = 0  # the intent is journaled; no byte has left
    UNKNOWN = 1  # a byte may have left, and no answer told what became of it
    NEW = 2
    PARTIALLY_FILLED = 3
    PENDING_CANCEL = 4
    FILLED = 10
    CANCELED = 11
    REJECTED = 12
    EXPIRED = 13
    NOT_PLACED = 14  # proven never to have reached the exchange

    @property
    def is_final(self) -> bool:
        return self >= OrdStatus.FILLED


class Liquidity(IntEnum):
    """FIX 851."""

    MAKER = 1
    TAKER = 2


class StreamState(IntEnum):
    """Whether what a connector tells of a stream can be relied on."""

    LIVE = 1
    STALE = 2  # not known to be right; nobody may quote on it
    POLLING = 3  # right, but by REST polling: slower
