"""The settings of pure market making, checked one by one, and the integer plan that follows from them."""

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
    """Distances in basis points of the mid, sizes in base, prices in quote. What is left out is off."""

    market: str  # "binance:BTC-USDT"
    bid_spread_bps: Decimal  # from the mid to the first bid
    ask_spread_bps: Decimal
    size: Decimal  # of each order of the first level
    levels: int = 1  # a side
    level_spacing_bps: Decimal = ZERO  # from level to level
    level_size_step: Decimal = ZERO  # added to the size from level to level; may be below 0
    order_refresh_ms: int = 30_000
    refresh_tolerance_bps: Decimal = ZERO  # an order so near to its new price is kept
    filled_order_delay_ms: int = 60_000  # after a whole fill, before new orders
    target_base_ratio: Decimal | None = None  # of base in the inventory's value; sizes are skewed towards it
    inventory_range_multiplier: Decimal = Decimal(1)  # range around it, in total sizes of all orders
    minimum_profit_bps: Decimal = ZERO  # of a round trip after maker fees; widens spreads; may be below 0
    price_ceiling: Decimal | None = None  # from here up only asks
    price_floor: Decimal | None = None  # from here down only bids
    hanging_orders: bool = False  # an order whose pair has filled stays
    hanging_cancel_bps: Decimal = Decimal(1_000)  # ... until it is so far from the mid
    max_open_orders: int = 50
    post_only: bool = True
    cancel_stale_after_ms: int = 5_000  # how long orders stay while the market is not ready; 0: for ever

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
            raise ValueError(f"level_size_step {self.level_size_step} leaves the last level no size")
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
    """A ratio that is already in UNITs as an integer; what is finer than 1e-10 rounds to the nearest."""
    return int(value.to_integral_value())


def _at_least(settings: MarketMakingSettings, name: str, least: int, *, above: bool = False) -> None:
    value = getattr(settings, name)
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be a number, not {value}")
    if value < least or (above and value == least):
        raise ValueError(f"{name} must be {f'above {least}' if above else f'{least} or more'}, not {value}")
