"""OrderExecutor: the journal first, one request per order, and UNKNOWN until an answer is evidence."""

import pytest

from actors.stages import NoStages
from connectors.core.records import CancelRecord, NewOrderRecord
from connectors.net.order_socket import OrderSocket
from connectors.net.session import SessionSettings
from connectors.orders.executor import OrderExecutor
from connectors.orders.rechecks import RecheckKind
from connectors.orders.refusal_limit import RefusalLimit
from protocol import OrdStatus, PlaceOrder, Side
from tests.connectors.parts import SYMBOL, Parts, error_body, order_body


@pytest.fixture
def parts():
    return Parts()


@pytest.fixture
def executor(parts):
    return made(parts)


def made(parts):
    return OrderExecutor(
        parts.fx, parts.api, parts.client, parts.tracker, parts.journal, parts.reports, parts.rechecks,
        RefusalLimit(parts.fx, 10), NoStages(), parts.expect,
    )  # fmt: skip


def place(parts, executor, order_ref=71):
    """Place 10 lots at 100 ticks; the order."""
    assert executor.place(PlaceOrder(order_ref, 0, SYMBOL, Side.BUY, 100, 10), "maker") == ""
    parts.fx.perform()
    return parts.tracker.by_order_ref("maker", order_ref)


def test_the_record_is_written_before_the_request_leaves_and_the_request_before_the_publication(parts, executor):
    parts.fx.events.clear()
    order = place(parts, executor)
    assert parts.fx.events == ["append", "http", "publish"]
    assert isinstance(parts.fx.records[-1], NewOrderRecord)
    assert f"newClientOrderId={order.cl_ord_id}&" in parts.fx.requests[0][0].url
    assert order.terms.valid_until_ns == 5_000_000_000


def test_over_the_order_socket_the_request_leaves_before_the_publication(parts):
    parts.client.order_socket = socket = OrderSocket(parts.fx, parts.api, parts.clock, SessionSettings(), parts.ban)
    socket.start()
    parts.fx.open(parts.fx.links[0])
    executor = made(parts)
    parts.fx.events.clear()
    order = place(parts, executor)
    assert parts.fx.events == ["append", "ws", "publish"]
    assert order.cl_ord_id in parts.fx.frames[0]


def test_an_acknowledgement_is_merged_and_the_user_stream_is_expected_to_report_it_too(parts, executor):
    order = place(parts, executor)
    parts.fx.answer(order_body(order.terms))
    assert (order.status, order.order_id) == (OrdStatus.NEW, "9")
    assert parts.expected == [(order.cl_ord_id, False)]


@pytest.mark.parametrize(
    ("code", "status", "after"),
    [
        (-2010, 400, OrdStatus.REJECTED),
        (-1021, 400, OrdStatus.NOT_PLACED),
        (-1007, 504, OrdStatus.UNKNOWN),
        (-9999, 400, OrdStatus.UNKNOWN),
    ],
)
def test_an_error_ends_an_order_only_where_it_is_evidence(parts, executor, code, status, after):
    order = place(parts, executor)
    parts.fx.answer(error_body(code), status)
    assert order.status is after


@pytest.mark.parametrize(("sent", "after"), [(True, OrdStatus.UNKNOWN), (False, OrdStatus.NOT_PLACED)])
def test_a_request_without_an_answer_is_in_doubt_unless_it_never_left(parts, executor, sent, after):
    order = place(parts, executor)
    parts.fx.fail(sent)
    assert order.status is after
    assert parts.fx.paths == [], "a placement is never sent twice"


@pytest.mark.parametrize("body", [b"{", b'{"symbol":"BTCUSDT"}'])
def test_an_answer_that_is_invalid_or_about_another_order_is_no_evidence(parts, executor, body):
    first, second = place(parts, executor, 71), place(parts, executor, 72)
    parts.fx.answer(body)
    parts.fx.answer(order_body(first.terms))
    assert (first.status, second.status) == (OrdStatus.UNKNOWN, OrdStatus.UNKNOWN)


def test_a_duplicate_means_that_the_order_exists_and_is_queried(parts, executor):
    order = place(parts, executor)
    parts.fx.answer(error_body(-2010, "Duplicate order sent."), 400)
    assert order.status is OrdStatus.NEW
    assert (order.cl_ord_id, RecheckKind.QUERY) in parts.rechecks.pending


def test_without_the_journal_nothing_leaves_and_its_cost_is_returned(parts, executor):
    parts.fx.journal_trouble = "no space left on device"
    order = place(parts, executor)
    assert order.status is OrdStatus.NOT_PLACED
    assert "not journaled" in order.reason
    assert parts.fx.paths == []
    assert all(pool.in_flight == 0 for pool in parts.client.throttle.pools.values())


def test_over_the_limits_it_refuses_and_journals_nothing(parts, executor):
    parts.client.throttle.pause(10**18)
    before = len(parts.fx.records)
    assert "rate limit" in executor.place(PlaceOrder(71, 0, SYMBOL, Side.BUY, 100, 10), "maker")
    assert len(parts.fx.records) == before


def test_a_replacement_journals_both_orders_and_sends_one_request(parts, executor):
    old = place(parts, executor)
    parts.fx.answer(order_body(old.terms))
    assert executor.replace(PlaceOrder(72, 0, SYMBOL, Side.BUY, 101, 10), "maker", old) == ""
    assert [type(one) for one in parts.fx.records[-2:]] == [CancelRecord, NewOrderRecord]
    assert parts.fx.paths == ["POST cancelReplace"]
    new = parts.tracker.by_order_ref("maker", 72)
    halves = b'{"cancelResult":"SUCCESS","newOrderResult":"SUCCESS","cancelResponse":%s,"newOrderResponse":%s}'
    parts.fx.answer(halves % (order_body(old.terms, "CANCELED"), order_body(new.terms, order_id=10)))
    assert (old.status, new.status) == (OrdStatus.CANCELED, OrdStatus.NEW)
