"""Reconciler: one pass at a time over open orders, own trades and balances; failures are repeated with back-off."""

import pytest

from connectors.orders.rechecks import RecheckKind
from connectors.orders.reconciler import ACCOUNT as ACCOUNT_NAME
from connectors.orders.reconciler import RETRY_CAP_NS, Reconciler
from protocol import OrdStatus
from tests.connectors.parts import RULES, SECOND_NS, SYMBOL, new_order, order_body, report

ACCOUNT = b'{"balances":[],"canTrade":true,"updateTime":1,"uid":5}'
SETTLE_NS = 600 * SECOND_NS


class Listener:
    """Notes what a pass reports."""

    def __init__(self) -> None:
        self.passes, self.failures, self.accounts = 0, [], []

    def reconciled(self):
        self.passes += 1

    def reconcile_failed(self, reason):
        self.failures.append(reason)

    def account_read(self, report):
        self.accounts.append(report)


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def reconciler(parts, listener):
    return Reconciler(
        parts.fx, lambda: [SYMBOL], parts.api, parts.client, parts.tracker, parts.journal, parts.reports,
        parts.rechecks, SETTLE_NS, listener,
    )  # fmt: skip


def trade_row(trade_id, order_id, time_ms=5, lots=2):
    return (
        f'{{"symbol":"BTCUSDT","id":{trade_id},"orderId":{order_id},"price":"100","qty":"{RULES.size(lots)}",'
        f'"commission":"0","commissionAsset":"BNB","time":{time_ms},"isBuyer":true,"isMaker":true}}'
    ).encode()


def finish(parts, orders=b"[]", trades=b"[]"):
    """Answer a whole pass."""
    assert parts.fx.paths == ["GET openOrders"]
    parts.fx.answer(orders)
    assert parts.fx.paths == ["GET myTrades"]
    parts.fx.answer(trades)
    while parts.fx.paths == ["GET order"]:
        parts.fx.answer(b"{")
    parts.fx.answer(ACCOUNT)


def test_a_pass_reads_orders_trades_and_the_account(parts, listener, reconciler):
    reconciler.start("test")
    finish(parts)
    assert (listener.passes, reconciler.passes, reconciler.is_running) == (1, 1, False)
    assert [one.account_id for one in listener.accounts] == ["5"]


def test_a_pass_that_is_requested_meanwhile_follows(parts, listener, reconciler):
    reconciler.start("test")
    parts.fx.perform()
    reconciler.start("user stream is down")
    reconciler.start("user stream is up")
    finish(parts)
    finish(parts)
    assert listener.passes == 2
    assert parts.fx.paths == []


def test_a_failure_begins_the_pass_again_after_a_delay(parts, listener, reconciler):
    reconciler.start("test")
    parts.fx.fail(sent=True)
    assert len(listener.failures) == 1
    parts.fx.run(0.4)
    assert parts.fx.paths == []
    parts.fx.run(0.2)
    assert parts.fx.paths == ["GET account"], "the others come first"
    parts.fx.answer(b"{")  # invalid
    assert len(listener.failures) == 2
    parts.fx.run(0.9)
    assert parts.fx.paths == [], "the delay doubles"
    parts.fx.run(0.2)
    finish(parts)
    assert (listener.passes, reconciler.troubles) == (1, {})


def test_an_open_order_that_the_exchange_does_not_list_is_queried_at_once(parts, reconciler, order):
    parts.reports.order(report(order), "placement")
    parts.fx.now_ns = SECOND_NS
    reconciler.start("test")
    finish(parts)
    assert parts.rechecks.pending[order.cl_ord_id, RecheckKind.QUERY].next_ns == SECOND_NS


def test_trades_before_the_first_scan_are_external_and_later_ones_are_applied(parts, reconciler, order):
    reconciler.start("test")
    finish(parts, trades=b"[" + trade_row(40, 3) + b"]")
    assert parts.tracker.trade_ids.floors == {SYMBOL: 40}
    parts.reports.order(report(order), "placement")
    reconciler.start("test")
    finish(parts, orders=b"[" + order_body(order) + b"]", trades=b"[" + trade_row(41, 9) + b"]")
    assert parts.tracker.orders[order.cl_ord_id].state.filled_lots == 2
    assert parts.tracker.trade_ids.floors == {SYMBOL: 40}, "a recent trade may be followed by one with a smaller id"


def test_the_unknown_order_of_a_trade_is_queried_and_adopted_if_it_is_ours(parts, reconciler):
    reconciler.start("test")
    finish(parts)
    lost = new_order(9)
    reconciler.start("test")
    parts.fx.answer(b"[]")
    parts.fx.answer(b"[" + trade_row(41, 77, lots=10) + b"]")
    assert parts.fx.paths == ["GET order"]
    parts.fx.answer(order_body(lost, "FILLED", 10, order_id=77))
    assert parts.fx.paths == ["GET account"]
    adopted = parts.tracker.orders[lost.cl_ord_id]
    assert (adopted.status, adopted.state.filled_lots) == (OrdStatus.FILLED, 10)


def test_a_second_pass_over_an_unchanged_account_journals_nothing(parts, reconciler, order):
    row = b"[" + order_body(order) + b"]"
    for _ in range(2):
        reconciler.start("test")
        finish(parts, orders=row)
    before = len(parts.fx.records), len(parts.fx.published)
    reconciler.start("test")
    finish(parts, orders=row)
    assert (len(parts.fx.records), len(parts.fx.published)) == before


