"""ReportHandler: each fact becomes one record, whoever reports it; external orders are shown, lost ones adopted."""

from decimal import Decimal

import msgspec
import pytest

from connectors.core.records import (
    AmendedRecord,
    CancelRecord,
    FillRecord,
    FindingRecord,
    NewOrderRecord,
    ReportRecord,
    ScaleRecord,
)
from connectors.core.reports import AccountReport, BalanceRow
from connectors.orders.order_store import KEEP_NS
from protocol import Fill, OrdStatus
from tests.connectors.parts import SYMBOL, new_order, report, same, trade


def added(parts, before):
    return [type(one) for one in parts.fx.records[before:]]


def test_a_report_that_comes_twice_is_journaled_once(parts, order):
    before = len(parts.fx.records)
    for source in ("placement", "user stream"):
        assert parts.reports.order(report(order), source) is parts.tracker.orders[order.cl_ord_id]
    assert added(parts, before) == [ReportRecord]
    assert parts.fx.records[-1].source == "placement"


def test_a_trade_that_comes_twice_moves_the_position_once(parts, order):
    before = len(parts.fx.records)
    assert parts.reports.trade(trade(order, 7, 4), "user stream")
    assert parts.reports.trade(trade(order, 7, 4), "own trades")
    assert added(parts, before) == [FillRecord]
    assert parts.tracker.owner("maker").position("BTC-USDT").net_lots == 4
    fill = parts.fx.messages("ord.binance.maker.")[-2]
    assert (fill.last_lots, fill.fill_no, fill.fee) == (4, 1, Decimal("0.05"))


def test_a_trade_of_an_unknown_order_is_not_ours(parts, order):
    stranger = msgspec.structs.replace(trade(order, 7, 4), cl_ord_id="", order_id="77")
    assert not parts.reports.trade(stranger, "own trades")


def test_an_external_order_is_published_apart_and_not_journaled(parts, order):
    before = len(parts.fx.records)
    external = msgspec.structs.replace(report(order), cl_ord_id="web_123", order_id="77")
    assert parts.reports.order(external, "open orders") is None
    assert added(parts, before) == []
    assert parts.reports.external.contains("BTC-USDT", "77")
    assert len(parts.fx.messages("ord.binance.@external.")) == 1
    parts.reports.keep_external("BTC-USDT", set())
    assert parts.reports.external.snapshot().orders == []


def test_an_order_that_the_journal_lost_is_adopted_and_cancelled(parts):
    before = len(parts.fx.records)
    lost = new_order(99)
    adopted = parts.reports.order(report(lost), "open orders")
    assert added(parts, before) == [NewOrderRecord, CancelRecord, ReportRecord]
    assert adopted.terms.adopted
    assert adopted.status is OrdStatus.PENDING_CANCEL
    assert parts.tracker.counter == 99, "its counter is never given out again"
    assert same(parts.tracker, parts.fx.journal)


def test_a_fill_between_two_ticks_and_lots_counts_exactly_in_a_finer_scale(parts, order):
    before = len(parts.fx.records)
    parts.reports.order(msgspec.structs.replace(report(order), cum=Decimal("0.25")), "query")
    fill = msgspec.structs.replace(trade(order, 7, 4), price=Decimal("99.5"), size=Decimal("0.25"))
    assert parts.reports.trade(fill, "user stream")
    assert added(parts, before) == [ScaleRecord, ReportRecord, ScaleRecord, FillRecord]
    published = [one for one in parts.fx.messages("ord.binance.maker.") if isinstance(one, Fill)]
    assert [(one.last_ticks, one.last_lots) for one in published] == [(995, 25)]
    assert [(one.price_digits, one.size_digits) for one in published] == [(1, 2)]
    tracked = parts.tracker.orders[order.cl_ord_id]
    assert (tracked.terms.price_ticks, tracked.state.size_lots, tracked.state.filled_lots) == (1000, 100, 25)
    assert parts.tracker.owner("maker").position(SYMBOL).bought_notional == Decimal("24.875")
    assert same(parts.tracker, parts.fx.journal)


def test_a_number_with_more_digits_than_any_scale_is_a_finding_that_contains_it(parts, order):
    before = len(parts.fx.records)
    parts.reports.trade(msgspec.structs.replace(trade(order, 7, 4), size=Decimal("1E-19")), "user stream")
    assert added(parts, before) == [FindingRecord]
    assert "1E-19" in parts.fx.records[-1].what
    assert SYMBOL in parts.halts.symbols


