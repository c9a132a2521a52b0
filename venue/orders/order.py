"""Orders and executions of the accounts, as they are kept, logged and told."""

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
"""Types that are market orders in the end."""


class Order(msgspec.Struct, array_like=True, gc=False):
    """An order of an API-key account. Amounts in ticks, lots and atoms; states and types in Binance's words.

    Logged as an array: fields are only ever appended, with defaults.
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
    locked_atoms: int = 0  # of the quote (buy) or base (sell) asset, still held for what is open
    update_ns: int = 0
    working_ns: int = 0
    prevented_lots: int = 0
    prevented_match_id: int = 0
    expiry_reason: str = ""
    strategy_id: int | None = None
    strategy_type: int | None = None
    stop_ticks: int = 0
    trailing_delta: int = 0  # in bips
    trailing_ns: int = 0  # since when it trails the price; 0: not yet
    extreme_ticks: int = 0  # the best price since then
    list_id: int = -1
    iceberg_lots: int = 0  # shown at a time; 0: all of it
    shown_lots: int = 0  # of an iceberg that rests
    priority: int = 0  # its place in the order of arrival, where that is not its id's
    peg: str = ""  # PRIMARY_PEG, MARKET_PEG: `price_ticks` is a level of the book as it starts, until then a guess
    peg_offset: int = 0  # so many levels deeper than the best price
    asked_ticks: int = 0  # the price that was sent with a peg

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_contingent(self) -> bool:
        """Whether it has, or had, to be triggered."""
        return self.ord_type in WORKS_AS

    @property
    def works_as(self) -> str:
        """LIMIT, LIMIT_MAKER or MARKET: what matching takes it for."""
        return WORKS_AS.get(self.ord_type, self.ord_type)

    @property
    def is_market(self) -> bool:
        return self.ord_type in MARKETS

    @property
    def is_working(self) -> bool:
        """Whether it has come to matching: contingent and pending orders come later than they are placed."""
        return self.working_ns > 0

    @property
    def open_lots(self) -> int:
        return self.size_lots - self.executed_lots - self.prevented_lots


class Execution(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One account's half of a trade."""

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
    """A trade as the public sees it."""

    trade_id: int
    price_ticks: int
    size_lots: int
    time_ns: int
    buyer_is_maker: bool


class AggTrade(msgspec.Struct, array_like=True, gc=False):
    """Trades of one taker order at one price."""

    agg_id: int
    price_ticks: int
    size_lots: int
    first_id: int
    last_id: int
    time_ns: int
    buyer_is_maker: bool
