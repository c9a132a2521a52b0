"""What an exchange's market data looks like: all that MarketFeed must be told to serve one more exchange."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from connectors.core.order_api import Call
from protocol import BookDelta, BookSnapshot, Rules, TopOfBook, Trade


class BadFrame(ValueError):
    """Bytes from an exchange that are no message we know; the text says why."""


class Subscribed(msgspec.Struct, frozen=True):
    """The exchange's answer to subscribe frame number `request_id`; `error` is empty if all went well."""

    request_id: int
    error: str = ""


class GoingAway(msgspec.Struct, frozen=True):
    """The exchange is about to close this connection: open another one first."""

    reason: str


Event = BookDelta | BookSnapshot | TopOfBook | Trade | Subscribed | GoingAway


class MarketDialect(Protocol):
    """One exchange's market data. Pure: bytes to messages and back; knows the markets taught by `learn`.

    A BookDelta must carry the ids that its sequence is checked by: each `first_id` is the `update_id` before
    plus one. Of an exchange that tells the previous id instead, it is that id plus one.
    """

    life_ms: int  # how long a connection lasts before the exchange cuts it
    subscribe_interval_ms: int  # between two subscribe frames on one connection

    def rules_request(self, symbols: Sequence[str]) -> Call:
        """Asks for the rules of these markets."""

    def parse_rules(self, body: bytes) -> list[Rules]:
        """The rules in the answer. Raises BadFrame."""

    def unknown_market(self, status: int, body: bytes) -> bool:
        """Whether this refusal of a rules_request says that a market does not exist."""

    def learn(self, rules: Rules) -> None:
        """Understand frames of this market from now on."""

    def snapshot_request(self, symbol: str, levels: int) -> Call:
        """Asks for the best `levels` of a book."""

    def parse_snapshot(self, symbol: str, body: bytes, ts_recv_ns: int) -> BookSnapshot:
        """The book in the answer. Raises BadFrame."""

    def stream_url(self) -> str:
        """Where the market streams are."""

    def subscribe(self, symbols: Sequence[str], first_request_id: int) -> list[str]:
        """The text frames that subscribe to everything of these markets, numbered from first_request_id."""

    def parse(self, frame: bytes, ts_recv_ns: int) -> Sequence[Event]:
        """What a frame says. Raises BadFrame, and nothing else, for bytes that say nothing we know."""
