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


class RefusalCode(IntEnum):
    """Why an order or a command was refused, for a program to decide on; the text beside it is for its author.

    NEVER: the same order cannot be accepted as long as the market's rules stay. LIMIT: over a limit of this bot. LATER:
    the same order may pass soon. PAUSED: an operator, a halt or the kill switch must be ended first.
    """

    NONE = 0  # not refused
    OTHER = 1  # no cause is known: an answer of an older version, or an unlisted error of the exchange
    NEVER = 2  # off the rules: size, price, notional, an unknown market, a malformed command
    LIMIT = 3  # over a limit of the risk check
    LATER = 4  # stale book, connector not ready, rate limit, market not trading
    PAUSED = 5  # paused, halted or stopping
    FUNDS = 6  # the exchange reports an insufficient balance
    WOULD_TAKE = 7  # a post-only order that would have traded at once
    REPEATED = 8  # the order is placed already, or is the same as one of a moment ago
    UNKNOWN_ORDER = 9  # the order to cancel or to replace is not known, or has ended
    OLD_SENDER = 10  # the command is from an earlier process run of its sender


class Liquidity(IntEnum):
    """FIX 851."""

    MAKER = 1
    TAKER = 2


class StreamState(IntEnum):
    """Whether a connector's data of a stream can be relied on."""

    LIVE = 1
    STALE = 2  # not known to be correct: no quoting on it
    POLLING = 3  # correct, but by REST polling: slower
