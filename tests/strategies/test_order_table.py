"""The order table, with single messages."""

from decimal import Decimal

from msgspec.structs import replace

from protocol import (
    Answer,
    AnswerCode,
    Fill,
    Liquidity,
    OrdersSnapshot,
    OrderUpdate,
    OrdStatus,
    OrdType,
    PositionRow,
    Side,
)
from strategies.order import Order, set_cancel_wanted
from strategies.order_table import FINISHED_MAX, NUMBERED_AGAIN, OrderTable


def order(order_ref=1, deadline_ns=100) -> Order:
    return Order(order_ref, "BTC-USDT", Side.BUY, 100, 10, deadline_ns=deadline_ns)


def update(order_ref=1, status=OrdStatus.NEW, cum_lots=0, **fields) -> OrderUpdate:
    what = ("maker", order_ref, f"c{order_ref}", "BTC-USDT", Side.BUY, OrdType.LIMIT, 100, 10)
    return OrderUpdate(*what, cum_lots, status, **fields)


def fill(fill_no, lots=1, cum_lots=1, order_ref=1, side=Side.BUY, fee=Decimal(0)) -> Fill:
    what = ("maker", order_ref, f"c{order_ref}", f"t{fill_no}", "BTC-USDT", side, 100, lots, cum_lots)
    return Fill(*what, Liquidity.MAKER, fee, "USDT", fill_no)


def orders_snapshot(*orders, fills=(), positions=(), fill_no=0) -> OrdersSnapshot:
    return OrdersSnapshot("maker", list(orders), list(positions), list(fills), fill_no)


def test_an_answer_that_comes_after_a_report_changes_nothing():
    table = OrderTable()
    one = order()
    table.add(one)
    table.on_update(update())
    assert not table.on_answer(one, Answer(1, AnswerCode.SILENT))
    assert one.status is OrdStatus.NEW


def test_an_expired_command_is_provably_not_placed():
    table = OrderTable()
    one = order()
    table.add(one)
    assert table.on_answer(one, Answer(1, AnswerCode.EXPIRED, "too late"))
    assert (one.status, one.reason, table.open) == (OrdStatus.NOT_PLACED, "too late", {})


def test_an_order_missing_in_a_snapshot_is_in_doubt_before_its_deadline_and_not_placed_after_it():
    table = OrderTable()
    one = order(deadline_ns=100)
    table.add(one)
    table.on_snapshot(orders_snapshot(), 100)
    assert one.is_open
    assert table.in_doubt
    table.on_snapshot(orders_snapshot(), 101)
    assert one.status is OrdStatus.NOT_PLACED
    assert not table.in_doubt


def test_an_order_that_was_taken_and_is_not_listed_after_its_deadline_has_ended_unseen():
    table = OrderTable()
    one = order()
    table.add(one)
    table.on_answer(one, Answer(1, AnswerCode.OK))
    table.on_snapshot(orders_snapshot(), 101)
    assert one.status is OrdStatus.CANCELED


def test_a_late_discovery_brings_an_order_back():
    table = OrderTable()
    one = order()
    table.add(one)
    table.on_snapshot(orders_snapshot(), 101)
    assert table.on_update(update()) is one
    assert table.open == {1: one}
    assert one.status is OrdStatus.NEW


def test_cumulative_quantity_never_falls():
    table = OrderTable()
    table.on_update(update(cum_lots=5, status=OrdStatus.PARTIALLY_FILLED))
    table.on_update(update(cum_lots=3, status=OrdStatus.PARTIALLY_FILLED))
    assert table.open[1].cum_lots == 5


def test_a_fill_before_any_other_report_fills_the_order():
    table = OrderTable()
    one = order()
    table.add(one)
    assert table.on_fill(fill(1, 4, 4))
    assert (one.status, one.leaves_lots) == (OrdStatus.PARTIALLY_FILLED, 6)
    assert not table.on_fill(fill(1, 4, 4))
    assert table.on_fill(fill(2, 6, 10))
    assert (one.status, one.leaves_lots, table.open_in("BTC-USDT")) == (OrdStatus.FILLED, 0, [])
    assert table.position("BTC-USDT").net_lots == 10


def test_a_fill_after_the_cancel_counts_and_the_order_stays_over():
    table = OrderTable()
    table.on_update(update())
    table.on_update(update(status=OrdStatus.CANCELED))
    assert table.on_fill(fill(1, 4, 4))
    assert table.get(1).status is OrdStatus.CANCELED
    assert table.get(1).cum_lots == 4
    assert table.position("BTC-USDT").net_lots == 4


