"""RecheckSender: each kind of recheck sends its request, and concludes no more than the answer shows."""

import pytest

from connectors.orders.recheck_sender import IN_FLIGHT_MAX, RecheckSender
from connectors.orders.rechecks import Recheck, RecheckKind
from protocol import OrdStatus
from tests.connectors.parts import MARGIN_NS, SECOND_NS, error_body, order_body, report


@pytest.fixture
def sender(parts):
    return RecheckSender(
        parts.fx, parts.api, parts.client, parts.tracker, parts.journal, parts.reports, parts.rechecks,
        parts.missing, parts.expect,
    )  # fmt: skip


def send(parts, sender, order, kind):
    parts.rechecks.schedule(order.cl_ord_id, kind, 0)
    assert sender.send(parts.rechecks.pending[order.cl_ord_id, kind])


@pytest.mark.parametrize(
    ("kind", "path"),
    [(RecheckKind.CANCEL, "DELETE order"), (RecheckKind.QUERY, "GET order"), (RecheckKind.FILLS, "GET myTrades")],
)
def test_each_kind_sends_its_request(parts, sender, order, kind, path):
    parts.reports.order(report(order), "placement")
    send(parts, sender, order, kind)
    assert parts.fx.paths == [path]


def test_a_confirmed_cancel_closes_the_order(parts, sender, order):
    parts.reports.order(report(order), "placement")
    send(parts, sender, order, RecheckKind.CANCEL)
    parts.fx.answer(order_body(order, "CANCELED"))
    assert parts.tracker.orders[order.cl_ord_id].status is OrdStatus.CANCELED
    assert parts.expected == [(order.cl_ord_id, True)]
    assert parts.rechecks.pending == {}


def test_a_cancel_of_an_order_that_is_not_found_is_followed_by_a_query(parts, sender, order):
    parts.reports.order(report(order), "placement")
    send(parts, sender, order, RecheckKind.CANCEL)
    parts.fx.answer(error_body(-2011), 400)
    assert parts.tracker.orders[order.cl_ord_id].status is OrdStatus.NEW
    assert parts.rechecks.pending[order.cl_ord_id, RecheckKind.QUERY].next_ns == 0


def test_only_three_late_queries_that_find_nothing_end_an_order(parts, sender, order):
    known = parts.tracker.orders[order.cl_ord_id]
    parts.journal.commit(parts.tracker.decide_status(order.cl_ord_id, OrdStatus.UNKNOWN, "timeout", 0))
    for _ in range(5):
        send(parts, sender, order, RecheckKind.QUERY)
        parts.fx.answer(error_body(-2013), 400)
    assert known.status is OrdStatus.UNKNOWN, "too early"
    parts.fx.now_ns = order.valid_until_ns + MARGIN_NS + SECOND_NS
    for _ in range(3):
        assert known.status is OrdStatus.UNKNOWN
        send(parts, sender, order, RecheckKind.QUERY)
        parts.fx.answer(error_body(-2013), 400)
    assert known.status is OrdStatus.NOT_PLACED
    assert "not found 3 times" in known.reason


@pytest.mark.parametrize("fail", [True, False])
def test_a_failed_request_stays_pending(parts, sender, order, fail):
    send(parts, sender, order, RecheckKind.QUERY)
    assert parts.rechecks.due(100 * SECOND_NS) == [], "its answer is on the way"
    if fail:
        parts.fx.fail(sent=True)
    else:
        parts.fx.answer(b"{")  # invalid
    assert [one.kind for one in parts.rechecks.due(100 * SECOND_NS)] == [RecheckKind.QUERY]


def test_the_number_of_requests_in_flight_is_bounded(parts, sender, order):
    recheck = Recheck(order.cl_ord_id, RecheckKind.QUERY, 0)
    sent = [sender.send(recheck) for _ in range(IN_FLIGHT_MAX + 1)]
    assert sent == [True] * IN_FLIGHT_MAX + [False]


def test_a_recheck_of_a_dropped_order_ends(parts, sender):
    parts.rechecks.schedule("gone", RecheckKind.QUERY, 0)
    assert sender.send(parts.rechecks.pending["gone", RecheckKind.QUERY])
    assert parts.rechecks.pending == {}
