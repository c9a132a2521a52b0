"""The settings of pure market making, checked, and the plan in integers that follows from them."""

from decimal import Decimal

from market.instrument import Instrument, Rounding
from strategies.quotes import BPS, UNIT, QuotePlan
from strategies.strategy import Strategy

ZERO = Decimal(0)
MAX_LEVELS = 100
NOT_NEGATIVE = (
    "level_spacing_bps",
    "refresh_tolerance_bps",
    "inventory_range_multiplier",
    "hanging_cancel_bps",
    "filled_order_delay_ms",
    "cancel_stale_after_ms",
)


class MarketMakingSettings(Strategy.Settings):
    """Distances in basis points of the mid price, sizes in base, prices in quote. A default of None or 0 means off."""

    market: str  # "binance:BTC-USDT"
    bid_spread_bps: Decimal  # distance of the first bid from the mid price
    ask_spread_bps: Decimal  # distance of the first ask from the mid price
    size: Decimal  # size of each order of the first level
    levels: int = 1  # levels per side; at most 100
    level_spacing_bps: Decimal = ZERO  # distance between levels
    level_size_step: Decimal = ZERO  # size added per level; may be negative
    order_refresh_ms: int = 30_000  # interval of requoting
    refresh_tolerance_bps: Decimal = ZERO  # an order within this distance of its new price is kept
    filled_order_delay_ms: int = 60_000  # delay of new orders after a complete fill
    target_base_ratio: Decimal | None = None  # base's share of the inventory's value; sizes are skewed towards it
    inventory_range_multiplier: Decimal = Decimal(1)  # distance at which one side is 0, in total order sizes
    minimum_profit_bps: Decimal = ZERO  # profit of a round trip after maker fees; widens spreads; may be negative
    price_ceiling: Decimal | None = None  # at or above it only asks
    price_floor: Decimal | None = None  # at or below it only bids
    hanging_orders: bool = False  # an order stays after its pair has filled
    hanging_cancel_bps: Decimal = Decimal(1_000)  # ... until this distance from the mid price
    max_open_orders: int = 50  # at least 2 * levels
    post_only: bool = True  # an order that would take is rejected
    cancel_stale_after_ms: int = 5_000  # time after which orders of a market that is not ready are cancelled; 0: never

    def __post_init__(self) -> None:
        for name in ("bid_spread_bps", "ask_spread_bps", "size"):
            _at_least(self, name, 0, above=True)
        for name in NOT_NEGATIVE:
            _at_least(self, name, 0)
        for name in ("levels", "order_refresh_ms"):
            _at_least(self, name, 1)
        _at_least(self, "max_open_orders", 2 * self.levels)
        for name in ("price_ceiling", "price_floor"):
            if getattr(self, name) is not None:
                _at_least(self, name, 0, above=True)
        self._check_together()

    def _check_together(self) -> None:
        connector, _, symbol = self.market.partition(":")
        if not (connector and symbol):
            raise ValueError(f"market must be connector:symbol, as in binance:BTC-USDT, not {self.market!r}")
        if self.levels > MAX_LEVELS:
            raise ValueError(f"levels must be {MAX_LEVELS} or less, not {self.levels}")
        far_bps = self.bid_spread_bps + (self.levels - 1) * self.level_spacing_bps
        if far_bps >= 10_000:
            raise ValueError(f"bid_spread_bps and level_spacing_bps put the last bid {far_bps} bps off the mid")
        if self.size + (self.levels - 1) * self.level_size_step <= 0:
            raise ValueError(f"level_size_step {self.level_size_step} leaves no size at the last level")
        if self.minimum_profit_bps >= 10_000:
            raise ValueError(f"minimum_profit_bps must be below 10000, not {self.minimum_profit_bps}")
        ratio, floor, ceiling = self.target_base_ratio, self.price_floor, self.price_ceiling
        if ratio is not None and not 0 <= ratio <= 1:
            raise ValueError(f"target_base_ratio must be from 0 to 1, not {ratio}")
        if floor is not None and ceiling is not None and floor >= ceiling:
            raise ValueError(f"price_floor {floor} must be below price_ceiling {ceiling}")


def quote_plan(settings: MarketMakingSettings, rules: Instrument) -> QuotePlan:
    """The settings in an instrument's integers; sizes are rounded down to lots, bounds inwards to ticks."""
    skewed = settings.target_base_ratio is not None
    step = settings.level_size_step
    step_lots = rules.size_lots(abs(step), Rounding.DOWN) * (1 if step >= 0 else -1)
    ceiling, floor = settings.price_ceiling, settings.price_floor
    return QuotePlan(
        bid_spread=units(settings.bid_spread_bps * BPS),
        ask_spread=units(settings.ask_spread_bps * BPS),
        levels=settings.levels,
        level_spacing=units(settings.level_spacing_bps * BPS),
        size_lots=rules.size_lots(settings.size, Rounding.DOWN),
        level_size_step_lots=step_lots,
        minimum_profit=units(settings.minimum_profit_bps * BPS),
        target_base=units((settings.target_base_ratio or ZERO) * UNIT),
        range_multiplier=units(settings.inventory_range_multiplier * UNIT) if skewed else 0,
        ceiling_ticks=0 if ceiling is None else rules.price_ticks(ceiling, Rounding.DOWN),
        floor_ticks=0 if floor is None else rules.price_ticks(floor, Rounding.UP),
    )


def units(value: Decimal) -> int:
    """A ratio in UNITs as an integer, rounded to the nearest."""
    return int(value.to_integral_value())


def _at_least(settings: MarketMakingSettings, name: str, least: int, *, above: bool = False) -> None:
    value = getattr(settings, name)
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be a number, not {value}")
    if value < least or (above and value == least):
        raise ValueError(f"{name} must be {f'above {least}' if above else f'{least} or more'}, not {value}")
