"""Orders of a strategy that is gone are not left unwatched: a whole connector on the local exchange."""

import pytest

from protocol import OrdStatus, Side
from tests.connectors.conftest import Trader, World

FAR = 5_900_000


def order_of_maker(world: World) -> int:
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    return order_ref


def come_back(world: World) -> None:
    world.trader = world.sim.add("maker", Trader, follows=["binance"])


def test_the_orders_of_a_strategy_that_is_gone_are_cancelled(new_world):
    world = new_world().ready()
    order_ref = order_of_maker(world)
    world.sim.kill("maker")
    world.run(25)
    assert len(world.ledger["open_orders"]) == 1
    world.run(10)
    assert not world.ledger["open_orders"]
    assert world.state == ("TRADING", "maker is silent: its orders are cancelled")
    come_back(world)
    world.run(3)
    assert world.state == ("TRADING", "")
    assert world.connector.tracker.by_order_ref("maker", order_ref).status is OrdStatus.CANCELED
    assert world.trader.snapshots[-1].orders == []
    assert order_of_maker(world)
    world.check()


def test_a_fill_while_the_strategy_is_away_reaches_it_when_it_is_back(new_world):
    world = new_world().ready()
    order_of_maker(world)
    world.sim.kill("maker")
    world.run(5)
    world.trade_by_hand("SELL", "58000", "0.6")
    world.run(40)
    come_back(world)
    world.run(3)
    assert world.connector.tracker.owners["maker"].fill_no == len(world.trader.fills) == 1
    world.check()


def test_a_strategy_that_is_gone_before_the_connector_starts_is_silent_too(new_world):
    world = new_world().ready()
    order_of_maker(world)
    world.kill_connector()
    world.sim.kill("maker")
    world.run(5)
    world.start_connector()
    world.run(35)
    assert not world.ledger["open_orders"]
    assert "maker is silent" in world.state[1]


def test_a_connector_that_is_not_ready_cancels_for_a_silent_strategy(new_world):
    world = new_world().ready()
    order_of_maker(world)
    world.kill_connector()
    world.sim.kill("maker")
    world.net.next_http["GET", "exchangeInfo"] = ["refused"] * 500
    world.start_connector()
    world.run(35)
    assert world.state[0] == "CONNECTING"
    assert not world.ledger["open_orders"]


def test_a_strategy_that_only_waits_is_not_silent(new_world):
    world = new_world().ready()
    order_of_maker(world)
    world.run(300)
    assert len(world.ledger["open_orders"]) == 1
    assert world.state == ("TRADING", "")


@pytest.mark.parametrize(("seconds", "open_orders"), [(0, 1), (5, 0)])
def test_the_setting_is_the_time_in_seconds_and_zero_switches_it_off(new_world, seconds, open_orders):
    world = new_world(owner_silent_s=seconds).ready()
    order_of_maker(world)
    world.sim.kill("maker")
    world.run(10)
    assert len(world.ledger["open_orders"]) == open_orders