def test_after_stop_no_request_leaves(parts, listener, reconciler):
    reconciler.start("test")
    parts.fx.perform()
    reconciler.stop()
    parts.fx.answer(b"[]")
    parts.fx.run(60)
    assert parts.fx.paths == []
    reconciler.start("timer")
    assert parts.fx.paths == []


def test_many_unknown_orders_are_read_in_pages_and_ours_are_adopted(parts, reconciler):
    reconciler.start("test")
    finish(parts)
    lost = new_order(9)
    reconciler.start("test")
    parts.fx.answer(b"[]")
    parts.fx.answer(b"[" + b",".join(trade_row(40 + n, 70 + n, lots=10) for n in range(6)) + b"]")
    assert parts.fx.paths == ["GET allOrders"]
    external = order_body(new_order(8), "FILLED", 10, order_id=70).replace(b"th0", b"xx0")
    parts.fx.answer(b"[" + external + b"," + order_body(lost, "FILLED", 10, order_id=72) + b"]")
    assert parts.fx.paths == ["GET account"], "the page was the last one: the other orders cannot be found"
    assert parts.tracker.orders[lost.cl_ord_id].state.filled_lots == 10
    assert parts.reports.external.contains(SYMBOL, "75")


def test_the_trades_of_an_order_of_ours_whose_row_cannot_be_read_are_read_again(parts, reconciler):
    reconciler.start("test")
    finish(parts)
    lost = new_order(9)
    row = order_body(lost, "FILLED", 10, order_id=72)
    trades = b"[" + b",".join(trade_row(40 + n, 70 + n, lots=10) for n in range(6)) + b"]"
    parts.fx.now_ns = 2 * SETTLE_NS
    unread = b"[" + row.replace(b'"BUY"', b'"LEND"') + b"]"
    for path, body, floor in (("GET allOrders", unread, 41), ("GET order", row, 45)):
        reconciler.start("test")
        parts.fx.answer(b"[]")
        parts.fx.answer(trades)
        assert parts.fx.paths == [path]
        parts.fx.answer(body)
        parts.fx.answer(ACCOUNT)
        assert parts.tracker.trade_ids.floors[SYMBOL] == floor, "the next pass reads the trades after this one"
    assert parts.tracker.orders[lost.cl_ord_id].state.filled_lots == 10


ETH = "ETH-USDT"
REFUSED = b'{"code":-1121,"msg":"Invalid symbol."}'


@pytest.fixture
def two_markets(parts, listener):
    parts.api.add_symbol(ETH)
    return Reconciler(
        parts.fx, lambda: [ETH, SYMBOL], parts.api, parts.client, parts.tracker, parts.journal, parts.reports,
        parts.rechecks, SETTLE_NS, listener,
    )  # fmt: skip


def test_a_market_that_the_exchange_refuses_costs_no_other_market_its_pass(parts, listener, two_markets):
    two_markets.start("test")
    parts.fx.answer(REFUSED, 400)
    finish(parts)
    assert parts.fx.paths == ["GET openOrders"], "the refused market once more, at the end"
    parts.fx.answer(REFUSED, 400)
    assert (listener.passes, two_markets.is_running) == (1, False)
    assert set(two_markets.read_ns) == {SYMBOL, ACCOUNT_NAME}
    assert "-1121" in two_markets.troubles[ETH]


def test_what_could_not_be_read_is_read_again_alone_and_not_at_once(parts, listener, two_markets):
    two_markets.start("test")
    parts.fx.answer(REFUSED, 400)
    finish(parts)
    parts.fx.answer(REFUSED, 400)
    two_markets.retry()
    assert parts.fx.paths == []
    parts.fx.now_ns += RETRY_CAP_NS
    two_markets.retry()
    parts.fx.answer(b"[]")
    parts.fx.answer(b"[]")
    assert (listener.passes, two_markets.troubles) == (2, {})
    assert two_markets.read_ns[ETH] == parts.fx.now_ns
    assert two_markets.done_ns < parts.fx.now_ns, "the others were not read"


def test_a_market_without_answers_is_set_aside_after_a_second_attempt(parts, listener, two_markets):
    two_markets.start("test")
    parts.fx.fail(sent=True)
    parts.fx.run(0.6)
    finish(parts)
    parts.fx.fail(sent=True)
    assert listener.passes == 1
    assert "no answer" in two_markets.troubles[ETH]


def test_without_any_answer_no_market_is_set_aside(parts, listener, two_markets):
    two_markets.start("test")
    for _ in range(12):
        parts.fx.fail(sent=True)
        parts.fx.run(8.1)
    assert (listener.passes, two_markets.is_running) == (0, True)


def test_the_orders_of_a_market_that_is_refused_are_queried(parts, two_markets, order):
    parts.reports.order(report(order), "placement")
    two_markets.start("test")
    for body, status in ((b"[]", 200), (b"[]", 200), (REFUSED, 400), (ACCOUNT, 200)):
        parts.fx.answer(body, status)
    assert (order.cl_ord_id, RecheckKind.QUERY) in parts.rechecks.pending
