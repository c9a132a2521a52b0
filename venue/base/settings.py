"""Settings of the local exchange: the `[venue]` table of a run file."""

import math
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from actors.run.toml_check import did_you_mean
from protocol.message import Settings

NotNegative = Annotated[int, msgspec.Meta(ge=0)]
CancelModel = Literal["proportional", "back", "front"]
"""Which queued lots a cancel in the live market removes: of all by size, the last in the queue, or the first."""
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
    """One kind of commission, as shares of the received amount: by role (maker or taker) plus by side."""

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    buyer: Decimal = Decimal(0)
    seller: Decimal = Decimal(0)


class CommissionSettings(Settings, frozen=True):
    """Commissions of a symbol. None: the next more general setting applies (account, then market, then venue)."""

    standard: RateSettings | None = None
    special: RateSettings | None = None
    tax: RateSettings | None = None


MAX_BALANCE = Decimal(10**10)  # the ledger's 64-bit integers hold nine times as much


class AccountSettings(Settings, frozen=True):
    """An account, its keys and the balances that it starts with."""

    name: str
    keys: list[KeySettings] = []
    balances: dict[str, Decimal] = {}
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    commissions: dict[str, CommissionSettings] = {}  # by market, as "BTC-USDT"
    has_discount: bool = False  # pays commission in the venue's discount asset while its balance suffices
    trade_group_id: int | None = None  # self-trade prevention also applies between accounts of one group
    require_stp: bool = False  # requireSelfTradePrevention: orders with the mode NONE are rejected
    max_asset: dict[str, Decimal] = {}  # MAX_ASSET: maximum amount of an asset in one order

    def __post_init__(self) -> None:
        for asset, amount in self.balances.items():
            if not 0 <= amount <= MAX_BALANCE:
                raise ValueError(f"balances.{asset} of {self.name} must be from 0 to {MAX_BALANCE}, not {amount}")


MAX_BOOK_ORDERS = 100_000
MAX_SCALE = 100.0


class FlowSettings(Settings, frozen=True):
    """The generated order flow of a market. Rates are per second; with both at zero the market has no flow."""

    profile: str = "btcusdt_spot"  # name in venue/sources/profiles, or a TOML file of `tickbus calibrate`
    scale: float = 1.0  # factor for the profile's rates
    limit_rate: float | None = None  # limit orders per second; None: the profile's, as for the next three
    market_rate: float | None = None  # market orders per second
    book_orders: int | None = None  # approximate number of resting orders, both sides together
    volatility_bps: float | None = None  # volatility of the mid price over one second
    pull: float = 0.0005  # share of the distance to the start price that is pulled back per tenth of a second
    size_lots: int | None = None  # median size of market orders; all sizes scale with it

    def __post_init__(self) -> None:
        for name in ("scale", "limit_rate", "market_rate", "book_orders", "volatility_bps", "pull", "size_lots"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} = {value}: must be a finite number of at least 0")
        if (self.book_orders or 0) > MAX_BOOK_ORDERS or self.scale > MAX_SCALE:
            raise ValueError(f"at most {MAX_BOOK_ORDERS} book_orders and scale {MAX_SCALE:g}")


class ReferenceSettings(Settings, frozen=True):
    """A reference price: the mean price of the trades of `bucket_count` spans of `bucket_width_ms`."""

    bucket_count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10
    bucket_width_ms: Annotated[int, msgspec.Meta(ge=1)] = 1000


class MarketSettings(Settings, frozen=True):
    """A traded symbol, its filters and its order flow. Sizes and prices are decimals of the asset."""

    symbol: str = "BTC-USDT"
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal("0.00001")
    price_digits: int | None = None  # places of the finest tick that this market may ever have; default: of tick_size
    size_digits: int | None = None  # the same for lots; both together at most 8
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
    market_lot_size: Decimal = Decimal(0)  # MARKET_LOT_SIZE stepSize; 0: no step
    notional_filter: Literal["NOTIONAL", "MIN_NOTIONAL"] = "NOTIONAL"
    apply_min_to_market: bool = True
    apply_max_to_market: bool = False
    max_owned: Decimal | None = None
    max_order_amends: int = 10
    max_algo_orders: int = 5  # maximum number of open contingent orders of an account
    max_order_lists: int = 20
    max_iceberg_orders: int = 100
    iceberg_parts: int = 100
    min_trailing_delta: int = 10  # in basis points, above and below the market
    max_trailing_delta: int = 2000
    bid_multiplier_up: Decimal = Decimal(5)
    bid_multiplier_down: Decimal = Decimal("0.2")
    ask_multiplier_up: Decimal = Decimal(5)
    ask_multiplier_down: Decimal = Decimal("0.2")
    multiplier_up: Decimal | None = None  # PERCENT_PRICE if both are set, instead of PERCENT_PRICE_BY_SIDE
    multiplier_down: Decimal | None = None
    average_minutes: int = 5  # minutes of the average price in filters; 0: the last price
    amend_allowed: bool = True
    peg_allowed: bool = True
    stp_modes: tuple[StpMode, ...] = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")
    default_stp_mode: StpMode = "EXPIRE_MAKER"
    commission: CommissionSettings = CommissionSettings()
    has_discount: bool = True
    flow: FlowSettings = FlowSettings()
    reference_price: ReferenceSettings | None = None  # None: none (-2043)
    history_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 3650  # of synthetic klines

    @property
    def base(self) -> str:
        return self.symbol.partition("-")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("-")[2]


