"""OrderJournal: journaled first, the request leaves before the report is published, trouble halts."""

import pytest

from connectors.core.records import FindingRecord, ReportRecord
from connectors.orders.order_journal import REWRITE_AGAIN_NS
from connectors.orders.rechecks import RecheckKind
from market.order_state import CONTRADICTED, OVERFILL
from market.scale import Scale
from protocol import OrdStatus
from tests.connectors.parts import SYMBOL, Parts, new_order, replayed, same

TOPIC = "ord.binance.maker."


@pytest.fixture
def parts():
    return Parts()


def test_a_record_is_journaled_applied_and_published(parts):
    order = new_order()
    parts.journal.commit([order])
    assert parts.tracker.orders[order.cl_ord_id].status is OrdStatus.PENDING_NEW
    assert parts.fx.records[-1] == order
    assert [one.status for one in parts.fx.messages(TOPIC)] == [OrdStatus.PENDING_NEW]
    assert same(parts.tracker, parts.fx.journal)


def test_a_request_leaves_after_the_journal_and_before_the_publication(parts):
    parts.fx.events.clear()
    parts.journal.commit([new_order()], lambda trouble: parts.fx.events.append(f"request {trouble!r}"))
    parts.fx.perform()
    assert parts.fx.events == ["append", "request ''", "publish"]


def test_without_the_journal_the_order_is_published_and_then_its_end(parts):
    parts.fx.journal_trouble = "no space left on device"
    parts.fx.events.clear()
    parts.journal.commit([new_order()], lambda trouble: parts.fx.queue(parts.fx.events.append, f"failed {trouble}"))
    parts.fx.perform()
    assert parts.fx.events == ["append", "publish", "failed no space left on device"]
    assert parts.halts.journal_trouble.endswith(": no space left on device")


def test_after_a_record_that_could_not_be_written_no_later_one_follows_until_all_is_written_anew(parts):
    first, second, third = (new_order(counter) for counter in (1, 2, 3))
    parts.journal.commit([first])
    parts.fx.perform()
    parts.fx.journal_trouble = "no space left on device"
    parts.journal.commit([second])
    parts.fx.perform()
    parts.fx.journal_trouble = ""
    sent = []
    parts.journal.commit([third], sent.append)
    parts.fx.perform()
    assert sent == ["no space left on device"], "an order whose record would follow a hole is not sent"
    assert list(replayed(parts.fx.journal).orders) == [first.cl_ord_id]
    parts.journal.compact(False)
    parts.fx.perform()
    assert parts.halts.journal_trouble == ""
    assert same(parts.tracker, parts.fx.journal)
    parts.journal.commit([new_order(4)], sent.append)
    parts.fx.perform()
    assert sent[-1] == ""
    assert same(parts.tracker, parts.fx.journal)


def test_a_compaction_that_cannot_be_written_is_put_off_and_halts_nothing(parts):
    parts.journal.commit([new_order(counter) for counter in range(1, 5)])
    parts.fx.perform()
    records = parts.tracker.records
    parts.fx.journal_trouble = "no space left on device"
    for _ in range(3):
        parts.journal.compact(True)
        parts.fx.perform()
    assert parts.fx.events.count("rewrite") == 1, "it is not tried again at once"
    assert parts.tracker.records == records, "it is still due"
    assert parts.halts.journal_trouble == "", "the old content is whole"
    parts.fx.journal_trouble = ""
    parts.fx.run(REWRITE_AGAIN_NS / 1e9)
    parts.journal.compact(True)
    parts.fx.perform()
    assert (len(parts.fx.journal), parts.tracker.records) == (1, 0)
    assert same(parts.tracker, parts.fx.journal)


def test_an_order_in_doubt_is_rechecked_soon_and_a_new_one_is_not(parts):
    order = new_order()
    parts.journal.commit([order])
    parts.fx.run(0.1)
    assert parts.sent == []
    parts.journal.commit(parts.tracker.decide_status(order.cl_ord_id, OrdStatus.UNKNOWN, "timeout", 0))
    assert list(parts.rechecks.pending) == [(order.cl_ord_id, RecheckKind.QUERY)]
    parts.fx.run(1)
    parts.rechecks.send_due()
    assert [one.kind for one in parts.sent] == [RecheckKind.QUERY]


def test_a_wanted_cancel_is_sent_right_after_its_record(parts):
    order = new_order()
    parts.journal.commit([order, ReportRecord(order.cl_ord_id, OrdStatus.NEW, 0, "9", 0, 0, "test")])
    parts.fx.run(0)
    parts.journal.commit(parts.tracker.decide_cancel(order.cl_ord_id, 0, "maker"))
    assert parts.sent == []
    parts.fx.run(0)
    assert [one.kind for one in parts.sent] == [RecheckKind.CANCEL]


@pytest.mark.parametrize(("what", "halts"), [(OVERFILL, True), (CONTRADICTED, False)])
def test_a_report_that_cannot_be_true_halts_its_market_and_a_handled_one_does_not(parts, what, halts):
    order = new_order()
    parts.journal.commit([order, FindingRecord(order.cl_ord_id, what, 0)])
    assert (parts.halts.symbols == {SYMBOL: what}) == halts


def test_compaction_replaces_the_journal_with_one_record(parts):
    parts.journal.commit([new_order(counter) for counter in range(1, 5)])
    parts.journal.compact(False)
    assert parts.fx.rewritten == []
    parts.journal.compact(True)
    parts.fx.perform()
    (records,) = parts.fx.rewritten
    assert len(records) == 1
    assert same(parts.tracker, records)
    assert parts.tracker.records == 0
    assert parts.tracker.scales[SYMBOL] == Scale(0, 1)
