"""OrderExecutor: places and replaces orders, and handles the answers. An error is not evidence."""

from collections.abc import Callable
from functools import partial

from actors.effects import Effects
from actors.net import HttpAnswer
from actors.stages import StageTimer
from connectors.core.order_api import BadAnswer, Call, OrderApi, SocketRequest, parse_order_of
from connectors.core.records import CancelRecord, NewOrderRecord
from connectors.core.reports import OrderReport, Outcome, TradeReport, Verdict
from connectors.core.stages import APPLY, JOURNAL, SEND, SIGN
from connectors.net.client import ExchangeClient, Result
from connectors.orders.client_id import encode_id
from connectors.orders.order_journal import OrderJournal
from connectors.orders.rechecks import RecheckKind, Rechecks
from connectors.orders.refusal_limit import RefusalLimit
from connectors.orders.report_handler import ReportHandler
from connectors.orders.tracked_order import TrackedOrder
from connectors.orders.tracker import OrderTracker
from protocol import ACCEPTED, OrdStatus, PlaceOrder, Refusal, RefusalCode

ENDED_BY = {Outcome.REJECTED: OrdStatus.REJECTED, Outcome.NOT_SENT: OrdStatus.NOT_PLACED}

MakeRequest = Callable[[NewOrderRecord, int, int], Call]
OnAnswer = Callable[[NewOrderRecord, Verdict, Result], None]


