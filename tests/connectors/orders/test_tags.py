"""Tags: a ledger for each owner, market and tag, in the journal until it is released; and counted rejections."""

from decimal import Decimal

import pytest

from connectors.core.records import encode_record
from protocol import OrdStatus, RefusalCode, Side
from tests.connectors.parts import SYMBOL, Parts, new_order, replayed, report, same, trade

GRID, TWAP, PLAIN = new_order(1, tag="grid"), new_order(2, side=Side.SELL, tag="twap"), new_order(3)


@pytest.fixture
def parts():
    """Three orders of one owner: two with tags, and each of them traded."""
    parts = Parts([GRID, TWAP, PLAIN])
    for number, (order, lots) in enumerate(((GRID, 10), (TWAP, 4), (PLAIN, 5)), start=1):
        parts.reports.order(report(order, order_id=str(number)), "placement")
        parts.reports.trade(trade(order, number, lots, str(number)), "stream")
    parts.fx.perform()
    return parts


def ledgers(tracker):
    return {
        row.tag: (row.symbol, row.held, row.bought_lots, row.sold_lots) for row in tracker.snapshot("maker", 0).ledgers
    }


def test_the_fills_of_a_tag_are_in_its_ledger_and_in_the_position(parts):
    assert ledgers(parts.tracker) == {
        "grid": (SYMBOL, Decimal("1.0"), 10, 0),
        "twap": (SYMBOL, Decimal("-0.4"), 0, 4),
    }
    (position,) = parts.tracker.snapshot("maker", 0).positions
    assert (position.tag, position.bought_lots, position.sold_lots) == ("", 15, 4)
    fills = parts.tracker.snapshot("maker", 0).fills
    assert [fill.tag for fill in fills] == ["grid", "twap", ""]


def test_updates_carry_the_tag(parts):
    updates = parts.fx.messages("ord.binance.maker.")
    assert {update.tag for update in updates if update.order_ref == GRID.order_ref} == {"grid"}


def test_ledgers_come_back_from_the_journal_and_from_its_compaction(parts):
    assert same(parts.tracker, parts.fx.journal)
    again = replayed([encode_record(parts.tracker.compaction())])
    assert ledgers(again) == ledgers(parts.tracker)
    assert again.exposure(SYMBOL).held_lots == parts.tracker.exposure(SYMBOL).held_lots == 11


def test_a_released_ledger_is_gone_and_a_late_fill_begins_it_again(parts):
    parts.journal.commit(parts.tracker.decide_release("maker", SYMBOL, "twap", 0))
    parts.fx.perform()
    assert list(ledgers(parts.tracker)) == ["grid"]
    assert same(parts.tracker, parts.fx.journal)
    parts.reports.trade(trade(TWAP, 9, 1, "2"), "stream")
    parts.fx.perform()
    assert ledgers(parts.tracker)["twap"] == (SYMBOL, Decimal("-0.1"), 0, 1)
    assert same(parts.tracker, parts.fx.journal)


def test_rejections_are_counted_once_by_cause_and_survive_a_compaction(parts):
    order = new_order(4)
    parts.journal.commit([order])
    for _ in range(2):
        decided = parts.tracker.decide_status(order.cl_ord_id, OrdStatus.REJECTED, "no money", 1, RefusalCode.FUNDS)
        parts.journal.commit(decided)
    assert parts.tracker.owner("maker").refused == {RefusalCode.FUNDS: 1}
    assert parts.tracker.orders[order.cl_ord_id].update().refusal is RefusalCode.FUNDS
    again = replayed([encode_record(parts.tracker.compaction())])
    assert again.owner("maker").refused == {RefusalCode.FUNDS: 1}
    assert again.orders[order.cl_ord_id].update().refusal is RefusalCode.FUNDS
