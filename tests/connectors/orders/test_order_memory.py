"""The memory of a tracker under hard trading: final orders are kept up to a number, and each one is small."""

import tracemalloc

from connectors.core.records import CancelRecord, ReportRecord, decode_record, encode_record
from connectors.orders.order_store import KEPT_MAX
from protocol import OrdStatus
from tests.connectors.parts import Parts, new_order

ORDER_BYTES = 1_200


def trade_hard(tracker, first, count):
    """Orders that are placed, acknowledged and cancelled, all within a minute."""
    for number in range(first, first + count):
        order = new_order(number)
        name, order_id = order.cl_ord_id, str(1_000_000 + number)
        for record in (
            order, ReportRecord(name, OrdStatus.NEW, 0, order_id, 0, 0, "test"), CancelRecord(name, 0, "maker"),
            ReportRecord(name, OrdStatus.CANCELED, 0, order_id, 0, 0, "test"),
        ):  # fmt: skip
            tracker.apply(decode_record(encode_record(record)))
        tracker.drop_old(0)


def test_final_orders_have_a_bound_in_number_and_in_bytes():
    tracker = Parts().tracker
    tracemalloc.start()
    try:
        trade_hard(tracker, 1, KEPT_MAX)
        full = tracemalloc.get_traced_memory()[0]
        trade_hard(tracker, KEPT_MAX + 1, 2_000)
        later = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(tracker.orders) == KEPT_MAX
    assert full < KEPT_MAX * ORDER_BYTES
    assert later < full * 1.1, "it grows no further"
