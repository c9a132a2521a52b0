"""MissingOrders: ends an order that the exchange has shown and no longer has: a reset, an archive, a delisting.

Before an order is given up, every other source is read: all open orders of the account, and the trades of the order.
"""

from collections.abc import Callable
from functools import partial

from actors.effects import Effects
from actors.net import HttpAnswer
from connectors.core.order_api import BadAnswer, Call, OrderApi
from connectors.core.reports import Outcome, Unreadable, Verdict
from connectors.net.client import ExchangeClient, Result
from connectors.orders.order_journal import OrderJournal
from connectors.orders.report_handler import ReportHandler
from connectors.orders.tracked_order import TrackedOrder
from connectors.orders.tracker import OrderTracker

THROTTLED_NS = 500_000_000  # delay of a request that the exchange's limits do not allow now


class _Inquiry:
    """What was found about one order. `by`: the operator's command, "" if the connector asks by itself."""

    def __init__(self, order: TrackedOrder, evidence: str, by: str) -> None:
        self.order = order
        self.evidence = [evidence]
        self.by = by
        self.is_id_reused = False  # the exchange was reset: its trades under this id are another order's


class MissingOrders:
    """One inquiry at a time for each order. By itself it gives an order up only if each source answers; by an
    operator's command (`forget`) it notes a source that does not answer, and goes on."""

    def __init__(
        self,
        fx: Effects,
        api: OrderApi,
        client: ExchangeClient,
        tracker: OrderTracker,
        journal: OrderJournal,
        reports: ReportHandler,
    ) -> None:
        self._fx = fx
        self._api = api
        self._client = client
        self._tracker = tracker
        self._journal = journal
        self._reports = reports
        self._running: dict[str, _Inquiry] = {}

    def investigate(self, order: TrackedOrder, evidence: str) -> None:
        """`evidence` shows that the exchange no longer has this order: read the other sources, then give it up."""
        self._start(_Inquiry(order, evidence, ""))

    def forget(self, order: TrackedOrder, by: str) -> None:
        """An operator gives this order up: query it, read the other sources, and end it unless it is open."""
        if self._start(_Inquiry(order, f"forgotten by {by}", by)):
            self._query(self._running[order.cl_ord_id])

    def _start(self, inquiry: _Inquiry) -> bool:
        name = inquiry.order.cl_ord_id
        known = self._running.get(name)
        if known is not None and (known.by or not inquiry.by):
            return False
        self._running[name] = inquiry
        if not inquiry.by:
            self._read_open_orders(inquiry)
        return True

    def _end(self, inquiry: _Inquiry) -> None:
        if self._is_running(inquiry):
            del self._running[inquiry.order.cl_ord_id]

    def _is_running(self, inquiry: _Inquiry) -> bool:
        return self._running.get(inquiry.order.cl_ord_id) is inquiry

    def _send(
        self, inquiry: _Inquiry, what: str, make: Callable[[], Call], parse: Callable[[bytes], bool],
        then: Callable[[_Inquiry], None],
    ) -> None:  # fmt: skip
        """Send one request. `parse` returns whether the inquiry goes on; then `then` is the next step."""
        if not self._is_running(inquiry):
            return
        call = make()
        if not self._client.acquire(call):
            self._fx.after(THROTTLED_NS, self._send, inquiry, what, make, parse, then)
            return
        self._client.send(call, partial(self._on_answer, inquiry, what, parse, then))

    def _on_answer(
        self, inquiry: _Inquiry, what: str, parse: Callable[[bytes], bool], then: Callable[[_Inquiry], None],
        verdict: Verdict, answer: Result,
    ) -> None:  # fmt: skip
        if not self._is_running(inquiry) or inquiry.order.is_final:
            self._end(inquiry)
            return
        trouble = verdict.reason
        if verdict.outcome is Outcome.OK and isinstance(answer, HttpAnswer):
            try:
                goes_on, trouble = parse(answer.body), ""
            except BadAnswer as error:
                goes_on, trouble = True, f"invalid answer: {error}"
        else:
            goes_on = True
        is_answered = not trouble or verdict.outcome in (Outcome.REJECTED, Outcome.NOT_FOUND)
        if not goes_on or not (is_answered or inquiry.by):
            if inquiry.by:
                reason = "the exchange still has it"
                self._fx.log.error("order not forgotten", cl_ord_id=inquiry.order.cl_ord_id, reason=reason)
            self._end(inquiry)
            return
        if trouble:
            inquiry.evidence.append(f"{what}: {trouble}")
        then(inquiry)

    # -- the sources ------------------------------------------------------------------------------------------

    def _query(self, inquiry: _Inquiry) -> None:
        order, client = inquiry.order, self._client

        def make() -> Call:
            return self._api.order_query(order.terms.symbol, client.now_ns, order.exchange_cl_ord_id)

        self._send(inquiry, "query", make, partial(self._on_order, inquiry), self._read_open_orders)

    def _on_order(self, inquiry: _Inquiry, body: bytes) -> bool:
        report, _ = self._api.parse_order(body)
        if report.cl_ord_id not in (inquiry.order.cl_ord_id, inquiry.order.alias):
            raise BadAnswer(f"got order {report.cl_ord_id}")
        self._reports.order(report, "query")
        inquiry.evidence.append(f"query: {report.status.name}")
        return report.status.is_final

    def _read_open_orders(self, inquiry: _Inquiry) -> None:
        def make() -> Call:
            return self._api.open_orders_request("", self._client.now_ns)

        self._send(inquiry, "open orders", make, partial(self._on_open_orders, inquiry), self._query_id)

    def _on_open_orders(self, inquiry: _Inquiry, body: bytes) -> bool:
        order, rows = inquiry.order, self._api.parse_orders(body)
        for row in rows:
            is_same = row.cl_ord_id in (order.cl_ord_id, order.exchange_cl_ord_id)
            if isinstance(row, Unreadable):
                self._reports.unread(row, "open orders")
            elif not is_same:
                is_same = self._reports.amended(row) is order
            if is_same:
                if not isinstance(row, Unreadable):
                    self._reports.order(row, "open orders")
                return False
        inquiry.evidence.append(f"not among the {len(rows)} open orders of our markets")
        return True

    def _query_id(self, inquiry: _Inquiry) -> None:
        """Query by the exchange's own id: it finds an order that was amended by hand, or another order."""
        order = inquiry.order
        if not order.order_id:
            self._conclude(inquiry)
            return

        def make() -> Call:
            return self._api.order_query(order.terms.symbol, self._client.now_ns, order_id=order.order_id)

        self._send(inquiry, "query by id", make, partial(self._on_order_of_id, inquiry), self._read_trades)

    def _on_order_of_id(self, inquiry: _Inquiry, body: bytes) -> bool:
        report, _ = self._api.parse_order(body)
        order = inquiry.order
        if report.cl_ord_id in (order.cl_ord_id, order.alias) or self._reports.amended(report) is order:
            self._reports.order(report, "query")
            return False
        inquiry.is_id_reused = True
        inquiry.evidence.append(f"the id {order.order_id} belongs to order {report.cl_ord_id} now")
        return True

    def _read_trades(self, inquiry: _Inquiry) -> None:
        order = inquiry.order
        if inquiry.is_id_reused:
            self._conclude(inquiry)
            return

        def make() -> Call:
            return self._api.trades_request(order.terms.symbol, self._client.now_ns, order_id=order.order_id)

        self._send(inquiry, "trades", make, partial(self._on_trades, inquiry), self._conclude)

    def _on_trades(self, inquiry: _Inquiry, body: bytes) -> bool:
        order, count = inquiry.order, 0
        for row in self._api.parse_trades(body):
            if isinstance(row, Unreadable):
                self._reports.unread(row, "trades of the order")
                return bool(inquiry.by)
            if row.order_id == order.order_id and row.symbol == order.terms.symbol:
                count += self._reports.trade(row, "trades of the order")
        inquiry.evidence.append(f"{count} trades")
        return True

    def _conclude(self, inquiry: _Inquiry) -> None:
        name = inquiry.order.cl_ord_id
        self._end(inquiry)
        evidence = "; ".join(inquiry.evidence)
        records = self._tracker.decide_forgotten(name, evidence, self._fx.now_ns, inquiry.by)
        if records:
            self._fx.log.error("order forgotten", cl_ord_id=name, evidence=evidence)
        self._journal.commit(records)
