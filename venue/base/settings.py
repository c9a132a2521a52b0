"""Settings of the local exchange: the `[venue]` table of a run file."""

import math
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from actors.run.toml_check import did_you_mean
from protocol.message import Settings

NotNegative = Annotated[int, msgspec.Meta(ge=0)]
CancelModel = Literal["proportional", "back", "front"]
"""Which queued lots a cancel removes: of all orders by size, of the last in the queue, or of the first."""
FAULT_PROFILES = ("none", "drizzle", "storm")
"""Names of the fault profiles; their faults are in venue/faults/kinds/profiles.py."""
StpMode = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"]


class KeySettings(Settings, frozen=True):
    """An API key: an HMAC `secret` or the PEM of an Ed25519 or RSA public key."""

    api_key: str
    secret: str | None = None
    ed25519_public_key: str | None = None
    rsa_public_key: str | None = None
    can_trade: bool = True


class RateSettings(Settings, frozen=True):
    """One kind of commission, as shares of what a trade brings: by role (maker or taker) and by side, both added."""

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    buyer: Decimal = Decimal(0)
    seller: Decimal = Decimal(0)


class CommissionSettings(Settings, frozen=True):
    """What is said of a symbol's commissions; None leaves it to whoever says less: account, market, venue."""

    standard: RateSettings | None = None
    special: RateSettings | None = None
    tax: RateSettings | None = None


MOST_OF_AN_ASSET = Decimal(10**10)  # the log's integers hold nine times as much


class AccountSettings(Settings, frozen=True):
    """An account, its keys and what it owns the first time it is seen."""

    name: str
    keys: list[KeySettings] = []
    balances: dict[str, Decimal] = {}
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    commissions: dict[str, CommissionSettings] = {}  # by market, as "BTC-USDT"
    has_discount: bool = False  # pays commission in the venue's discount asset, while it has enough of it
    trade_group_id: int | None = None  # accounts of one group are kept from trading with each other, too
    require_stp: bool = False  # requireSelfTradePrevention: no order of it may have the mode NONE
    max_asset: dict[str, Decimal] = {}  # MAX_ASSET: the most of an asset that one order may move

    def __post_init__(self) -> None:
        for asset, amount in self.balances.items():
            if not 0 <= amount <= MOST_OF_AN_ASSET:
                raise ValueError(f"balances.{asset} of {self.name} must be from 0 to {MOST_OF_AN_ASSET}, not {amount}")


MOST_BOOK_ORDERS = 100_000
MOST_SCALE = 100.0


class FlowSettings(Settings, frozen=True):
    """The order flow that keeps a market alive. Rates are per second; two of zero give a still market."""

    profile: str = "btcusdt_spot"  # whose habits: see venue/profiles; or a TOML file of `tickbus calibrate`
    scale: float = 1.0  # of the profile's rates
    limit_rate: float | None = None  # these, where they are given, instead of the profile's
    market_rate: float | None = None
    book_orders: int | None = None  # resting orders of the flow, about, over both sides
    volatility_bps: float | None = None  # of the middle, over one second
    pull: float = 0.0005  # share of the way back to the start price, per tenth of a second
    size_lots: int | None = None  # the median market order; all sizes go with it

    def __post_init__(self) -> None:
        for name in ("scale", "limit_rate", "market_rate", "book_orders", "volatility_bps", "pull", "size_lots"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} = {value}: want a number that is not below zero")
        if (self.book_orders or 0) > MOST_BOOK_ORDERS or self.scale > MOST_SCALE:
            raise ValueError(f"at most {MOST_BOOK_ORDERS} book_orders and scale {MOST_SCALE:g}")


class ReferenceSettings(Settings, frozen=True):
    """A reference price: the mean price of the trades of `bucket_count` spans of `bucket_width_ms`."""

    bucket_count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10
    bucket_width_ms: Annotated[int, msgspec.Meta(ge=1)] = 1000


class MarketSettings(Settings, frozen=True):
    """A traded symbol, its filters and its order flow. Sizes and prices are decimals of the asset."""

    symbol: str = "BTC-USDT"
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal("0.00001")
    start_price: Decimal = Decimal(60000)
    min_price: Decimal = Decimal("0.01")
    max_price: Decimal = Decimal(1000000)
    min_size: Decimal = Decimal("0.00001")
    max_size: Decimal = Decimal(9000)
    market_max_size: Decimal = Decimal(100)
    min_notional: Decimal = Decimal(5)
    max_notional: Decimal = Decimal(9000000)
    max_orders: int = 200
    market_min_size: Decimal = Decimal(0)
    market_lot_size: Decimal = Decimal(0)  # MARKET_LOT_SIZE stepSize; 0: no rule
    notional_filter: Literal["NOTIONAL", "MIN_NOTIONAL"] = "NOTIONAL"
    apply_min_to_market: bool = True
    apply_max_to_market: bool = False
    max_position: Decimal | None = None
    max_order_amends: int = 10
    max_algo_orders: int = 5  # contingent orders of an account that are open at a time
    max_order_lists: int = 20
    max_iceberg_orders: int = 100
    iceberg_parts: int = 100
    min_trailing_delta: int = 10  # in bips, above and below the market
    max_trailing_delta: int = 2000
    bid_multiplier_up: Decimal = Decimal(5)
    bid_multiplier_down: Decimal = Decimal("0.2")
    ask_multiplier_up: Decimal = Decimal(5)
    ask_multiplier_down: Decimal = Decimal("0.2")
    multiplier_up: Decimal | None = None  # PERCENT_PRICE, where both are set; it replaces the one by side
    multiplier_down: Decimal | None = None
    average_minutes: int = 5  # 0: the last price
    amend_allowed: bool = True
    peg_allowed: bool = True
    stp_modes: tuple[StpMode, ...] = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")
    default_stp_mode: StpMode = "EXPIRE_MAKER"
    commission: CommissionSettings = CommissionSettings()
    has_discount: bool = True
    flow: FlowSettings = FlowSettings()
    reference_price: ReferenceSettings | None = None  # None: the market has none (-2043)
    history_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 3650  # of made-up klines before the exchange began

    @property
    def base(self) -> str:
        return self.symbol.partition("-")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("-")[2]


