"""Quotes: pure integer arithmetic from settings, mid price, inventory and fees to the wanted quotes.

Ratios are integers in units of 1e-10 (UNIT is 1, BPS is one basis point). Prices are ticks, sizes are lots, money is
ticks * lots. This file uses no time, no orders and no bus.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

import msgspec

from market.instrument import Instrument
from protocol import Side

UNIT = 10**10
BPS = UNIT // 10_000


class Quote(NamedTuple):
    """One order that should rest. `level` counts from 0, nearest to the mid."""

    side: Side
    price_ticks: int
    size_lots: int
    level: int


class Inventory(NamedTuple):
    """Amounts that quotes may use: base in lots, quote asset in ticks * lots."""

    base_lots: int
    quote: int


class QuotePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of quotes, in integers. `range_multiplier` 0: no inventory skew; ceiling or floor 0: no limit."""

    bid_spread: int
    ask_spread: int
    levels: int = 1
    level_spacing: int = 0
    size_lots: int
    level_size_step_lots: int = 0
    minimum_profit: int = -UNIT  # of a round trip, after two maker fees; below 0: the loss allowed
    target_base: int = UNIT // 2  # part of the inventory's total value
    range_multiplier: int = 0  # of the total size of all quotes: distance from the target at which one side is 0
    ceiling_ticks: int = 0
    floor_ticks: int = 0

    def size_at(self, level: int) -> int:
        """The size of a level in lots, before skew and budget; 0 if the steps reduce it to nothing."""
        return max(self.size_lots + level * self.level_size_step_lots, 0)

    @property
    def total_lots(self) -> int:
        """The total size of all quotes of both sides."""
        return 2 * sum(self.size_at(level) for level in range(self.levels))


def wanted_quotes(
    plan: QuotePlan,
    rules: Instrument,
    mid_x2_ticks: int,
    usable: Inventory,
    owned: Inventory,
    maker_fee: Decimal,
) -> list[Quote]:
    """The quotes that should rest now: bids from the nearest level outward, then asks.

    `mid_x2_ticks` is best bid + best ask. `usable` limits the cost of all bids (or asks) together; `owned` also
    contains the amounts of other orders, and is the input of the skew. Each quote is valid by the rules, no bid is at
    or above an ask, and a round trip earns the plan's minimum profit after maker fees. With the mid price at or above
    the ceiling there are no bids, at or below the floor no asks.
    """
    bid_spread, ask_spread = _spreads(plan, maker_fee)
    bid_ratio, ask_ratio = skew_ratios(plan, mid_x2_ticks, owned)
    quotes: list[Quote] = []
    if not plan.ceiling_ticks or mid_x2_ticks < 2 * plan.ceiling_ticks:
        quotes += _bids(plan, rules, mid_x2_ticks, bid_spread, bid_ratio, usable.quote)
    if mid_x2_ticks > 2 * plan.floor_ticks:
        quotes += _asks(plan, rules, mid_x2_ticks, ask_spread, ask_ratio, usable.base_lots)
    return quotes


def _bids(
    plan: QuotePlan, rules: Instrument, mid_x2_ticks: int, spread: int, ratio: int, budget: int
) -> Iterator[Quote]:
    step = rules.price_step
    last = mid_x2_ticks  # levels stay a step apart
    for level in range(plan.levels):
        off = UNIT - spread - level * plan.level_spacing
        last = price_ticks = rules.passive_ticks(min(mid_x2_ticks * off // (2 * UNIT), last - step), Side.BUY)
        if price_ticks < max(rules.min_price_ticks, 1):
            return
        wanted_lots = min(plan.size_at(level) * ratio // UNIT, budget // price_ticks, rules.max_size_lots)
        size_lots = rules.valid_lots(wanted_lots)
        if is_valid(rules, price_ticks, size_lots):
            yield Quote(Side.BUY, price_ticks, size_lots, level)
            budget -= price_ticks * size_lots


def _asks(
    plan: QuotePlan, rules: Instrument, mid_x2_ticks: int, spread: int, ratio: int, budget: int
) -> Iterator[Quote]:
    last = 0
    for level in range(plan.levels):
        off = UNIT + spread + level * plan.level_spacing
        wanted_ticks = max(-(-mid_x2_ticks * off // (2 * UNIT)), last + rules.price_step)
        last = price_ticks = rules.passive_ticks(wanted_ticks, Side.SELL)
        if price_ticks > rules.max_price_ticks:
            return
        size_lots = rules.valid_lots(min(plan.size_at(level) * ratio // UNIT, budget, rules.max_size_lots))
        if is_valid(rules, price_ticks, size_lots):
            yield Quote(Side.SELL, price_ticks, size_lots, level)
            budget -= size_lots


def skew_ratios(plan: QuotePlan, mid_x2_ticks: int, owned: Inventory) -> tuple[int, int]:
    """(bid, ask): factors of sizes, 0 to 2 in UNITs, that move the base's share of the value to its target.

    Linear: at the target both are 1; one range above it (in base) bids are 0 and asks 2; one range below, or
    without any base, bids are 2 and asks 0. The range is the total size of all quotes times the multiplier, at most
    half of the total value.
    """
    if not plan.range_multiplier:
        return UNIT, UNIT
    base_value = owned.base_lots * mid_x2_ticks  # doubled, like the mid
    value = base_value + 2 * owned.quote
    span = min(plan.total_lots * plan.range_multiplier * mid_x2_ticks // UNIT, value // 2)
    if span <= 0:
        return 0, 0
    target = value * plan.target_base // UNIT
    below = min(span, target) or 1
    off = base_value - target
    bid = UNIT - (off * UNIT // span if off >= 0 else off * UNIT // below)
    bid = max(0, min(bid, 2 * UNIT))
    return bid, 2 * UNIT - bid


def is_valid(rules: Instrument, price_ticks: int, size_lots: int) -> bool:
    """Whether the size of a limit order is valid; the price must be in range."""
    if size_lots < rules.min_size_lots or size_lots > rules.max_size_lots:
        return False
    notional = rules.notional(price_ticks, size_lots)
    return notional >= rules.min_notional and (not rules.max_notional or notional <= rules.max_notional)


def _spreads(plan: QuotePlan, maker_fee: Decimal) -> tuple[int, int]:
    """(bid, ask) spreads of level 0, widened where the minimum profit after fees needs it.

    From bid * (1 + fee) <= mid * (1 - profit / 2) and ask * (1 - fee) >= mid * (1 + profit / 2) follows
    ask * (1 - fee) >= bid * (1 + fee) * (1 + profit).
    """
    fee = int((maker_fee * UNIT).to_integral_value(ROUND_CEILING))
    profit = plan.minimum_profit
    bid_least = UNIT - (2 * UNIT - profit) * UNIT // (2 * (UNIT + fee))
    ask_least = -(-(2 * UNIT + profit) * UNIT // (2 * (UNIT - fee))) - UNIT
    return max(plan.bid_spread, bid_least), max(plan.ask_spread, ask_least)
