"""The order journal is missing, has lost its end, or belongs to another account: nothing is traded on a wrong view."""

import pytest

from actors.log.secret import ApiKey, Secret
from protocol import OrdStatus, Side
from tests.connectors.conftest import World
from venue.base import demo

FAR = 5_900_000
NEAR = 5_999_500


class Named(World):
    """A world in which strategies have other names than `maker`."""

    def add(self, name):
        return self.sim.add(name, type(self.trader), follows=["binance"])

    def place_as(self, name, price_ticks, size_lots=1_000):
        process, self.sim.processes["maker"] = self.sim.processes["maker"], self.sim.processes[name]
        trader, self.trader = self.trader, self.sim.processes[name].actor
        order_ref = self.place(Side.BUY, price_ticks, size_lots)
        self.sim.processes["maker"], self.trader = process, trader
        return order_ref


@pytest.fixture
def world():
    return Named().ready()


def restart(world):
    world.start_connector()
    world.until(lambda: world.state[0] == "TRADING")
    world.run(3)


def test_open_orders_under_a_journal_that_is_gone_are_adopted_and_cancelled_before_anything_is_placed(world):
    orders = [world.place(Side.BUY, FAR), world.place(Side.BUY, FAR - 100)]
    world.run(1)
    assert len(world.ledger["open_orders"]) == 2
    world.kill_connector()
    del world.sim.journals["binance", "orders"]
    restart(world)
    assert world.ledger["open_orders"] == []
    assert "the order journal of earlier process runs is missing" in world.state[1]
    adopted = world.connector.tracker.orders.values()
    assert {(one.terms.owner, one.status) for one in adopted} == {("maker", OrdStatus.CANCELED)}
    assert len(adopted) == len(orders)
    placed = world.place(Side.BUY, FAR)
    world.run(1)
    assert world.last(placed).status is OrdStatus.NEW
    ids = [row["clientOrderId"] for row in world.ledger["orders"]]
    assert len(ids) == len(set(ids)), "the new journal gives out ids of its own"


def test_a_second_restart_without_loss_reports_nothing(world):
    world.kill_connector()
    del world.sim.journals["binance", "orders"]
    restart(world)
    world.kill_connector()
    restart(world)
    assert world.state == ("TRADING", "")


@pytest.mark.parametrize("names", [("market_maker_a", "market_maker_b"), ("a-b", "a_b")], ids=" and ".join)
def test_a_filled_order_whose_record_was_lost_goes_to_its_own_owner_and_to_no_similar_one(world, names):
    for name in names:
        world.add(name)
    world.run(2)
    for name in names:
        world.place_as(name, FAR)
    world.run(1)
    journal = world.sim.journals["binance", "orders"]
    kept = len(journal)
    world.place_as(names[1], NEAR, 700)
    world.run(0.1)
    world.trade_by_hand("SELL", "59995", "0.007")
    world.run(0.5)
    world.kill_connector()
    for name in names:
        world.sim.kill(name)
    del journal[kept:]  # what was not on the disk when the power failed
    restart(world)
    lots = {name: owner.position("BTC-USDT").net_lots for name, owner in world.connector.tracker.owners.items()}
    assert (lots[names[0]], lots[names[1]]) == (0, 700)


def test_orders_of_a_journal_do_not_end_by_what_another_account_contains(world):
    resting, filled = world.place(Side.BUY, FAR), world.place(Side.BUY, NEAR)
    world.run(1)
    world.kill_connector()
    world.trade_by_hand("SELL", "59995", "0.01")
    keys, world.keys = world.keys, ApiKey(demo.EXTERNAL_KEY, Secret(demo.EXTERNAL_SECRET))
    world.start_connector()
    world.run(300)
    assert world.state[0] == "HALTED"
    assert "this journal to account" in world.state[1]
    assert all(not order.is_final for order in world.connector.tracker.orders.values())
    world.kill_connector()
    world.keys = keys
    restart(world)
    tracker = world.connector.tracker
    assert tracker.by_order_ref("maker", resting).status is OrdStatus.NEW
    assert tracker.by_order_ref("maker", filled).status is OrdStatus.FILLED
    assert tracker.owner("maker").position("BTC-USDT").net_lots == 1_000
