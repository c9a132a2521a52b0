"""Toy: an exchange with one REST call for its rules, one for a book, and one websocket with numbered deltas.

Try it in a simulation: python examples/toy_exchange.py
Explained in docs/connector.md.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from actors.net import HttpAnswer, HttpFailure, HttpRequest
from connectors.connector import Connector
from connectors.core.market_api import BadFrame, Event, FinerFrame, Subscribed
from connectors.core.order_api import Call
from connectors.core.reports import Outcome, Verdict
from connectors.core.throttle import Limit
from connectors.settings import ConnectorSettings
from market.instrument import Instrument
from market.levels import MAX_INT, pack_levels
from market.rules import instrument_of
from market.scale import FinerValue, Scale
from protocol import BookDelta, BookSnapshot, Rules, StreamState

T = TypeVar("T")
Levels = list[tuple[str, str]]


class Market(msgspec.Struct):
    name: str
    tick: Decimal
    lot: Decimal


class Frame(msgspec.Struct):
    """A delta of `book`, or the answer `ok` to subscription number `ok`."""

    book: str = ""
    first: int = 0
    last: int = 0
    bids: Levels = []
    asks: Levels = []
    ok: int = 0


class ToyMarket:
    """connectors.core.market_api.MarketApi of the toy exchange."""

    max_age_ms = 0  # it never closes a connection
    subscribe_interval_ms = 100

    def __init__(self, rest_url: str, ws_url: str) -> None:
        self._rest_url, self._ws_url = rest_url, ws_url
        self._instruments: dict[str, Instrument] = {}

    def rules_request(self, symbols: Sequence[str]) -> Call:
        return Call(HttpRequest("GET", f"{self._rest_url}/rules?markets={','.join(symbols)}"), {"requests": 1})

    def parse_rules(self, body: bytes) -> list[Rules]:
        return [
            Rules(row.name, base, quote, row.tick, row.lot, 1, MAX_INT, 1, MAX_INT, Decimal(0))
            for row in _decode(body, list[Market])
            for base, _, quote in [row.name.partition("-")]
        ]

    def parse_limits(self, body: bytes) -> list[Limit]:
        return []  # it states none: those of ToyRequests stay

    def is_unknown_market(self, status: int, body: bytes) -> bool:
        return status == 404

    def add_market(self, rules: Rules) -> None:
        self._instruments[rules.symbol] = instrument_of(rules)

    def snapshot_request(self, symbol: str, levels: int) -> Call:
        return Call(HttpRequest("GET", f"{self._rest_url}/book?market={symbol}&levels={levels}"), {"requests": 5})

    def parse_snapshot(self, symbol: str, body: bytes, ts_recv_ns: int) -> BookSnapshot:
        row = _decode(body, Frame)
        bids, asks, scale = self._levels(symbol, row)
        return BookSnapshot(symbol, row.last, bids, asks, 0, ts_recv_ns, StreamState.LIVE, *scale)

    def stream_url(self) -> str:
        return f"{self._ws_url}/stream"

    def subscribe(self, symbols: Sequence[str], first_request_id: int) -> list[str]:
        return [msgspec.json.encode({"subscribe": list(symbols), "number": first_request_id}).decode()]

    def parse(self, frame: bytes, ts_recv_ns: int) -> Sequence[Event]:
        row = _decode(frame, Frame)
        if row.ok:
            return [Subscribed(row.ok)]
        bids, asks, scale = self._levels(row.book, row)
        return [BookDelta(row.book, row.first, row.last, bids, asks, 0, ts_recv_ns, *scale)]

    def _levels(self, symbol: str, row: Frame) -> tuple[bytes, bytes, tuple[int, int]]:
        known = self._instruments.get(symbol)
        if known is None:
            raise BadFrame(f"{symbol!r} is not one of our markets")
        try:
            bids, asks = (
                [(known.parse_ticks(p), known.parse_lots(s)) for p, s in side] for side in (row.bids, row.asks)
            )
        except FinerValue as error:  # more digits than the market's scale: the feed makes it finer and parses again
            raise FinerFrame(str(error), symbol, Scale(error.price_digits, error.size_digits)) from None
        except ValueError as error:
            raise BadFrame(str(error), symbol) from None
        return pack_levels(bids), pack_levels(asks), (known.price_digits, known.size_digits)


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(str(error)) from None


class ToyRequests:
    """connectors.core.order_api.RequestApi of the toy exchange: all that a connector without keys needs of it."""

    rate_limits = [Limit("requests-1m", "requests", 600, 60_000_000_000)]

    def adopt_limits(self, limits: Sequence[Limit]) -> None:
        pass

    def classify(self, answer: HttpAnswer | HttpFailure) -> Verdict:
        good = isinstance(answer, HttpAnswer) and answer.status == 200
        return Verdict(Outcome.OK) if good else Verdict(Outcome.UNKNOWN, str(answer)[:200])

    def used(self, headers: Mapping[str, str]) -> dict[str, int]:
        return {}


class Toy(Connector):
    """The toy exchange."""

    class Settings(ConnectorSettings):
        rest_url: str = "https://toy.example"
        ws_url: str = "wss://toy.example"

    def make_market_api(self) -> ToyMarket:
        return ToyMarket(self.settings.rest_url, self.settings.ws_url)

    def make_request_api(self) -> ToyRequests:
        return ToyRequests()
