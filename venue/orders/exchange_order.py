"""Orders, executions and public trades, as kept in memory and in the ledger."""

import msgspec

from protocol.enums import Side

OPEN = ("NEW", "PARTIALLY_FILLED", "PENDING_NEW")
WORKS_AS = {
    "STOP_LOSS": "MARKET",
    "STOP_LOSS_LIMIT": "LIMIT",
    "TAKE_PROFIT": "MARKET",
    "TAKE_PROFIT_LIMIT": "LIMIT",
}
"""What a contingent order becomes when it triggers."""
MARKETS = frozenset(("MARKET", *(name for name, works_as in WORKS_AS.items() if works_as == "MARKET")))
"""Order types that are market orders when they work."""


class ExchangeOrder(msgspec.Struct, array_like=True, gc=False):
    """An order of an account. Amounts in ticks, lots and atoms; statuses and types are Binance's names.

    Stored in the ledger as an array: new fields are only appended, with defaults.
    """

    symbol: str
    order_id: int
    account: str
    client_order_id: str
    side: Side
    ord_type: str
    time_in_force: str
    stp: str
    price_ticks: int
    size_lots: int
    quote_order_atoms: int
    time_ns: int
    status: str = "NEW"
    executed_lots: int = 0
    quote_atoms: int = 0
    locked_atoms: int = 0  # quote (buy) or base (sell) asset locked for the open quantity
    update_ns: int = 0
    working_ns: int = 0
    prevented_lots: int = 0
    prevented_match_id: int = 0
    expiry_reason: str = ""
    strategy_id: int | None = None
    strategy_type: int | None = None
    stop_ticks: int = 0
    trailing_delta: int = 0  # in basis points
    trailing_ns: int = 0  # when it began to trail the price; 0: not yet
    extreme_ticks: int = 0  # the extreme price since then
    list_id: int = -1
    iceberg_lots: int = 0  # displayed quantity of an iceberg; 0: no iceberg
    shown_lots: int = 0  # displayed quantity left of a resting iceberg
    priority: int = 0  # replaces the order id as the rank in time priority; 0: the id counts
    peg: str = ""  # PRIMARY_PEG, MARKET_PEG: `price_ticks` is set from the book when it starts, provisional before
    peg_offset: int = 0  # levels behind the best price
    asked_ticks: int = 0  # the price that the request gave besides the peg

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_contingent(self) -> bool:
        """Whether it is of a type that needs a trigger, before or after it was triggered."""
        return self.ord_type in WORKS_AS

    @property
    def works_as(self) -> str:
        """The type that matching sees: LIMIT, LIMIT_MAKER or MARKET."""
        return WORKS_AS.get(self.ord_type, self.ord_type)

    @property
    def is_market(self) -> bool:
        return self.ord_type in MARKETS

    @property
    def is_working(self) -> bool:
        """Whether it has reached matching; contingent and pending orders do so later than they are placed."""
        return self.working_ns > 0

    @property
    def open_lots(self) -> int:
        return self.size_lots - self.executed_lots - self.prevented_lots


class Execution(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One account's side of a trade."""

    symbol: str
    trade_id: int
    order_id: int
    account: str
    side: Side
    price_ticks: int
    size_lots: int
    quote_atoms: int
    fee_atoms: int
    fee_asset: str
    time_ns: int
    is_maker: bool
    list_id: int = -1


class PublicTrade(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A trade as market data shows it."""

    trade_id: int
    price_ticks: int
    size_lots: int
    time_ns: int
    buyer_is_maker: bool


class AggTrade(msgspec.Struct, array_like=True, gc=False):
    """The trades of one taker order at one price, summed."""

    agg_id: int
    price_ticks: int
    size_lots: int
    first_id: int
    last_id: int
    time_ns: int
    buyer_is_maker: bool
