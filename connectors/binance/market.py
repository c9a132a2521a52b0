"""Binance Spot's market data: rules, books, streams."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from actors.net import HttpRequest
from connectors.binance.parse import MAX_TEXT, new_parser
from connectors.binance.sign import query
from connectors.binance.symbols import Symbols, venue_symbol
from connectors.core.market_api import BadFrame, BadRules, Event
from connectors.core.order_api import Call
from connectors.core.throttle import Limit
from market.levels import MAX_INT
from market.rules import instrument_of
from protocol import BookSnapshot, Rules

STREAMS = ("depth@100ms", "bookTicker", "trade")
STREAMS_PER_FRAME = 150
WEIGHT = "weight"
LIMIT_KINDS = {  # by rateLimitType: (beginning of the name, kind of cost)
    "REQUEST_WEIGHT": ("weight", "weight"),
    "ORDERS": ("order-count", "orders"),
    "RAW_REQUESTS": ("requests", "requests"),
}
SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
RULES_WEIGHT = 20
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))
BAD_SYMBOL = -1121
HOUR_MS = 3_600_000
USED = ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "MIN_NOTIONAL")


class _Kind(msgspec.Struct):
    filterType: str


class _Filter(msgspec.Struct):
    filterType: str
    minPrice: Decimal = Decimal(0)
    maxPrice: Decimal = Decimal(0)
    tickSize: Decimal = Decimal(0)
    minQty: Decimal = Decimal(0)
    maxQty: Decimal = Decimal(0)
    stepSize: Decimal = Decimal(0)
    minNotional: Decimal = Decimal(0)
    maxNotional: Decimal = Decimal(0)


class _Symbol(msgspec.Struct):
    symbol: str
    status: str
    baseAsset: str
    quoteAsset: str
    filters: list[msgspec.Raw]
    baseAssetPrecision: int = 8
    quoteAssetPrecision: int = 8


class _Name(msgspec.Struct):
    """What is still read of a row whose rules cannot be used."""

    baseAsset: str
    quoteAsset: str
    status: str = "TRADING"


class _Info(msgspec.Struct):
    symbols: list[msgspec.Raw]


class _Limit(msgspec.Struct):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


class _Limits(msgspec.Struct):
    rateLimits: list[_Limit] = []


class _Error(msgspec.Struct):
    code: int


class BinanceMarket:
    """The MarketApi of Binance Spot. Testnet and the local exchange differ only in their URLs."""

    max_age_ms = 23 * HOUR_MS  # the exchange cuts after 24 h
    subscribe_interval_ms = 400  # five messages a second are allowed, pongs among them

    def __init__(self, rest_url: str, ws_url: str) -> None:
        self.rest_url = rest_url.rstrip("/")
        self.ws_url = ws_url.rstrip("/")
        self.symbols = Symbols()
        self._parser = new_parser()
        self.parse: Callable[[bytes, int], Sequence[Event]] = self._parser.parse  # one call fewer for each frame

    def rules_request(self, symbols: Sequence[str]) -> Call:
        """Returns GET exchangeInfo for these markets."""
        names = "[" + ",".join(f'"{venue_symbol(symbol)}"' for symbol in symbols) + "]"
        return self._get("exchangeInfo", query({"symbols": names}), RULES_WEIGHT)

    def parse_rules(self, body: bytes) -> list[Rules | BadRules]:
        """Returns the rules of each market in an exchangeInfo, without fees. Raises BadFrame."""
        try:
            rows = msgspec.json.decode(body, type=_Info).symbols
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadFrame(f"exchangeInfo: {error}") from None
        return [_row(raw) for raw in rows]

    def parse_limits(self, body: bytes) -> list[Limit]:
        """Returns the rate limits of an exchangeInfo, each named as in the headers of its counts."""
        try:
            rows = msgspec.json.decode(body, type=_Limits).rateLimits
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return []
        return [found for row in rows if (found := _limit(row)) is not None]

    def is_unknown_market(self, status: int, body: bytes) -> bool:
        """Whether the exchange refused the request because one of its markets does not exist."""
        try:
            return status == 400 and msgspec.json.decode(body, type=_Error).code == BAD_SYMBOL
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False

    def add_market(self, rules: Rules) -> None:
        """Understand frames of this market from now on."""
        self.symbols.add(rules.symbol)
        self._parser.add_market(venue_symbol(rules.symbol), instrument_of(rules))

    def snapshot_request(self, symbol: str, levels: int) -> Call:
        """Returns GET depth."""
        weight = next((weight for most, weight in DEPTH_WEIGHTS if levels <= most), DEPTH_WEIGHTS[-1][1])
        return self._get("depth", query({"symbol": venue_symbol(symbol), "limit": levels}), weight)

    def parse_snapshot(self, symbol: str, body: bytes, ts_recv_ns: int) -> BookSnapshot:
        """Returns the book in a depth answer. Raises BadFrame."""
        return self._parser.parse_snapshot(venue_symbol(symbol), body, ts_recv_ns)

    def stream_url(self) -> str:
        """Returns the address of raw frames: they are shorter than combined ones, and each contains its market."""
        return f"{self.ws_url}/ws"

    def subscribe(self, symbols: Sequence[str], first_request_id: int) -> list[str]:
        """Returns SUBSCRIBE frames for deltas, best prices and trades of these markets."""
        streams = [f"{venue_symbol(symbol).lower()}@{stream}" for symbol in symbols for stream in STREAMS]
        parts = [streams[n : n + STREAMS_PER_FRAME] for n in range(0, len(streams), STREAMS_PER_FRAME)]
        return [
            msgspec.json.encode({"method": "SUBSCRIBE", "params": part, "id": first_request_id + n}).decode()
            for n, part in enumerate(parts)
        ]

    def _get(self, what: str, text: str, weight: int) -> Call:
        return Call(HttpRequest("GET", f"{self.rest_url}/api/v3/{what}?{text}"), {WEIGHT: weight, "requests": 1})


def _limit(row: _Limit) -> Limit | None:
    kind, seconds = LIMIT_KINDS.get(row.rateLimitType), SECONDS.get(row.interval)
    if kind is None or seconds is None or row.intervalNum <= 0 or row.limit <= 0:
        return None
    name = f"{kind[0]}-{row.intervalNum}{row.interval[0].lower()}"
    return Limit(name, kind[1], row.limit, row.intervalNum * seconds * 1_000_000_000)


def _row(raw: msgspec.Raw) -> Rules | BadRules:
    try:
        row = msgspec.json.decode(raw, type=_Symbol)
        return _rules(row, [_filter(one) for one in row.filters])
    except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError, ValueError) as error:
        reason = f"exchangeInfo: {error}"[:MAX_TEXT]
    try:
        name = msgspec.json.decode(raw, type=_Name)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return BadRules("", reason)
    return BadRules(f"{name.baseAsset}-{name.quoteAsset}", reason, name.status == "TRADING")


def _filter(raw: msgspec.Raw) -> _Filter | None:
    """Returns a filter of the kinds in USED; None for others, which have other fields."""
    kind = msgspec.json.decode(raw, type=_Kind).filterType
    return msgspec.json.decode(raw, type=_Filter) if kind in USED else None


def _rules(row: _Symbol, filters: Sequence[_Filter | None]) -> Rules:
    by_kind = {one.filterType: one for one in filters if one is not None}
    if not {"PRICE_FILTER", "LOT_SIZE"} <= by_kind.keys():
        raise ValueError(f"{row.symbol} lacks PRICE_FILTER or LOT_SIZE")
    price, lot = by_kind["PRICE_FILTER"], by_kind["LOT_SIZE"]
    market = by_kind.get("MARKET_LOT_SIZE", _Filter("MARKET_LOT_SIZE"))
    notional = by_kind.get("NOTIONAL") or by_kind.get("MIN_NOTIONAL") or _Filter("NOTIONAL")
    return Rules(
        symbol=f"{row.baseAsset}-{row.quoteAsset}",
        base=row.baseAsset,
        quote=row.quoteAsset,
        tick_size=price.tickSize,
        lot_size=lot.stepSize,
        min_price_ticks=max(1, _steps(price.minPrice, price.tickSize, up=True)),
        max_price_ticks=_steps(price.maxPrice, price.tickSize) or MAX_INT,
        min_size_lots=max(1, _steps(lot.minQty, lot.stepSize, up=True)),
        max_size_lots=_steps(lot.maxQty, lot.stepSize) or MAX_INT,
        min_notional=notional.minNotional,
        max_notional=notional.maxNotional,
        market_max_size_lots=_steps(market.maxQty, lot.stepSize),
        base_precision=row.baseAssetPrecision,
        quote_precision=row.quoteAssetPrecision,
        trading=row.status == "TRADING",
    )


def _steps(value: Decimal, step: Decimal, up: bool = False) -> int:
    if step <= 0:
        raise ValueError(f"step {step}")
    whole, rest = divmod(value, step)
    return min(int(whole) + (up and rest > 0), MAX_INT)
