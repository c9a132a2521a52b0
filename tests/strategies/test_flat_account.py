"""Every strategy of ours on an account that holds quote alone, with real commissions: it buys, sells, and ends flat."""

import importlib.util
from decimal import Decimal
from pathlib import Path

import pytest

from protocol import RefusalCode
from strategies.ping_pong import PingPong
from strategies.pure_market_making import PureMarketMaking
from tests.strategies.quote_only import QuoteOnly
from venue.base.settings import FlowSettings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MAKING = {
    "bid_spread_bps": Decimal("0.8"), "ask_spread_bps": Decimal("0.8"), "size": Decimal("0.01"), "levels": 3,
    "level_spacing_bps": Decimal(1), "order_refresh_ms": 5_000, "refresh_tolerance_bps": Decimal("0.2"),
    "filled_order_delay_ms": 2_000,
}  # fmt: skip


def example(name: str, kind: str):
    """A class of an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, kind)


EXPECTED = (
    "match and take.",  # a post-only order that would have traded
    "over max_order_notional 5000",  # an order of `flatten`, which then splits it
)
CASES = {
    "ping_pong": (PingPong, {"size_lots": 1_000, "half_spread_ticks": 15}),
    "example ping_pong": (example("ping_pong", "PingPong"), {"size_lots": 1_000, "half_spread_ticks": 15}),
    "example dip_buyer": (
        example("dip_buyer", "DipBuyer"), {"size_lots": 1_000, "below_ticks": 50, "profit_ticks": 100},
    ),
    "market making": (PureMarketMaking, MAKING),
    "market making to a target": (
        PureMarketMaking, MAKING | {"target_base_ratio": Decimal("0.5"), "inventory_range_multiplier": Decimal(3)},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_it_buys_sells_and_ends_flat_without_a_refusal(name):
    kind, settings = CASES[name]
    bot = QuoteOnly(kind, flow=FlowSettings(volatility_bps=4), **settings)  # the price moves by more than the fees
    bot.sim.run_for(90)
    bot.flatten()
    position = bot.market.position
    assert position.bought_lots > 0
    assert position.sold_lots > 0
    assert bot.market.open_orders == []
    assert position.held_lots * 60_000 < 5 * 100_000, "less than the smallest order is left"
    assert [reason for reason in bot.rejected if not reason.endswith(EXPECTED)] == []
    assert bot.refused.keys() <= {RefusalCode.WOULD_TAKE}
    bot.check()


COMMISSIONS = {
    "in the asset received": {"maker_fee": Decimal("0.001"), "taker_fee": Decimal("0.001")},
    "below zero for a maker": {"maker_fee": Decimal("-0.0001"), "taker_fee": Decimal("0.0004")},
    "none": {"maker_fee": Decimal(0), "taker_fee": Decimal(0)},
    "in BNB": {"has_discount": True, "discount_prices": {"BTC": Decimal("0.01"), "USDT": Decimal(600)}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMISSIONS)
def test_position_cost_and_profit_are_the_ledgers_with_a_commission(name):
    venue = dict(COMMISSIONS[name])
    base = {"BNB": Decimal(10)} if venue.get("has_discount") else None
    bot = QuoteOnly(PingPong, flow=FlowSettings(volatility_bps=4), venue=venue, base=base, **CASES["ping_pong"][1])
    bot.sim.run_for(60)
    assert bot.market.position.sold_lots > 0
    assert ("BNB" in bot.market.position.other_fees) is (name == "in BNB")
    bot.check()
    bot.sim.kill("binance")
    bot.sim.run_for(1)
    bot.start_connector()
    bot.sim.run_for(10)
    bot.flatten()
    bot.check()
