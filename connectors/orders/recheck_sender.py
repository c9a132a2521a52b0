"""RecheckSender: sends the requests of rechecks (cancels, queries, fills), and handles their answers."""

from collections.abc import Callable
from functools import partial

from actors.effects import Effects
from actors.net import HttpAnswer
from connectors.core.order_api import BadAnswer, OrderApi
from connectors.core.reports import OrderReport, Outcome, Trouble, Unreadable, Verdict
from connectors.net.client import ExchangeClient, Result
from connectors.orders.missing_orders import MissingOrders
from connectors.orders.order_journal import OrderJournal
from connectors.orders.rechecks import Recheck, RecheckKind, Rechecks
from connectors.orders.report_handler import ReportHandler
from connectors.orders.tracked_order import TrackedOrder
from connectors.orders.tracker import OrderTracker
from protocol import OrdStatus

IN_FLIGHT_MAX = 50  # requests without an answer

Conclude = Callable[[TrackedOrder, int, Verdict, Result], None]


class RecheckSender:
    """`expect(cl_ord_id, ended)` is called for each order that an answer has confirmed (see UserStream.expect)."""

    def __init__(
        self,
        fx: Effects,
        api: OrderApi,
        client: ExchangeClient,
        tracker: OrderTracker,
        journal: OrderJournal,
        reports: ReportHandler,
        rechecks: Rechecks,
        missing: MissingOrders,
        expect: Callable[[str, bool], None],
    ) -> None:
        self._fx = fx
        self._api = api
        self._client = client
        self._tracker = tracker
        self._journal = journal
        self._reports = reports
        self._rechecks = rechecks
        self._missing = missing
        self._expect = expect
        self._in_flight = 0
        self._conclude: dict[RecheckKind, Conclude] = {
            RecheckKind.CANCEL: self._on_cancel,
            RecheckKind.QUERY: self._on_query,
            RecheckKind.FILLS: self._on_fills,
        }

    def send(self, recheck: Recheck) -> bool:
        """Send the request of one recheck; False if no more may leave now."""
        order = self._tracker.orders.get(recheck.cl_ord_id)
        if order is None:
            self._rechecks.on_answer(recheck.cl_ord_id, recheck.kind, True)
            return True
        if self._in_flight >= IN_FLIGHT_MAX:
            return False
        api, client, terms = self._api, self._client, order.terms
        kind, at_ns = recheck.kind, client.now_ns
        if kind is RecheckKind.CANCEL:
            call = api.cancel_request(terms.symbol, order.exchange_cl_ord_id, at_ns, client.next_request_id())
        elif kind is RecheckKind.FILLS and order.order_id:
            call = api.trades_request(terms.symbol, at_ns, order_id=order.order_id)
        else:
            kind = RecheckKind.QUERY
            # The client id may be another one since an amendment by hand: every second query is by the exchange's id.
            order_id = order.order_id if recheck.attempt % 2 else ""
            call = api.order_query(terms.symbol, at_ns, order.exchange_cl_ord_id, order_id)
        if not client.acquire(call):
            return False
        self._rechecks.on_sent(recheck, self._fx.now_ns)
        self._in_flight += 1
        client.send(call, partial(self._on_answer, order, recheck, at_ns, self._conclude[kind]))
        return True

    def _on_answer(
        self, order: TrackedOrder, recheck: Recheck, sent_ns: int, conclude: Conclude, verdict: Verdict, answer: Result
    ) -> None:
        self._in_flight -= 1
        self._rechecks.on_answer(recheck.cl_ord_id, recheck.kind, False)
        try:
            conclude(order, sent_ns, verdict, answer)
        except BadAnswer as error:
            self._fx.log.warning("invalid answer", recheck=recheck.kind.value, error=str(error))

    def _on_cancel(self, order: TrackedOrder, sent_ns: int, verdict: Verdict, answer: Result) -> None:
        if verdict.outcome is Outcome.OK:
            assert isinstance(answer, HttpAnswer)
            report = self._report_of(order, answer)
            self._reports.order(report, "cancel")
            self._expect(order.cl_ord_id, report.status.is_final)
        self._rechecks.on_cancel_answer(order.cl_ord_id, self._tracker.open.get(order.cl_ord_id), verdict.outcome)

    def _on_query(self, order: TrackedOrder, sent_ns: int, verdict: Verdict, answer: Result) -> None:
        if verdict.outcome is Outcome.OK:
            assert isinstance(answer, HttpAnswer)
            self._reports.order(self._report_of(order, answer), "query")
            self._rechecks.on_answer(order.cl_ord_id, RecheckKind.QUERY, True)
        elif verdict.outcome is Outcome.NOT_FOUND or verdict.trouble is Trouble.NO_MARKET:
            evidence = "" if order.is_final else self._rechecks.not_found(order, sent_ns)
            if evidence and order.state.seen:
                self._missing.investigate(order, f"{evidence} ({verdict.reason})")
            elif evidence:
                tracker, now_ns = self._tracker, self._fx.now_ns
                records = tracker.decide_status(order.cl_ord_id, OrdStatus.NOT_PLACED, evidence, now_ns)
                self._journal.commit(records)

    def _report_of(self, order: TrackedOrder, answer: HttpAnswer) -> OrderReport:
        """Returns the report in an answer. Raises BadAnswer if it is about another order."""
        report, _ = self._api.parse_order(answer.body)
        if report.cl_ord_id not in (order.cl_ord_id, order.alias) and self._reports.amended(report) is not order:
            raise BadAnswer(f"requested order {order.cl_ord_id}, got order {report.cl_ord_id}")
        return report

    def _on_fills(self, order: TrackedOrder, sent_ns: int, verdict: Verdict, answer: Result) -> None:
        if verdict.outcome is not Outcome.OK:
            return
        assert isinstance(answer, HttpAnswer)
        for trade in self._api.parse_trades(answer.body):
            if isinstance(trade, Unreadable):
                self._reports.unreadable.add(trade)
            elif trade.order_id == order.order_id and trade.symbol == order.terms.symbol:
                self._reports.trade(trade, "trades of the order")