class LimitSettings(Settings, frozen=True):
    """Rate limits. The defaults are wide, for one machine; BINANCE_LIMITS are the exchange's own."""

    weight_1m: int = 1_000_000
    orders_10s: int = 100_000
    orders_1d: int = 100_000_000
    maker_fill_credit: int = 1  # by how many the unfilled orders of an account fall when a resting one first fills
    raw_requests_5m: int = 10_000_000
    ban_after: int = 10  # requests sent in spite of a 429, before the address is banned
    messages_1s: int = 1000  # into one market stream connection
    streams: int = 1024
    connections_5m: int = 100_000


BINANCE_LIMITS = LimitSettings(
    weight_1m=6000,
    orders_10s=100,
    orders_1d=200_000,
    raw_requests_5m=300_000,
    messages_1s=5,
    connections_5m=300,
)


class ReplaySettings(Settings, frozen=True):
    """A recording that a market plays in the place of order flow."""

    file: str  # gzip: a receive time in ns and a raw frame on each line; relative to the run file
    speed: Annotated[float, msgspec.Meta(gt=0)] = 1.0  # times real time
    at_end: Literal["still", "stop", "loop"] = "still"  # the book stays as it is; the exchange ends; it begins anew
    cancels: CancelModel = "proportional"  # whose the lots were that vanish without a trade
    book_delay_ms: NotNegative = 5  # book changes wait so long for the trades that explain them


class PaperSettings(Settings, frozen=True):
    """A live market that is followed, and the accounts' orders matched in it here."""

    connector: str  # the actor whose market data it is
    latency_ms: NotNegative = 20  # how long a request is on its way to us
    cancels: CancelModel = "proportional"
    book_delay_ms: NotNegative = 5
    silence_ms: Annotated[int, msgspec.Meta(ge=100)] = 5_000  # no word of the connector: closed


class VenueSettings(Settings, frozen=True):
    """All of the local exchange. Without paths the address is only printed, and nothing outlives it."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: the port in the address file if it is free, else any
    address_file: str | None = None
    log_file: str | None = None
    accounts_file: str | None = None  # TOML or JSON with a list `accounts`; it replaces `accounts`
    accounts: list[AccountSettings] | None = None  # None: the demo accounts
    markets: list[MarketSettings] = msgspec.field(default_factory=lambda: [MarketSettings()])
    seed: int = 1
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    discount_asset: str = "BNB"
    discount: Decimal = Decimal("0.75")  # what is left of the standard commission when it is paid in that asset
    discount_prices: dict[str, Decimal] = {}  # of the discount asset in others; those not given: from the markets
    max_orders: int | None = None  # EXCHANGE_MAX_NUM_ORDERS; with the next three, of one account on all markets
    max_algo_orders: int | None = None
    max_iceberg_orders: int | None = None
    max_order_lists: int | None = None
    limits: LimitSettings | Literal["demo", "binance"] = "demo"
    tls_cert: str | None = None  # PEM files of a certificate and its key: serve https and wss
    tls_key: str | None = None
    hmac_logon: bool = True  # session.logon with HMAC keys, which the docs' text forbids and their example shows
    ping_interval_s: int = 20
    pong_timeout_s: int = 60
    orders_kept: int = 100_000  # finished orders remembered, over all accounts
    trades_kept: int = 500_000  # trades of the accounts remembered
    faults: str = "none"  # a profile of faults on demand: none, drizzle, storm
    faults_file: str | None = None  # TOML or JSON with a list `faults`; beside the profile
    faults_seed: int | None = None  # None: `seed`
    replay: ReplaySettings | None = None
    paper: PaperSettings | None = None

    def __post_init__(self) -> None:
        if self.replay is not None and self.paper is not None:
            raise ValueError("either `replay` or `paper`: remove one")
        if self.faults not in FAULT_PROFILES:
            raise ValueError(f"unknown profile of faults `{self.faults}`{did_you_mean(self.faults, FAULT_PROFILES)}")

    def limit_settings(self) -> LimitSettings:
        if isinstance(self.limits, LimitSettings):
            return self.limits
        return BINANCE_LIMITS if self.limits == "binance" else LimitSettings()
