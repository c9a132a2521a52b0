"""A connector that crashes again and again starts at once with its safe work: it reconciles and cancels."""

from actors.safe_start import SafeStart
from protocol import OrdStatus, Side

FAR = 5_900_000
SAFE = SafeStart(20, "4 crashes in 60 s, last: ValueError: x")


def test_wanted_cancels_do_not_wait_for_the_delay_of_a_crash_loop(new_world):
    world = new_world().ready()
    order_ref = world.place(Side.BUY, FAR)
    world.run(1)
    world.net.next_http["DELETE", "order"] = ["lost"]
    world.cancel(order_ref)
    world.run(0.1)
    world.kill_connector()
    world.start_connector(safe_start=SAFE)
    world.run(5)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.state == ("HALTED", "safe start for 20.0 s: 4 crashes in 60 s, last: ValueError: x")


def test_a_safe_start_places_nothing_reconciles_and_trades_when_its_time_is_over(new_world):
    world = new_world().ready()
    kept = world.place(Side.BUY, FAR)
    world.run(1)
    world.kill_connector()
    world.trade_by_hand("SELL", "58000", "0.6")
    world.start_connector(safe_start=SAFE)
    world.run(10)
    assert world.last(kept).status is OrdStatus.FILLED
    refused = world.place(Side.BUY, FAR)
    world.run(1)
    assert "safe start" in world.trader.answers[refused].text
    world.run(10)
    assert world.state == ("TRADING", "")
    world.make_book()
    world.run(1)
    placed = world.place(Side.BUY, FAR)
    world.run(1)
    assert world.last(placed).status is OrdStatus.NEW
    world.check()


def test_an_operator_may_end_a_safe_start(new_world):
    world = new_world().ready()
    world.kill_connector()
    world.start_connector(safe_start=SAFE)
    world.run(5)
    world.command("resume")
    world.run(1)
    assert world.state == ("TRADING", "")
