"""Seeded worlds: lost messages, deaths on both sides, late fills; in the end the strategy knows what is true."""

from random import Random

import pytest

from protocol import OrdStatus, Side
from strategies import Strategy

SEEDS = 40
STEPS = 60


class Trader(Strategy):
    """Sends the orders of the test, and keeps each fill that it receives."""

    class Settings(Strategy.Settings):
        market: str = "binance:BTC-USDT"

    def __init__(self, name, settings, runtime) -> None:
        super().__init__(name, settings, runtime)
        self.fill_numbers = []

    def on_fill(self, fill) -> None:
        self.fill_numbers.append(fill.fill_no)


class ReplicaWorld:
    """One seed: a bot in which every kind of failure happens."""

    def __init__(self, bot, seed: int) -> None:
        self.bot = bot
        self.rng = Random(seed)
        self.seen = []  # every order of every process run of the strategy
        bot.start(Trader)
        self.lose_frames(0.1)

    def lose_frames(self, share: float) -> None:
        """Let the broker's publications get lost on the bus."""
        bus = self.bot.sim.bus
        publish, rng = type(bus).publish, self.rng

        def maybe_publish(publisher: str, frame: bytes) -> None:
            if publisher != "binance" or rng.random() >= share:
                publish(bus, publisher, frame)

        bus.publish = maybe_publish

    @property
    def market(self):
        return self.bot.strategy.market("binance:BTC-USDT")

    def step(self) -> None:
        actions = [self.place, self.place, self.cancel, self.replace, self.trade, self.trade, self.end]
        actions += [self.kill_broker, self.kill_strategy, self.place_into_death] if self.rng.random() < 0.2 else []
        self.rng.choice(actions)()
        self.bot.sim.run_for(self.rng.choice([0.0, 0.05, 0.3, 1.0]))

    def place(self) -> None:
        strategy, market = self.bot.strategy, self.market
        if self.rng.random() < 0.5:
            price = self.rng.randrange(9_000, 9_990)
            order = self.bot.act(strategy, strategy.buy, market, price_ticks=price, size_lots=self.rng.randint(2, 9))
        else:
            price = self.rng.randrange(10_011, 11_000)
            order = self.bot.act(strategy, strategy.sell, market, price_ticks=price, size_lots=self.rng.randint(2, 9))
        self.seen.append(order)

    def place_into_death(self) -> None:
        """The connector dies with a command on the wire."""
        strategy = self.bot.strategy
        self.seen.append(strategy.buy(self.market, price_ticks=9_900, size_lots=5))
        self.bot.sim.processes["maker"].settle()
        self.kill_broker()

    def cancel(self) -> None:
        if self.market.open_orders:
            order = self.rng.choice(self.market.open_orders)
            self.bot.act(self.bot.strategy, self.bot.strategy.cancel, self.market, order)

    def replace(self) -> None:
        if self.market.open_orders:
            order = self.rng.choice(self.market.open_orders)
            swap = self.bot.strategy.replace
            price = order.price_ticks + (5 if order.side is Side.SELL else -5)
            new = self.bot.act(self.bot.strategy, swap, self.market, order, price_ticks=price, size_lots=4)
            self.seen.append(new)

    def trade(self) -> None:
        orders = self.bot.broker.orders
        if orders:
            order_ref = self.rng.choice(sorted(orders))
            left = orders[order_ref].size_lots - orders[order_ref].cum_lots
            self.bot.exchange(self.bot.broker.trade, order_ref, self.rng.randint(1, left))

    def end(self) -> None:
        orders = self.bot.broker.orders
        if orders:
            self.bot.exchange(self.bot.broker.end, self.rng.choice(sorted(orders)), OrdStatus.CANCELED)

    def kill_broker(self) -> None:
        """It comes back with what its journal holds."""
        old = self.bot.broker
        self.bot.sim.kill("binance")
        self.bot.sim.run_for(self.rng.choice([0.0, 0.5, 5.0]))
        self.bot.start_broker()
        new = self.bot.broker
        new.orders, new.fills, new.row, new.free = old.orders, old.fills, old.row, old.free
        self.lose_frames(0.1)

    def kill_strategy(self) -> None:
        self.bot.sim.kill("maker")
        self.bot.start(Trader)

    def settle(self) -> None:
        self.lose_frames(0)
        self.bot.sim.run_for(12)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_any_trouble_the_strategy_knows_its_orders_its_position_and_its_money(bot, seed):
    world = ReplicaWorld(bot, seed)
    for _ in range(STEPS):
        world.step()
        received = bot.strategy.fill_numbers
        assert received == sorted(set(received)), "a fill was received twice"
    world.settle()
    market, broker = world.market, bot.broker
    assert market.ready, market.why_not_ready
    known = {order.order_ref: (order.status, order.cum_lots) for order in market.open_orders}
    assert known == {order_ref: (order.status, order.cum_lots) for order_ref, order in broker.orders.items()}
    assert market.position.bought_lots == broker.row.bought_lots
    assert market.position.sold_lots == broker.row.sold_lots
    assert market.position.cash_flow == broker.row.sold_notional - broker.row.bought_notional
    rows = {asset: (free, locked) for asset, free, locked in broker.balances().rows}
    assert {asset: tuple(market.balance(asset)) for asset in rows} == rows
    for order in world.seen:
        assert not order.in_doubt or order.order_ref >> 32 != bot.sim.epochs["maker"]