def test_a_list_brings_positions_that_replace_what_was_added_up():
    table = OrderTable()
    table.on_fill(fill(1, 4, 4))
    row = PositionRow("BTC-USDT", 9, 2, Decimal(9), Decimal(2))
    table.on_snapshot(orders_snapshot(positions=[row], fill_no=1), 1)
    _, news = table.on_snapshot(orders_snapshot(positions=[row], fills=[fill(1, 4, 4), fill(2, 5, 9)], fill_no=2), 1)
    assert [one.fill_no for one in news] == [2]
    assert table.position("BTC-USDT").net_lots == 7
    assert not table.on_fill(fill(2, 5, 9))
    table.on_snapshot(orders_snapshot(fill_no=2), 2)
    assert table.position("BTC-USDT").net_lots == 0


def test_an_order_that_was_filled_out_of_touch_changes_once_and_its_fills_come_once():
    table = OrderTable()
    table.on_snapshot(orders_snapshot(), 1)
    one = order()
    table.add(one)
    table.on_update(update())
    row = PositionRow("BTC-USDT", 10, 0, Decimal(10), Decimal(0))
    missed = orders_snapshot(positions=[row], fills=[fill(1, 4, 4), fill(2, 6, 10)], fill_no=2)
    changed, news = table.on_snapshot(missed, 2)
    assert (changed, [two.fill_no for two in news]) == ([one], [1, 2])
    assert (one.status, one.leaves_lots) == (OrdStatus.FILLED, 0)
    assert table.on_update(update(status=OrdStatus.FILLED, cum_lots=10)) is None
    assert table.on_snapshot(missed, 3) == ([], [])


def test_a_part_that_was_filled_out_of_touch_changes_the_open_order_once():
    table = OrderTable()
    table.on_snapshot(orders_snapshot(), 1)
    table.on_update(update())
    listed = update(status=OrdStatus.PARTIALLY_FILLED, cum_lots=4)
    changed, news = table.on_snapshot(orders_snapshot(listed, fills=[fill(1, 4, 4)], fill_no=1), 2)
    assert ([one.cum_lots for one in changed], len(news)) == ([4], 1)


def test_trades_that_a_connector_numbers_again_are_counted_in_the_position_and_reported_once():
    table = OrderTable()
    table.on_snapshot(orders_snapshot(), 1)
    table.on_update(update())
    assert [table.on_fill(fill(number, 2, 2 * number)) for number in (1, 2, 3)] == [True] * 3
    row = PositionRow("BTC-USDT", 2, 0, Decimal(2), Decimal(0))
    table.on_snapshot(orders_snapshot(update(cum_lots=2), positions=[row], fill_no=1), 2)  # fills 2 and 3 were lost
    assert table.position("BTC-USDT").net_lots == 2
    again = [replace(fill(number, 2, cum), trade_id=trade) for number, cum, trade in ((2, 4, "t4"), (3, 6, "t2"))]
    assert [table.on_fill(one) for one in again] == [True, False]
    assert table.on_fill(replace(fill(4, 2, 8), trade_id="t3")) is False
    assert table.position("BTC-USDT").net_lots == 8


def test_a_snapshot_is_requested_with_fills_before_the_last_one_whose_numbers_may_have_changed():
    table = OrderTable()
    table.on_snapshot(orders_snapshot(fill_no=50), 1)
    assert table.cursor == 50
    for number in range(51, 51 + NUMBERED_AGAIN + 5):
        table.on_fill(fill(number))
    assert table.cursor == 55
    lost = [fill(number) for number in range(56, 60)] + [replace(fill(60), trade_id="new")]
    _, news = table.on_snapshot(orders_snapshot(fills=lost, fill_no=155), 2)
    assert [one.trade_id for one in news] == ["new"]


def test_finished_orders_are_remembered_up_to_a_bound():
    table = OrderTable()
    for order_ref in range(1, FINISHED_MAX + 11):
        table.on_update(update(order_ref, OrdStatus.CANCELED))
    assert len(table.finished) == FINISHED_MAX
    assert table.get(10) is None
    assert table.get(11).status is OrdStatus.CANCELED


def test_a_cancel_is_wanted_once_and_only_of_open_orders():
    one, other = order(1), order(2)
    other.end(OrdStatus.CANCELED, "")
    assert set_cancel_wanted([one, other], True) == [one]
    assert set_cancel_wanted([one, other], True) == []


def test_an_order_that_was_amended_by_hand_has_its_new_size():
    table = OrderTable()
    table.on_update(update())
    changed = table.on_update(replace(update(cum_lots=2), size_lots=5))
    assert (changed.size_lots, changed.leaves_lots) == (5, 3)
    assert table.on_update(replace(update(cum_lots=2), size_lots=4)) is changed, "the strategy receives the change"
    assert changed.leaves_lots == 2


def test_a_trade_id_that_a_reset_exchange_gives_out_again_is_another_trade():
    table = OrderTable()
    table.on_snapshot(orders_snapshot(update(1), update(2)), 1)
    assert table.on_fill(replace(fill(1, order_ref=1), trade_id="7"))
    assert table.on_fill(replace(fill(2, order_ref=2), trade_id="7"))
    assert not table.on_fill(replace(fill(3, order_ref=2), trade_id="7"))
