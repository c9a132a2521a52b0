"""A connector without keys gives market data only: it has no order side, and refuses orders with the reason."""

import pytest

from connectors.connector import Connector
from protocol import AnswerCode, OrdersSnapshot, Side
from protocol.errors import BadRunFile


@pytest.fixture
def world(new_world):
    world = new_world()
    world.kill_connector()
    world.keys = None
    world.start_connector()
    world.until(lambda: world.state[0] == "DATA")
    return world


def test_there_is_no_order_side_and_no_signed_request(world):
    assert world.connector.orders is None
    assert world.state == ("DATA", "no keys: market data only")
    world.until(lambda: world.connector.feed.state == "LIVE", 5)
    assert not [path for _, _, path in world.net.requests if "signature=" in path]
    assert world.records == []


def test_orders_cancels_and_replacements_are_refused_with_the_reason(world):
    refused = [world.place(Side.BUY, 5_900_000), world.cancel(1), world.replace(1, 5_900_000)]
    world.run(0.1)
    for cmd_id in refused:
        assert world.trader.answers[cmd_id].code is AnswerCode.REFUSED
        assert "no keys" in world.trader.answers[cmd_id].text


def test_an_operators_commands_to_all_connectors_are_accepted(world):
    accepted = [
        world.cancel_all(),
        world.command("pause", "lunch"),
        world.command("resume"),
        world.command("cancel_all"),
    ]
    unknown = world.command("dance")
    world.run(0.1)
    assert {world.trader.answers[cmd_id].code for cmd_id in accepted} == {AnswerCode.OK}
    assert "unknown command 'dance': use pause, resume, cancel_all, forget, stop" in world.trader.answers[unknown].text
    assert world.state[0] == "DATA"


def test_a_strategy_gets_an_empty_snapshot_of_its_orders(world):
    world.run(2)
    assert world.trader.snapshots[-1].orders == []
    assert world.connector.snapshot("acct.binance.", 0) is None


def test_it_stops_at_once(world):
    world.command("stop")
    world.run(1)
    assert "binance" not in world.sim.processes


def test_orders_that_an_earlier_run_left_are_counted_while_it_stops(new_world):
    world = new_world().ready()
    world.place(Side.BUY, 5_900_000)
    world.run(1)
    world.kill_connector()
    world.keys = None
    world.start_connector()
    world.until(lambda: world.state[0] == "DATA")
    world.connector.on_stop()
    assert world.state == ("STOPPING", "1 orders may be live")


def test_external_orders_are_an_empty_snapshot_and_no_owner(world):
    snapshot = world.connector.snapshot("ord.binance.@external.", 0)
    assert isinstance(snapshot, OrdersSnapshot)
    assert (snapshot.orders, "@external" in world.connector.tracker.owners) == ([], False)


def test_keys_for_an_exchange_without_an_order_side_are_one_clear_line(world):
    with pytest.raises(BadRunFile, match="market data only: remove `keys`"):
        Connector.make_order_api(world.connector, world.keys)
