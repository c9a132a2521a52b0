"""Journals with several scales: each converts what is before it; those of earlier versions count other steps."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.core.records import EpochRecord, FillRecord, ReportRecord, ScaleRecord, encode_record
from market.scale import Scale
from protocol import Liquidity, OrdStatus
from tests.connectors.parts import SYMBOL, TAG, new_order, replayed

# Ticks and lots that a journal may have: powers of ten of today, and the exchange's steps of earlier versions.
STEPS = st.sampled_from(["1", "0.5", "0.1", "0.05", "0.01", "0.001", "10"])
START = EpochRecord(1, TAG, 0)


def scale(tick: str, lot: str = "0.1") -> ScaleRecord:
    return ScaleRecord(SYMBOL, Decimal(tick), Decimal(lot))


def fill(order, trade_id: int, last_ticks: int, last_lots: int) -> FillRecord:
    return FillRecord(
        order.cl_ord_id, trade_id, last_ticks, last_lots, Liquidity.MAKER, Decimal(0), "USDT", trade_id, 0, 0, "test"
    )


def replay(*records):
    return replayed([encode_record(one) for one in (START, *records)])


def test_a_finer_scale_converts_orders_fills_and_positions_of_before():
    order = new_order(1, price_ticks=100, size_lots=10)
    report = ReportRecord(order.cl_ord_id, OrdStatus.NEW, 0, "9", 0, 0, "test")
    tracker = replay(scale("1"), order, report, fill(order, 1, 99, 4), scale("0.01", "0.001"))
    tracked, owner = tracker.orders[order.cl_ord_id], tracker.owner("maker")
    assert (tracked.terms.price_ticks, tracked.state.size_lots, tracked.state.filled_lots) == (10_000, 1_000, 400)
    assert (tracked.update().price_digits, tracked.update().size_digits) == (2, 3)
    assert [(one.last_ticks, one.last_lots, one.price_digits) for one in owner.fills] == [(9_900, 400, 2)]
    position = owner.position(SYMBOL)
    assert (position.bought_lots, position.bought_notional, position.held) == (400, Decimal("39.6"), Decimal("0.4"))
    exposure = tracker.exposure(SYMBOL)
    assert (exposure.buy_lots, exposure.held_lots) == (600, 400)


def test_a_coarser_scale_of_an_earlier_version_applies_to_the_records_after_it():
    first, second = new_order(1, price_ticks=1_000), new_order(2, price_ticks=200, size_lots=10)
    tracker = replay(scale("0.1"), first, scale("0.5"), second, fill(second, 1, 200, 10))
    assert tracker.scales[SYMBOL] == Scale(1, 1)
    assert [one.terms.price_ticks for one in tracker.orders.values()] == [1_000, 1_000]
    assert tracker.owner("maker").position(SYMBOL).bought_notional == 100
    assert not tracker.is_recorded(SYMBOL, Scale(1, 1)), "the next process run begins with a record of its own"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(STEPS, STEPS, st.integers(1, 500), st.integers(1, 50)), min_size=1, max_size=6), st.data())
def test_the_worth_of_every_order_and_fill_stays_through_all_scales_and_a_compaction(rows, data):
    tracker, paid, prices = replay(), Decimal(0), []
    for number, (tick, lot, ticks, lots) in enumerate(rows, start=1):
        order = new_order(number, price_ticks=ticks, size_lots=lots)
        for record in (scale(tick, lot), order, fill(order, number, ticks, lots)):
            tracker.apply(record)
        paid += ticks * Decimal(tick) * lots * Decimal(lot)
        prices.append((ticks * Decimal(tick), lots * Decimal(lot)))
        if data.draw(st.booleans()):
            tracker = replayed([encode_record(tracker.compaction())])
    unit = tracker.scales[SYMBOL]
    assert [
        (one.terms.price_ticks * unit.tick, one.terms.size_lots * unit.lot) for one in tracker.orders.values()
    ] == prices
    owner = tracker.owner("maker")
    assert [(one.last_ticks * unit.tick, one.last_lots * unit.lot) for one in owner.fills] == prices
    assert owner.position(SYMBOL).bought_notional == paid
    assert owner.position(SYMBOL).bought_lots * unit.lot == owner.position(SYMBOL).held == sum(s for _, s in prices)
