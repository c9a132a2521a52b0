"""An order that fills while its connector or its strategy is away gives the events of a live fill, once."""

import pytest

from actors.sim.driver import Sim
from protocol import OrdStatus, Side
from protocol.message import Settings
from strategies.strategy import Strategy
from tests.connectors.conftest import World

MARKET = "binance:BTC-USDT"


class Recorder(Strategy):
    """Keeps what it is called for."""

    ticks = False

    class Settings(Settings):
        market: str = MARKET

    def on_start(self):
        self.events = []

    def on_fill(self, fill):
        self.events.append(("fill", fill.order_ref, fill.trade_id, fill.last_lots))

    def order_changed(self, order):
        self.events.append(("changed", order.order_ref, order.status, order.cum_lots))


class Town(World):
    """An exchange, a connector and a Recorder whose messages can be kept from it."""

    def __init__(self) -> None:
        super().__init__()
        self.strategy = self.sim.add("recorder", Recorder, follows=["binance"])
        self.is_deaf = False
        self.sim.deliver = self.deliver
        self.sim.bus._deliver = self.deliver

    def deliver(self, process, runtime_input, *args):
        if not (self.is_deaf and process.name == "recorder"):
            Sim.deliver(self.sim, process, runtime_input, *args)

    def order(self, side=Side.BUY, size_lots=2_000):
        """Places an order inside the spread; returns it, and begins the record of events anew."""
        market = self.strategy.market(MARKET)
        price_ticks = 5_999_500 if side is Side.BUY else 6_000_500
        found = []
        place = self.strategy.buy if side is Side.BUY else self.strategy.sell
        self.sim.act(
            self.strategy, lambda: found.append(place(market, price_ticks=price_ticks, size_lots=size_lots))
        )  # fmt: skip
        self.run(0.001)
        self.strategy.events.clear()
        return found[0]

    def trade(self, side="SELL", size="0.02"):
        self.trade_by_hand(side, "59995" if side == "SELL" else "60005", size)


@pytest.fixture
def town():
    world = Town().ready()
    world.until(lambda: world.strategy.market(MARKET).ready)
    return world


def kinds(town):
    return [(kind, *rest[1:]) for kind, *rest in town.strategy.events]


def test_live_a_fill_is_one_on_fill_and_one_order_changed(town):
    town.order()
    town.run(1)
    town.strategy.events.clear()
    town.trade()
    town.run(1)
    assert kinds(town) == [("fill", "1", 2_000), ("changed", OrdStatus.FILLED, 2_000)]


@pytest.mark.parametrize("acknowledged", [True, False], ids=["after its acknowledgement", "before any answer"])
def test_an_order_that_fills_while_its_connector_is_dead_gives_the_same_events(town, acknowledged):
    if not acknowledged:
        town.net.next_http["POST", "order"] = ["unanswered"]
        town.control("POST", "faults", add=[{"name": "user_event_lost"}])
    order = town.order()
    town.run(1)
    town.strategy.events.clear()
    town.kill_connector()
    town.control("POST", "faults", clear=True)
    town.trade()
    town.run(3)
    town.start_connector()
    town.until(lambda: town.state == ("TRADING", ""))
    town.run(5)
    assert [one for one in kinds(town) if one[0] == "fill"] == [("fill", "1", 2_000)]
    assert [one for one in kinds(town) if one[1] is OrdStatus.FILLED] == [("changed", OrdStatus.FILLED, 2_000)]
    assert (order.status, order.leaves_lots) == (OrdStatus.FILLED, 0)
    assert town.strategy.market(MARKET).position.net_lots == 2_000


def test_a_part_that_fills_while_its_connector_is_dead_is_reported_and_the_rest_stays_open(town):
    order = town.order()
    town.run(1)
    town.kill_connector()
    town.strategy.events.clear()
    town.trade(size="0.005")
    town.run(3)
    town.start_connector()
    town.until(lambda: town.state == ("TRADING", ""))
    town.run(5)
    assert kinds(town).count(("fill", "1", 500)) == 1
    assert kinds(town).count(("changed", OrdStatus.PARTIALLY_FILLED, 500)) == 1
    assert order.leaves_lots == 1_500


def test_orders_that_fill_while_the_strategy_is_out_of_touch_give_the_same_events(town):
    for side, by_hand in ((Side.BUY, "SELL"), (Side.SELL, "BUY")):
        order = town.order(side)
        town.run(1)
        town.strategy.events.clear()
        town.is_deaf = True
        town.trade(by_hand, "0.005")
        town.run(2)
        town.trade(by_hand, "0.015")
        town.run(2)
        town.is_deaf = False
        town.run(5)
        fills = [one[2] for one in kinds(town) if one[0] == "fill"]
        assert fills == [500, 1_500]
        assert kinds(town).count(("changed", OrdStatus.FILLED, 2_000)) == 1
        assert order.status is OrdStatus.FILLED
    assert town.strategy.market(MARKET).position.net_lots == 0


def test_fills_that_a_killed_connector_had_no_room_to_journal_are_not_reported_again(town):
    order = town.order(size_lots=3_000)
    town.run(1)
    town.strategy.events.clear()
    town.sim.disk_troubles["binance"] = "No space left on device"
    for _ in range(2):
        town.trade(size="0.01")
        town.run(1)
    town.kill_connector()
    town.sim.disk_troubles.clear()
    town.trade(size="0.01")
    town.start_connector()
    town.until(lambda: town.state == ("TRADING", ""))
    town.run(5)
    assert [one[1] for one in kinds(town) if one[0] == "fill"] == ["1", "2", "3"]
    assert order.status is OrdStatus.FILLED
    assert town.strategy.market(MARKET).position.net_lots == 3_000
