"""Random worlds in which the exchange changes its tick and lot: position, cost and profit stay its ledger's exactly."""

import json
from decimal import Decimal
from random import Random

import pytest

from actors.log.secret import ApiKey, Secret
from actors.net import HttpRequest
from connectors.binance.sign import signed_query
from market.scale import Scale
from protocol import BookDelta, Fill, Trade
from strategies.ping_pong import PingPong
from tests.strategies.quote_only import QuoteOnly
from tests.strategies.test_flat_account import example
from venue.base import demo
from venue.base.settings import FlowSettings

TICKS = ("0.01", "0.05", "0.10", "0.50", "1")
LOTS = ("0.00001", "0.00002", "0.0001", "0.0005")


class Watched(PingPong):
    """PingPong that checks the scale of each message, and keeps an integer of its own through each change."""

    def on_start(self) -> None:
        self.kept_ticks = 0
        self.kept = Decimal(0)
        self.changes = 0

    def scale_changed(self, market, price_factor: int, size_factor: int) -> None:
        self.kept_ticks *= price_factor
        self.changes += 1

    def on_trade(self, trade: Trade) -> None:
        self.same(trade)
        scale = Scale(trade.price_digits, trade.size_digits)
        assert self.kept_ticks * scale.tick == self.kept
        self.kept_ticks, self.kept = trade.price_ticks, trade.price_ticks * scale.tick

    def on_book_delta(self, delta: BookDelta) -> None:
        self.same(delta)

    def on_fill(self, fill: Fill) -> None:
        self.same(fill)

    def same(self, message) -> None:
        market = self.market(self.settings.market)
        assert (message.price_digits, message.size_digits) == (market.price_digits, market.size_digits)


def control(bot, **body) -> None:
    request = HttpRequest("POST", "", {}, json.dumps(body).encode())
    answer, _ = bot.venue.http(request, "/control/faults", bot.sim.now_ns)
    assert answer.status == 200, answer.body


def change_filters(bot, tick: str, lot: str) -> None:
    control(bot, clear=True)
    control(bot, add=[{"name": "filters_changed", "for_s": 0, "tick_size": tick, "lot_size": lot}])
    bot.connector.feed.rules.request(["BTC-USDT"])


def shown(bot) -> list[tuple[Decimal, Decimal]]:
    """Price and size of each open order as the strategy has it."""
    rules = bot.market.rules
    orders = [order for order in bot.market.open_orders if order.reported and not order.cancel_wanted]
    return sorted((rules.price(order.price_ticks), rules.size(order.size_lots)) for order in orders)


def resting(bot) -> list[tuple[Decimal, Decimal]]:
    """Price and size of each open order as the exchange has it."""
    rows = bot.control("ledger?account=maker")["open_orders"]
    return sorted((Decimal(row["price"]), Decimal(row["origQty"])) for row in rows)


@pytest.mark.parametrize("kind", ["DipBuyer", "PingPong"])
def test_a_tick_that_becomes_ten_times_finer_under_a_resting_bid_leaves_its_price_cost_and_profit(kind):
    strategies = {
        "DipBuyer": (example("dip_buyer", "DipBuyer"), {"below_ticks": 5, "profit_ticks": 10}),
        "PingPong": (PingPong, {"half_spread_ticks": 50}),
    }
    strategy, settings = strategies[kind]
    market = {"tick_size": Decimal("0.10"), "price_digits": 3}
    still = FlowSettings(limit_rate=0, market_rate=0)
    bot = QuoteOnly(strategy, flow=still, market=market, size_lots=1_000, **settings)
    for side, price in (("BUY", "59990"), ("SELL", "60010")):
        by_hand(bot, side, price, "0.5")
    bot.until(lambda: resting(bot) and shown(bot) == resting(bot))
    change_filters(bot, "0.001", "0.00001")
    bot.sim.run_for(1.2)
    assert bot.market.rules.scale == Scale(3, 5)
    assert bot.market.rules.tick_size == Decimal("0.001")
    bot.until(lambda: resting(bot) and shown(bot) == resting(bot))
    if kind == "DipBuyer":
        (bid,) = resting(bot)
        by_hand(bot, "SELL", "59000", "0.51")
        bot.sim.run_for(2)
        assert bot.market.position.bought_notional == bid[0] * bid[1]
        by_hand(bot, "BUY", "59970", "0.5")
    bot.sim.run_for(20)
    assert [order for order in bot.rejected if "multiple" in order] == []
    if bot.market.position.bought_lots:
        bot.check()
    bot.until(lambda: resting(bot) and shown(bot) == resting(bot))


def by_hand(bot, side: str, price: str, size: str) -> None:
    params = {
        "symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": size, "price": price,
        "timestamp": bot.sim.now_ns // 1_000_000,
    }  # fmt: skip
    query = signed_query(ApiKey(demo.EXTERNAL_KEY, Secret(demo.EXTERNAL_SECRET)), params)
    request = HttpRequest("POST", "", {"X-MBX-APIKEY": demo.EXTERNAL_KEY})
    answer, _ = bot.venue.http(request, f"/api/v3/order?{query}", bot.sim.now_ns)
    bot.sim.services["venue"].flush()
    assert answer.status == 200, answer.body


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_position_cost_profit_and_orders_are_the_exchanges_whatever_the_rules_do(seed):
    random = Random(seed)
    bot = QuoteOnly(Watched, seed=seed, flow=FlowSettings(volatility_bps=4), size_lots=1, half_spread_ticks=1)
    change_filters(bot, "1", "0.0005")  # the first rules are coarser than all that is in the book
    for step in range(6):
        bot.sim.run_for(10)
        if bot.market.position.bought_lots:
            bot.check()
        tick, lot = random.choice(TICKS), random.choice(LOTS)
        change_filters(bot, tick, lot)
        if step == 3:
            bot.sim.kill("binance")
            bot.sim.run_for(1)
            bot.start_connector()
    bot.sim.run_for(10)
    bot.until(lambda: shown(bot) == resting(bot), 30)
    bot.flatten()
    bot.check()
    assert bot.market.position.bought_lots > 0
    assert bot.market.rules.scale == bot.connector.tracker.scales["BTC-USDT"]
