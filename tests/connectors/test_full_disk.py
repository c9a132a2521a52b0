"""A connector whose journal cannot be written: no order is placed, cancels go out, and nothing follows a hole."""

import pytest

from connectors.orders.journal_replay import replay
from connectors.orders.tracker import OrderTracker
from protocol import OrdStatus, Side
from tests.connectors.conftest import Trader

FULL = "No space left on device"
FAR = 5_900_000


@pytest.fixture
def world(new_world):
    return new_world(compact_records=50).ready()


def fill_disk(world):
    world.sim.disk_troubles["binance"] = FULL


def make_room(world):
    del world.sim.disk_troubles["binance"]


def restart(world):
    world.kill_connector()
    world.start_connector()


def replayed(world):
    tracker = OrderTracker()
    replay(tracker, world.sim.journals["binance", "orders"])
    return tracker


def test_an_order_that_cannot_be_journaled_is_not_sent_and_cancels_still_go_out(world):
    resting = world.place(Side.BUY, FAR)
    world.run(1)
    fill_disk(world)
    sent = len(world.placements())
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    assert world.state == ("HALTED", f"no order is placed until the journal can be written: {FULL}")
    assert len(world.placements()) == sent
    world.cancel(resting)
    world.run(1)
    assert world.last(resting).status is OrdStatus.CANCELED
    assert world.ledger["open_orders"] == []


def test_once_there_is_room_the_journal_is_written_anew_and_the_connector_trades_by_itself(world):
    resting = world.place(Side.BUY, FAR)
    world.run(1)
    fill_disk(world)
    world.place(Side.BUY, FAR)
    world.cancel(resting)
    world.run(30)
    assert world.state[0] == "HALTED"
    make_room(world)
    world.run(3)
    assert world.state == ("TRADING", "")
    placed = world.place(Side.BUY, FAR)
    world.run(1)
    assert world.last(placed).status is OrdStatus.NEW
    world.check()
    tracker = replayed(world)
    assert tracker.orders.keys() == world.connector.tracker.orders.keys()
    assert list(tracker.open) == [world.last(placed).cl_ord_id]


@pytest.mark.parametrize("after_s", [0.1, 1, 5], ids="{} s later".format)
def test_a_kill_after_one_record_that_could_not_be_written_leaves_a_journal_that_can_be_read(world, after_s):
    resting = world.place(Side.BUY, FAR)
    world.run(1)
    fill_disk(world)
    world.place(Side.BUY, FAR)
    make_room(world)  # the record of the order was lost, and the record of its end could be written
    world.run(after_s)
    world.cancel(resting)
    world.run(after_s)
    restart(world)
    world.run(5)
    world.until(lambda: world.state == ("TRADING", ""))
    world.run(10)
    assert world.last(resting).status is OrdStatus.CANCELED
    world.check()


def test_fills_that_were_published_while_nothing_could_be_written_are_counted_once_after_a_kill(world):
    order_ref = world.place(Side.BUY, 5_999_500, 3_000)
    world.run(1)
    fill_disk(world)
    for _ in range(2):
        world.trade_by_hand("SELL", "59995", "0.01")
        world.run(1)
    assert len(world.trader.fills) == 2
    world.sim.kill("maker")
    restart(world)
    world.trader = world.sim.add("maker", Trader, follows=["binance"])  # counts from the first fill
    make_room(world)
    world.until(lambda: world.state == ("TRADING", ""))
    world.run(5)
    world.trade_by_hand("SELL", "59995", "0.01")
    world.run(5)
    assert [one.trade_id for one in world.trader.fills.values()] == ["1", "2", "3"]
    assert world.connector.tracker.by_order_ref("maker", order_ref).status is OrdStatus.FILLED
    assert world.connector.tracker.owner("maker").fill_no == 3
    world.check()


def test_a_connector_starts_on_a_full_disk_cancels_and_counts_and_trades_once_there_is_room(world):
    resting = world.place(Side.BUY, 5_999_500, 2_000)
    world.run(1)
    fill_disk(world)
    world.kill_connector()
    world.trade_by_hand("SELL", "59995", "0.01")
    world.start_connector()
    world.until(lambda: world.state[0] == "HALTED")
    assert world.state[1].startswith("no order is placed until the journal can be written")
    world.cancel(resting)
    world.run(5)
    assert world.ledger["open_orders"] == []
    assert world.connector.tracker.owner("maker").fill_no == 1
    make_room(world)
    world.until(lambda: world.state == ("TRADING", ""))
    world.check()
    assert replayed(world).owner("maker").fill_no == 1


def test_a_compaction_that_does_not_fit_is_put_off_while_orders_go_on(world, monkeypatch):
    rewrites = []
    port = world.sim.processes["binance"].port
    rewrite = port.rewrite

    def refused(journal, records):
        rewrites.append(world.sim.now_ns)
        return FULL

    monkeypatch.setattr(port, "rewrite", refused)
    for _ in range(20):
        order_ref = world.place(Side.BUY, FAR)
        world.run(0.5)
        world.cancel(order_ref)
        world.run(0.5)
        assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.state == ("TRADING", "")
    assert 2 <= len(rewrites) <= 10, "tried again every two seconds"
    monkeypatch.setattr(port, "rewrite", rewrite)
    world.run(3)
    assert len(world.sim.journals["binance", "orders"]) < 20
    world.check()
