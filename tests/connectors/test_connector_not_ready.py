"""A connector that is not ready cancels: this needs the journal, the key and the network, and nothing else."""

import pytest

from protocol import CancelAll, OrdStatus, Side
from tests.connectors.conftest import SYMBOL, World

FAR = 5_900_000


def no_rules(world: World) -> None:
    world.net.next_http["GET", "exchangeInfo"] = ["refused"] * 500


def no_time(world: World) -> None:
    world.net.next_http["GET", "time"] = ["refused"] * 500


def no_account(world: World) -> None:
    world.net.next_http["GET", "account"] = ["refused"] * 500


def no_open_orders(world: World) -> None:
    world.net.next_http["GET", "openOrders"] = ["refused"] * 500


def no_websockets(world: World) -> None:
    world.venue.is_closed = True


def nothing(world: World) -> None:
    for trouble in (no_rules, no_time, no_account, no_open_orders, no_websockets):
        trouble(world)


def kill_file(world: World) -> None:
    world.kill_level = 2


def stop(world: World) -> None:
    world.sim.request_stop("binance")


def of_the_strategy(world: World) -> None:
    world.act(CancelAll, SYMBOL)


def of_an_operator(world: World) -> None:
    world.command("cancel_all")


@pytest.mark.parametrize("cancel", [kill_file, stop, of_the_strategy, of_an_operator])
@pytest.mark.parametrize("trouble", [no_rules, no_time, no_account, no_open_orders, no_websockets, nothing])
def test_open_orders_are_cancelled_before_the_connector_is_ready(new_world, trouble, cancel):
    world = new_world().ready()
    order_refs = [world.place(Side.BUY, FAR - 1000 * n) for n in range(3)]
    world.run(1)
    world.kill_connector()
    trouble(world)
    world.start_connector()
    world.run(20)
    assert world.state[0] != "TRADING"
    assert len(world.ledger["open_orders"]) == 3
    cancel(world)
    world.run(5)
    assert not world.ledger["open_orders"]
    assert {world.last(one).status for one in order_refs} == {OrdStatus.CANCELED}
    assert ("binance" in world.sim.processes) == (cancel is not stop), "a stop ends as soon as no order is open"


@pytest.mark.parametrize("cancel", [kill_file, stop, of_the_strategy, of_an_operator])
def test_a_cancel_request_that_is_lost_before_the_connector_is_ready_is_sent_again(new_world, cancel):
    world = new_world().ready()
    world.place(Side.BUY, FAR)
    world.run(1)
    world.kill_connector()
    nothing(world)
    world.net.next_http["DELETE", "order"] = ["lost", "503"]
    world.start_connector()
    world.run(5)
    cancel(world)
    world.run(15)
    assert not world.ledger["open_orders"]


def test_an_order_of_a_market_that_has_left_the_settings_is_cancelled_by_the_kill_file(new_world):
    world = new_world().ready()
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    world.kill_connector()
    world.settings = type(world.settings)(
        markets=["ETH-USDT"], limits={}, rest_url="local://venue", ws_url="local://venue", ws_api_url="local://venue"
    )
    world.start_connector()
    world.run(10)
    assert world.state[0] == "HALTED"
    assert len(world.ledger["open_orders"]) == 1
    world.kill_level = 2
    world.run(5)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert not world.ledger["open_orders"]


def test_the_kill_switch_is_shown_before_the_connector_is_ready(new_world):
    world = new_world()
    nothing(world)
    world.kill_level = 1
    world.run(5)
    assert world.state == ("HALTED", "kill switch at level 1")
