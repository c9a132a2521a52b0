"""A replay rebuilds the tracker, or stops with one line that contains a way out."""

from decimal import Decimal

import pytest

from connectors.core.records import (
    CancelRecord,
    FillRecord,
    ReportRecord,
    ResolvedRecord,
    ScaleRecord,
    encode_record,
)
from connectors.orders.journal_replay import replay
from connectors.orders.tracker import OrderTracker
from protocol import Liquidity, OrdStatus
from protocol.errors import JournalDamaged
from tests.connectors.parts import SYMBOL, new_order

SCALE = ScaleRecord(SYMBOL, Decimal(1), Decimal("0.1"))
ORDER = new_order()
NAME = ORDER.cl_ord_id
FILL = FillRecord(NAME, 5, 100, 3, Liquidity.MAKER, Decimal(0), "USDT", 1, 0, 0, "test")


def test_every_record_is_applied_in_order():
    tracker = OrderTracker()
    replay(tracker, [encode_record(one) for one in (SCALE, ORDER, FILL)])
    assert tracker.orders[NAME].state.cum_lots == 3
    assert tracker.exposure(SYMBOL).held_lots == 3


@pytest.mark.parametrize(
    "record",
    [
        ReportRecord(NAME, OrdStatus.NEW, 0, "9", 0, 0, "test"),
        FILL,
        CancelRecord(NAME, 0),
        ResolvedRecord(NAME, OrdStatus.UNKNOWN, "test", 0),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_record_of_an_order_that_the_journal_does_not_contain_stops_with_a_way_out(record):
    with pytest.raises(JournalDamaged) as stopped:
        replay(OrderTracker(), [encode_record(one) for one in (SCALE, record)])
    text = str(stopped.value)
    assert text.startswith(f"order journal, record 2: {type(record).__name__} refers to '{NAME}'")
    assert "move it away" in text
    assert "\n" not in text


def test_a_fill_of_a_market_whose_tick_size_is_missing_stops_too():
    with pytest.raises(JournalDamaged, match=f"record 2: FillRecord refers to '{SYMBOL}'"):
        replay(OrderTracker(), [encode_record(one) for one in (ORDER, FILL)])


def test_a_record_that_is_no_array_stops_with_a_way_out():
    with pytest.raises(JournalDamaged, match="move the journal away"):
        replay(OrderTracker(), [b"\x81\xa1a\x01"])
