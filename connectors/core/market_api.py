"""MarketApi: the market data side of one exchange. MarketFeed needs nothing else to serve one more exchange."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import Call
from connectors.core.throttle import Limit
from market.scale import Scale
from protocol import BookDelta, BookSnapshot, Rules, StreamState, TopOfBook, Trade

SendRequest = Callable[[Call, Callable[[HttpAnswer | HttpFailure], None]], None]
"""Sends one REST call within the exchange's limits; the second argument gets exactly one answer or failure."""


class BadFrame(ValueError):
    """Bytes from an exchange with no known form; the text is the reason.

    `symbol`: the market that the bytes are about, "" if that is unknown. The others do not depend on such bytes.
    """

    def __init__(self, reason: str, symbol: str = "") -> None:
        super().__init__(reason)
        self.symbol = symbol


class BadRules(msgspec.Struct, frozen=True):
    """The exchange has this market, and its rules cannot be used. `symbol` is "" if the name is unreadable too."""

    symbol: str
    reason: str
    trading: bool = True  # whether the exchange accepts orders for it


class FinerFrame(BadFrame):
    """The bytes contain a price or size between two ticks or lots of the market's scale. `scale`: what they need."""

    def __init__(self, reason: str, symbol: str, scale: Scale) -> None:
        super().__init__(reason, symbol)
        self.scale = scale


class Subscribed(msgspec.Struct, frozen=True):
    """The exchange's answer to subscribe frame number `request_id`; `error` is empty if it was accepted."""

    request_id: int
    error: str = ""


class GoingAway(msgspec.Struct, frozen=True):
    """The exchange is about to close this connection: open another one first."""

    reason: str


Event = BookDelta | BookSnapshot | TopOfBook | Trade | Subscribed | GoingAway


class BookView(msgspec.Struct, frozen=True):
    """The book as the feed holds it now. Prices in ticks, 0 where a side is empty."""

    state: StreamState
    bid_ticks: int
    ask_ticks: int
    seq: int
    age_ns: int


class MarketApi(Protocol):
    """One exchange's market data: bytes to messages and back.

    No method does I/O or reads a clock. The only state is the set of markets that `add_market` has added; every other
    method is a pure function of its arguments and of these markets.

    A BookDelta must carry the ids by which its sequence is checked: each `first_id` is the `update_id` of the delta
    before plus one. For an exchange that sends the previous id instead, it is that id plus one.

    Each message contains the scale of its integers, which is that of the market's rules (`price_digits`,
    `size_digits`). For a number that does not fit it, `parse` and `parse_snapshot` raise FinerFrame: the market gets a
    finer scale by `add_market`, and the same bytes are parsed again. No number is rounded.
    """

    max_age_ms: int  # after this time the exchange closes a connection; 0: never
    subscribe_interval_ms: int  # minimum time between two subscribe frames on one connection

    def rules_request(self, symbols: Sequence[str]) -> Call:
        """Returns the request for the rules of these markets."""

    def parse_rules(self, body: bytes) -> Sequence[Rules | BadRules]:
        """Returns the rules in an answer, one row for each market. Raises BadFrame if it has no rows."""

    def parse_limits(self, body: bytes) -> Sequence[Limit]:
        """Returns the rate limits that an answer with rules states; empty if it states none. Never raises."""

    def is_unknown_market(self, status: int, body: bytes) -> bool:
        """Whether this refusal of a `rules_request` means that a market does not exist."""

    def add_market(self, rules: Rules) -> None:
        """Understand frames of this market in the scale of `rules`. Raises ValueError for unusable rules."""

    def snapshot_request(self, symbol: str, levels: int) -> Call:
        """Returns the request for the best `levels` of a book."""

    def parse_snapshot(self, symbol: str, body: bytes, ts_recv_ns: int) -> BookSnapshot:
        """Returns the book in an answer. Raises BadFrame, or FinerFrame."""

    def stream_url(self) -> str:
        """Returns the address of the market streams."""

    def subscribe(self, symbols: Sequence[str], first_request_id: int) -> list[str]:
        """Returns the text frames that subscribe to every stream of these markets, numbered from `first_request_id`."""

    def parse(self, frame: bytes, ts_recv_ns: int) -> Sequence[Event]:
        """Returns the events in a frame. Raises BadFrame for bytes of no known form, FinerFrame, and nothing else."""
