"""Orders end: amended by hand, forgotten by the exchange, delisted. Nothing stays open that the exchange lacks."""

import pytest

from connectors.core.records import ForgottenRecord
from protocol import OrdStatus, OrdType, PlaceOrder, Side, TimeInForce
from tests.connectors.conftest import SYMBOL, Venue
from venue.base import demo

ETH = "ETH-USDT"
BID, ASK, FAR_BID = 5_999_500, 6_001_000, 5_900_000


@pytest.fixture
def world(new_world):
    return new_world().ready()


def amend(world, new_qty):
    """The account's owner reduces the bot's order in the exchange's app."""
    (order,) = world.ledger["open_orders"]
    return world.signed(
        "PUT", "order/amend/keepPriority", demo.MAKER_KEY, demo.MAKER_SECRET, symbol="BTCUSDT",
        orderId=order["orderId"], newQty=new_qty,
    )  # fmt: skip


def lose_events(world, seconds=0):
    world.control("POST", "faults", add=[{"name": "user_event_lost", "for_s": seconds}])


def restart(world):
    world.kill_connector()
    world.run(1)
    world.start_connector()
    world.run(10)


def reset_exchange(world):
    """As the testnet each month: every order and trade is gone, and ids begin at 1 again."""
    world.sim.services["venue"].down()
    world.run(2)
    world.venue = Venue(world.venue.settings, world.sim.now_ns, world.net)
    world.sim.services["venue"].back(world.venue)
    world.make_book()


@pytest.mark.parametrize("is_lost", [False, True], ids=["stream reports it", "stream loses it"])
def test_an_order_that_is_amended_by_hand_ends_with_its_new_size(world, is_lost):
    if is_lost:
        lose_events(world)
    order_ref = world.place(Side.BUY, BID, 2_000)
    world.run(2)
    amend(world, "0.005")
    world.run(45 if is_lost else 5)
    assert (world.last(order_ref).size_lots, world.last(order_ref).status) == (500, OrdStatus.NEW)
    assert world.connector.tracker.exposure(SYMBOL).buy_lots == 500
    assert not world.connector.orders.reports.external.open
    world.trade_by_hand("SELL", "59995", "0.005")
    world.run(45)
    assert (world.last(order_ref).status, world.last(order_ref).cum_lots) == (OrdStatus.FILLED, 500)
    assert [fill.last_lots for fill in world.trader.fills.values()] == [500]
    assert not world.connector.tracker.open


@pytest.mark.parametrize("is_lost", [False, True], ids=["stream reports it", "stream loses it"])
@pytest.mark.parametrize("restarts", [False, True])
def test_an_order_that_is_amended_by_hand_can_be_cancelled(world, is_lost, restarts):
    if is_lost:
        lose_events(world)
    order_ref = world.place(Side.BUY, BID, 2_000)
    world.run(2)
    amend(world, "0.005")
    world.run(1)
    if restarts:
        restart(world)
    world.cancel(order_ref)
    world.run(20)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.ledger["open_orders"] == []


def test_an_amended_order_is_the_same_after_a_compaction(new_world):
    world = new_world(compact_records=1).ready()
    order_ref = world.place(Side.BUY, BID, 2_000)
    world.run(2)
    amend(world, "0.005")
    world.run(2)
    (before,) = world.connector.tracker.open.values()
    restart(world)
    (order,) = world.connector.tracker.open.values()
    assert order is not before
    assert (order.state.size_lots, order.alias) == (500, before.alias)
    assert order.alias
    world.trade_by_hand("SELL", "59995", "0.005")
    world.run(5)
    assert world.last(order_ref).status is OrdStatus.FILLED


@pytest.mark.parametrize("restarts", [False, True])
def test_an_order_that_the_exchange_has_forgotten_ends_by_late_evidence(world, restarts):
    order_ref = world.place(Side.BUY, FAR_BID)
    filled = world.place(Side.BUY, ASK, 500, OrdType.LIMIT, TimeInForce.IOC)
    world.run(3)
    assert world.last(filled).status is OrdStatus.FILLED
    reset_exchange(world)
    if restarts:
        restart(world)
    world.run(40)
    assert not world.last(order_ref).status.is_final, "an early answer is no evidence"
    world.run(120)
    assert world.last(order_ref).status is OrdStatus.EXPIRED
    assert "not found 3 times" in world.last(order_ref).reason
    assert "open orders" in world.last(order_ref).reason
    again = world.place(Side.BUY, ASK, 700, OrdType.LIMIT, TimeInForce.IOC)
    world.run(10)
    assert (world.last(again).status, world.trader.fill_no) == (OrdStatus.FILLED, 2)
    lose_events(world)
    once_more = world.place(Side.BUY, ASK, 700, OrdType.LIMIT, TimeInForce.IOC)
    world.run(60)
    assert (world.last(once_more).status, world.trader.fill_no) == (OrdStatus.FILLED, 3)