def test_balances_are_published_when_they_change(parts):
    for free in ("1", "1", "2"):
        parts.reports.account(AccountReport([BalanceRow("BTC", Decimal(free), Decimal(0))]))
    assert [one.rows[0][1] for one in parts.fx.messages("acct.binance.")] == [Decimal(1), Decimal(2)]


def test_an_external_order_in_a_market_without_rules_is_left_alone(parts, order):
    external = msgspec.structs.replace(report(order), symbol="ETH-USDT", cl_ord_id="web_123", order_id="77")
    assert parts.reports.order(external, "user stream") is None
    assert parts.reports.external.snapshot().orders == []


@pytest.mark.parametrize("changes", [{"price": Decimal("1E+20")}, {"size": Decimal("1E+25")}], ids=["price", "size"])
def test_a_trade_that_no_journal_can_contain_halts_its_market_alone(parts, order, changes):
    before = len(parts.fx.records)
    assert parts.reports.trade(msgspec.structs.replace(trade(order, 7, 4), **changes), "user stream")
    assert added(parts, before) == [FindingRecord]
    assert SYMBOL in parts.halts.symbols
    assert same(parts.tracker, parts.fx.journal)


def test_a_report_that_shows_nothing_new_still_shows_that_the_exchange_has_the_order(parts, order):
    parts.reports.order(report(order), "placement")
    before = len(parts.fx.records)
    parts.fx.now_ns = 3600 * 10**9
    parts.reports.order(report(order), "open orders")
    assert added(parts, before) == []
    assert parts.tracker.orders[order.cl_ord_id].updated_ns == parts.fx.now_ns


def test_an_order_that_was_forgotten_and_appears_again_in_a_smaller_size_is_cancelled(parts, order):
    parts.reports.order(report(order), "placement")
    parts.journal.commit(parts.tracker.decide_forgotten(order.cl_ord_id, "no trace of it", 1))
    assert parts.tracker.open == {}
    before = len(parts.fx.records)
    parts.reports.order(msgspec.structs.replace(report(order), size=Decimal("0.5")), "open orders")
    assert added(parts, before)[:2] == [AmendedRecord, CancelRecord]
    assert parts.tracker.orders[order.cl_ord_id].status is OrdStatus.PENDING_CANCEL
    assert same(parts.tracker, parts.fx.journal)


def test_an_id_that_a_reset_exchange_gives_out_again_belongs_to_the_new_order(parts, order):
    """The old order is dropped from memory later; the trades of the new one, reported by its id alone, still count."""
    parts.reports.order(report(order), "placement")
    parts.journal.commit(parts.tracker.decide_forgotten(order.cl_ord_id, "no trace of it", 1))
    again = new_order(2)
    parts.journal.commit([again])
    parts.reports.order(report(again), "placement")
    parts.tracker.drop_old(KEEP_NS + 2)
    assert order.cl_ord_id not in parts.tracker.orders
    assert parts.reports.trade(msgspec.structs.replace(trade(again, 7, 4), cl_ord_id=""), "own trades")
    assert parts.tracker.owner("maker").position(SYMBOL).net_lots == 4


TINY = Decimal("1E-17")


def test_a_fact_that_is_too_fine_for_the_orders_of_its_market_halts_this_market_alone(parts):
    large = new_order(1, size_lots=10_000)
    parts.journal.commit([large])
    before = len(parts.fx.records)
    assert parts.reports.trade(msgspec.structs.replace(trade(large, 7, 4), size=TINY), "user stream")
    assert added(parts, before) == [FindingRecord]
    assert same(parts.tracker, parts.fx.journal)


def test_an_external_order_is_shown_exactly_and_leaves_the_scale_of_its_market(parts, order):
    """One odd number of another client would else make the book of this market too fine to be counted, for ever."""
    before = len(parts.fx.records)
    external = msgspec.structs.replace(report(order), cl_ord_id="web_123", order_id="77", size=TINY)
    parts.reports.order(external, "open orders")
    assert added(parts, before) == []
    (shown,) = parts.reports.external.open.values()
    assert (shown.size_lots, shown.size_digits) == (1, 17)
