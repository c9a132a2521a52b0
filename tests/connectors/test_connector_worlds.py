"""Seeded worlds: a random trader, a bad network, kills of connector and exchange; at the end both must agree."""

from random import Random

import pytest

from connectors.orders.status import ConnectorStatus
from protocol import OrdStatus, Side

SYMBOL = "BTC-USDT"
STEP_S = 0.5


class Monkey:
    """Trades and injects faults by its seed."""

    def __init__(self, world, seed: int) -> None:
        self.world = world
        self.random = Random(f"monkey {seed}")
        self.order_refs: list[int] = []
        self.dead_steps = 0

    def step(self) -> None:
        world = self.world
        world.run(STEP_S)
        if self.dead_steps:
            self.dead_steps -= 1
            if not self.dead_steps:
                world.start_connector()
            return
        dice = self.random.random()
        if dice < 0.5:
            self.place()
        elif dice < 0.7 and self.order_refs:
            world.cancel(self.random.choice(self.order_refs[-30:]))
        elif dice < 0.75 and self.order_refs:
            world.replace(self.random.choice(self.order_refs[-10:]), self.mid() + self.random.randrange(-3000, 3000))
        elif dice < 0.78:
            world.cancel_all()
        elif dice < 0.82:
            self.harm()

    def mid(self) -> int:
        book = self.world.connector.feed.book(SYMBOL)
        return (book.bid_ticks + book.ask_ticks) // 2 or 6_000_000

    def place(self) -> None:
        side = self.random.choice(list(Side))
        away = self.random.choice([-3000, -500, 200, 1000, 20000])
        price_ticks = self.mid() - side.sign * away
        self.order_refs.append(self.world.place(side, price_ticks, self.random.randrange(100, 3000)))

    def harm(self) -> None:
        world, dice = self.world, self.random.randrange(4)
        if dice == 0:
            world.control("POST", "drop", kind=self.random.choice(["user", "all", "market"]))
        elif dice == 1:
            world.kill_connector()
            self.dead_steps = self.random.randrange(1, 20)
        elif dice == 2:
            world.restart_venue()
        else:
            world.control("POST", "faults", silence={"kind": "user", "seconds": self.random.randrange(1, 30)})

    def heal(self) -> None:
        world = self.world
        if self.dead_steps:
            world.start_connector()
        world.net.rate = world.net.event_rate = 0
        world.control("POST", "faults", clear=True)


@pytest.fixture
def asked(monkeypatch):
    """Every check whether a new order may be placed, made in both ways."""
    answers, short_way = [], ConnectorStatus._is_open

    def both_ways(condition, symbol):
        yes, reason = short_way(condition, symbol), condition._reason(symbol)
        assert not (yes and reason), reason
        assert yes or reason or condition.state()[0] == "DEGRADED", "the short check serves where it can"
        answers.append(yes)
        return yes

    monkeypatch.setattr(ConnectorStatus, "_is_open", both_ways)
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_the_end_we_know_what_the_exchange_knows(new_world, asked, seed):
    world = new_world(seed, still=False).ready()
    world.net.rate = [0.05, 0.2, 0.5, 0.2][seed]
    world.net.slow_ns = [0, 20_000_000, 200_000_000, 900_000_000][seed]
    world.net.event_rate = [0.5, 0.1, 0.0, 0.3][seed]
    monkey = Monkey(world, seed)
    for _ in range(round(60 / STEP_S)):
        monkey.step()
        exposure = world.connector.tracker.exposure(SYMBOL)
        worst = max(exposure.held_lots + exposure.buy_lots, exposure.sell_lots - exposure.held_lots)
        assert worst <= 150_000, "more than max_position"
    monkey.heal()
    world.until(lambda: world.state[0] == "TRADING", 30)
    world.run(120)
    orders = world.connector.tracker.open.values()
    assert not [one for one in orders if one.status is OrdStatus.UNKNOWN]
    world.check()
    world.cancel_all()
    world.run(15)
    assert not world.connector.tracker.open
    world.check()
    assert world.placements()
    assert set(asked) == {True, False}
