"""Enumerations on the bus, as small integers. Names are FIX 4.4's, and values too where FIX has a number."""

from enum import IntEnum


class Side(IntEnum):
    """FIX 54."""

    BUY = 1
    SELL = 2

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: the direction in which a fill moves the position."""
        return 1 if self is Side.BUY else -1


class OrdType(IntEnum):
    """FIX 40; LIMIT_MAKER is a limit order that must not take liquidity (post-only)."""

    MARKET = 1
    LIMIT = 2
    LIMIT_MAKER = 101


class TimeInForce(IntEnum):
    """FIX 59."""

    GTC = 1
    IOC = 3
    FOK = 4


class SelfTradePrevention(IntEnum):
    """The effect when an order meets another of the same account or trade group (Binance's names)."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4
    TRANSFER = 5  # as DECREMENT; between two accounts of one group the lots change hands, outside of any trade


class OrdStatus(IntEnum):
    """FIX 39, by rank: a greater value is never replaced by a smaller one, except by the rules of `market.order_state`.

    The last five end an order; each of them needs evidence from the exchange (docs: orders).
    """

    PENDING_NEW = 0  # journaled; its request has not left
    UNKNOWN = 1  # its request may have left, and no answer showed the result
    NEW = 2
    PARTIALLY_FILLED = 3
    PENDING_CANCEL = 4
    FILLED = 10
    CANCELED = 11
    REJECTED = 12
    EXPIRED = 13
    NOT_PLACED = 14  # there is evidence that it never reached the exchange

    @property
    def is_final(self) -> bool:
        """Whether the order has ended."""
        return self >= OrdStatus.FILLED


class Liquidity(IntEnum):
    """FIX 851."""

    MAKER = 1
    TAKER = 2


class StreamState(IntEnum):
    """Whether a connector's data of a stream can be relied on."""

    LIVE = 1
    STALE = 2  # not known to be correct: no quoting on it
    POLLING = 3  # correct, but by REST polling: slower