class LimitSettings(Settings, frozen=True):
    """Rate limits. The defaults are wide, for use on one machine; BINANCE_LIMITS are Binance's own."""

    weight_1m: int = 1_000_000
    orders_10s: int = 100_000
    orders_1d: int = 100_000_000
    maker_fill_credit: int = 1  # by how much a maker's first fill reduces the count of unfilled orders
    raw_requests_5m: int = 10_000_000
    ban_after: int = 10  # requests after a 429 until the address is banned
    messages_1s: int = 1000  # frames per second from a client on one market stream connection
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
    """A recording that a market plays instead of order flow."""

    file: str  # gzip, each line: receive time in ns and raw frame; path relative to the run file
    speed: Annotated[float, msgspec.Meta(gt=0)] = 1.0  # factor on real time
    at_end: Literal["still", "stop", "loop"] = "still"  # the book stays; the exchange ends; the recording restarts
    cancels: CancelModel = "proportional"  # which queued lots are reduced when size disappears without a trade
    book_delay_ms: NotNegative = 5  # how long book changes wait for the trades that explain them


class PaperSettings(Settings, frozen=True):
    """A live market that the exchange follows; the accounts' orders are matched in it locally."""

    connector: str  # the actor that publishes the market data
    latency_ms: NotNegative = 20  # simulated latency of a request to the exchange
    cancels: CancelModel = "proportional"
    book_delay_ms: NotNegative = 5
    silence_ms: Annotated[int, msgspec.Meta(ge=100)] = 5_000  # markets close after this silence


class OrderLimits(msgspec.Struct, frozen=True):
    """Maximum numbers of an account's open orders and lists, on all markets together; None: no limit."""

    max_orders: int | None = None
    max_algo_orders: int | None = None
    max_iceberg_orders: int | None = None
    max_order_lists: int | None = None


class VenueSettings(Settings, frozen=True):
    """Settings of the local exchange. Without file paths the address is only printed and no state is kept."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: the port in the address file if it is free, else any free port
    address_file: str | None = None
    ledger_file: str | None = None
    accounts_file: str | None = None  # TOML or JSON file with a list `accounts`, used instead of `accounts`
    accounts: list[AccountSettings] | None = None  # None: the demo accounts
    markets: list[MarketSettings] = msgspec.field(default_factory=lambda: [MarketSettings()])
    seed: int = 1
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    discount_asset: str = "BNB"
    discount: Decimal = Decimal("0.75")  # factor on the standard commission when it is paid in that asset
    discount_prices: dict[str, Decimal] = {}  # in other assets; missing ones come from the markets
    max_orders: int | None = None  # EXCHANGE_MAX_NUM_ORDERS; this and the next three are per account over all markets
    max_algo_orders: int | None = None
    max_iceberg_orders: int | None = None
    max_order_lists: int | None = None
    rate_limits: LimitSettings | Literal["demo", "binance"] = "demo"
    tls_cert: str | None = None  # PEM files of a certificate and its key; with both, https and wss are served
    tls_key: str | None = None
    hmac_logon: bool = True  # allow session.logon with HMAC keys: Binance's text forbids it, its example does it
    ping_interval_s: int = 20
    pong_timeout_s: int = 60
    orders_kept: int = 100_000  # maximum number of finished orders kept, over all accounts
    trades_kept: int = 500_000  # maximum number of trades kept per account
    faults: str = "none"  # fault profile: none, drizzle or storm
    faults_file: str | None = None  # TOML or JSON file with a list `faults`, in addition to the profile
    faults_seed: int | None = None  # seed of the faults; None: `seed`
    replay: ReplaySettings | None = None
    paper: PaperSettings | None = None

    def __post_init__(self) -> None:
        if self.replay is not None and self.paper is not None:
            raise ValueError("`replay` and `paper` exclude each other: remove one")
        if self.faults not in FAULT_PROFILES:
            raise ValueError(f"unknown fault profile `{self.faults}`{did_you_mean(self.faults, FAULT_PROFILES)}")

    def order_limits(self) -> OrderLimits:
        return OrderLimits(self.max_orders, self.max_algo_orders, self.max_iceberg_orders, self.max_order_lists)

    def limit_settings(self) -> LimitSettings:
        if isinstance(self.rate_limits, LimitSettings):
            return self.rate_limits
        return BINANCE_LIMITS if self.rate_limits == "binance" else LimitSettings()