def test_an_order_that_was_forgotten_and_appears_again_is_tracked_and_cancelled(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(3)
    answers = world.venue.http

    def without_orders(request, path, now_ns):
        answer, delay_ns = answers(request, path, now_ns)
        if request.method == "GET" and "/order?" in path:
            answer.status, answer.body = 400, b'{"code":-2013,"msg":"Order does not exist."}'
        elif "openOrders" in path:
            answer.body = b"[]"
        return answer, delay_ns

    world.venue.http = without_orders
    world.run(200)
    assert world.last(order_ref).status is OrdStatus.EXPIRED
    assert world.connector.tracker.exposure(SYMBOL).buy_lots == 0
    assert any(isinstance(one, ForgottenRecord) for one in world.records)
    world.venue.http = answers
    world.run(60)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.ledger["open_orders"] == []


@pytest.mark.parametrize("is_lost", [False, True], ids=["stream reports it", "stream loses it"])
def test_the_order_of_a_delisted_market_ends_by_itself(new_world, is_lost):
    world = new_world(symbols=(SYMBOL, ETH)).ready()
    order_ref = world.act(PlaceOrder, ETH, Side.BUY, FAR_BID, 1_000)
    world.run(2)
    if is_lost:
        lose_events(world, 3)
    world.control("POST", "faults", add=[{"name": "delisted", "symbol": ETH, "for_s": 0}])
    world.run(180 if is_lost else 5)
    assert world.last(order_ref).status is OrdStatus.EXPIRED
    assert not world.connector.tracker.open
    assert world.state[0] == "TRADING"


def test_an_operator_ends_an_order_at_once_and_the_journal_has_the_evidence(new_world):
    world = new_world(symbols=(SYMBOL, ETH)).ready()
    order_ref = world.act(PlaceOrder, ETH, Side.BUY, FAR_BID, 1_000)
    world.run(2)
    lose_events(world, 3)
    world.control("POST", "faults", add=[{"name": "delisted", "symbol": ETH, "for_s": 0}])
    world.run(1)
    world.command("forget", world.last(order_ref).cl_ord_id)
    world.run(2)
    assert world.last(order_ref).status is OrdStatus.EXPIRED
    (record,) = [one for one in world.records if isinstance(one, ForgottenRecord)]
    assert record.by == "an operator"
    assert "query: " in record.evidence
    assert "open orders" in record.evidence


def test_an_operator_cannot_forget_an_order_that_the_exchange_still_has(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(1)
    world.command("forget", world.last(order_ref).order_id)
    world.run(5)
    assert world.last(order_ref).status is OrdStatus.NEW
    assert not any(isinstance(one, ForgottenRecord) for one in world.records)


def test_an_unknown_order_cannot_be_forgotten(world):
    command = world.command("forget", "no-such-order")
    world.run(1)
    assert "no order that may be live has the id 'no-such-order'" in world.trader.answers[command].text


def test_thousands_of_external_orders_are_identified_without_a_request_for_each(world):
    ours = world.place(Side.BUY, FAR_BID)
    world.run(1)
    world.kill_connector()
    for n in range(300):
        key, other = (demo.MAKER_KEY, demo.EXTERNAL_KEY) if n % 2 else (demo.EXTERNAL_KEY, demo.MAKER_KEY)
        world.trade_by_hand("BUY", "59995", "0.001", key=key)
        world.trade_by_hand("SELL", "59995", "0.001", key=other)
        world.run(0.2)
    world.net.requests.clear()
    world.start_connector()
    world.run(30)
    assert world.state == ("TRADING", "")
    paths = [path.partition("?")[0] for _, method, path in world.net.requests if method == "GET"]
    assert sum(path.endswith("/order") for path in paths) <= 3
    assert 1 <= sum(path.endswith("/allOrders") for path in paths) <= 3
    assert world.trader.fill_no == 0
    assert world.last(ours).status is OrdStatus.NEW