class OrderExecutor:
    """Sends placements and replacements of one connector. `sent` counts them.

    `expect(cl_ord_id, ended)` is called for each order that an answer has confirmed (see UserStream.expect).
    """

    def __init__(
        self,
        fx: Effects,
        api: OrderApi,
        client: ExchangeClient,
        tracker: OrderTracker,
        journal: OrderJournal,
        reports: ReportHandler,
        rechecks: Rechecks,
        refusal_limit: RefusalLimit,
        stages: StageTimer,
        expect: Callable[[str, bool], None],
    ) -> None:
        self.sent = 0
        self._fx = fx
        self._api = api
        self._client = client
        self._tracker = tracker
        self._journal = journal
        self._reports = reports
        self._rechecks = rechecks
        self._refusal_limit = refusal_limit
        self._stages = stages
        self._expect = expect

    def place(self, order: PlaceOrder, owner: str) -> Refusal:
        """Journal the order, and send its request right after. Returns the reason if it may not leave now."""
        return self._launch(self._terms(order, owner), self._api.place_request, [], self._on_placed)

    def replace(self, order: PlaceOrder, owner: str, old: TrackedOrder) -> Refusal:
        """Cancel `old`, and if that succeeds place `order`: one request, two journal records. Returns as `place`."""
        terms = self._terms(order, owner, old.cl_ord_id)
        cancel = CancelRecord(old.cl_ord_id, self._fx.now_ns, "replaced")
        return self._launch(terms, self._api.replace_request, [cancel], self._on_replaced)

    def _terms(self, order: PlaceOrder, owner: str, replaces: str = "") -> NewOrderRecord:
        tracker, client, now_ns = self._tracker, self._client, self._fx.now_ns
        counter = tracker.counter + 1
        return NewOrderRecord(
            counter, encode_id(tracker.tag, owner, tracker.epoch, counter), owner, order.cmd_id, order.symbol,
            order.side, order.ord_type, order.time_in_force, order.stp, order.price_ticks, order.size_lots,
            now_ns, now_ns + client.clock.offset_ns + self._api.recv_window_ns, replaces, tag=order.tag,
        )  # fmt: skip

    def _launch(
        self, terms: NewOrderRecord, make: MakeRequest, cancels: list[CancelRecord], then: OnAnswer
    ) -> Refusal:  # fmt: skip
        client, stages = self._client, self._stages
        call = make(terms, client.now_ns, client.next_request_id())
        stages.lap(SIGN)
        if not client.acquire(call):
            return Refusal("the exchange's rate limit is used up", RefusalCode.LATER)
        if terms.replaces:
            self._rechecks.cancel_sent(terms.replaces, self._fx.now_ns)
        self._journal.commit([*cancels, terms], partial(self._on_journaled, terms, call, make, then))
        stages.lap(APPLY)
        return ACCEPTED

    def _on_journaled(
        self, terms: NewOrderRecord, call: Call, make: MakeRequest, then: OnAnswer, trouble: str
    ) -> None:  # fmt: skip
        """The journal contains the order: now, and not before, its request may leave."""
        client, stages = self._client, self._stages
        stages.lap(JOURNAL)
        if trouble:
            client.release(call)
            self._rechecks.on_answer(terms.replaces, RecheckKind.CANCEL, False)
            self._on_failure(
                terms, Verdict(Outcome.NOT_SENT, f"not journaled, so not sent: {trouble}", refusal=RefusalCode.PAUSED)
            )
            return
        if isinstance(call.request, SocketRequest) and not client.is_socket_up:
            # No byte has left on the order socket: REST serves. The scale may have become finer meanwhile.
            terms = self._tracker.orders[terms.cl_ord_id].terms
            call = make(terms, client.now_ns, 0)
        self.sent += 1
        client.send(call, partial(then, terms))
        if isinstance(call.request, SocketRequest):
            stages.lap(SEND)
        else:
            self._fx.queue(stages.lap, SEND)

    def _on_placed(self, terms: NewOrderRecord, verdict: Verdict, answer: Result) -> None:
        if verdict.outcome is Outcome.OK:
            assert isinstance(answer, HttpAnswer)
            try:
                report, trades = parse_order_of(self._api, answer.body, terms.cl_ord_id)
            except BadAnswer as error:
                verdict = Verdict(Outcome.UNKNOWN, f"invalid answer: {error}")
            else:
                self._on_confirmed(report, trades, "placement")
                return
        self._on_failure(terms, verdict)

    def _on_confirmed(self, report: OrderReport, trades: list[TradeReport], source: str) -> None:
        for trade in trades:
            self._reports.trade(trade, source)
        self._reports.order(report, source)
        self._expect(report.cl_ord_id, report.status.is_final)

    def _on_failure(self, terms: NewOrderRecord, verdict: Verdict) -> None:
        """No order report: the order is rejected, was never sent, exists already, or is UNKNOWN until a recheck."""
        tracker, name, now_ns = self._tracker, terms.cl_ord_id, self._fx.now_ns
        if name not in tracker.orders:
            return
        if verdict.outcome is Outcome.DUPLICATE:
            self._journal.commit(
                tracker.decide_report(name, OrdStatus.NEW, 0, "", 0, now_ns, "placement", verdict.reason)
            )
            self._rechecks.recheck_now(name, RecheckKind.QUERY, now_ns)
            return
        status = ENDED_BY.get(verdict.outcome, OrdStatus.UNKNOWN)
        if verdict.outcome is Outcome.REJECTED and verdict.refusal is not RefusalCode.WOULD_TAKE:
            self._refusal_limit.refused_by_exchange(verdict.reason)
        self._journal.commit(tracker.decide_status(name, status, verdict.reason, now_ns, verdict.refusal))

    def _on_replaced(self, terms: NewOrderRecord, verdict: Verdict, answer: Result) -> None:
        result = self._api.classify_replace(answer)
        if result.old_report is not None and result.old_report.cl_ord_id == terms.replaces:
            self._reports.order(result.old_report, "replacement")
        self._rechecks.on_cancel_answer(terms.replaces, self._tracker.open.get(terms.replaces), result.old.outcome)
        report = result.new_report
        if report is not None and report.cl_ord_id == terms.cl_ord_id:
            self._on_confirmed(report, list(result.trades), "replacement")
        elif report is not None:
            self._on_failure(terms, Verdict(Outcome.UNKNOWN, "the answer is about another order"))
        else:
            self._on_failure(terms, result.new)
