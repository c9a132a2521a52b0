"""Desk: sends placements, cancels, replacements and questions, and judges their answers. An error is not evidence."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import BadAnswer, Call, LineRequest
from connectors.core.records import CancelWish, Intent
from connectors.core.reports import OrderReport, Proof, TradeReport, Verdict
from connectors.core.stages import APPLY, JOURNAL, SIGN
from connectors.orders.client_id import encode_id
from connectors.orders.order import Order
from connectors.orders.rechecks import Ask, Chase
from protocol import OrdStatus, PlaceOrder

if TYPE_CHECKING:
    from connectors.connector import Connector

CHASES_IN_FLIGHT_MAX = 50
REFUSALS = {Proof.REJECTED: OrdStatus.REJECTED, Proof.NOT_PLACED: OrdStatus.NOT_PLACED}
Result = HttpAnswer | HttpFailure


class Desk:
    """The order requests of one connector."""

    def __init__(self, host: "Connector") -> None:
        self.host = host
        self.sent = 0
        self._chasing = 0

    # -- placing --------------------------------------------------------------------------------------

    def place(self, order: PlaceOrder, owner: str) -> str:
        """Journal the intent, and send it right after. Why not, if the request may not leave now."""
        intent = self._intent(order, owner)
        return self._launch(intent, self.host.dialect.place_request, [], self._placed)

    def replace(self, order: PlaceOrder, owner: str, old: Order) -> str:
        """Cancel `old`, and if that is done place `order`: one request, two journaled wishes."""
        intent = self._intent(order, owner, old.cl_ord_id)
        wish = CancelWish(old.cl_ord_id, self.host.now_ns, "replaced")
        return self._launch(intent, self.host.dialect.replace_request, [wish], self._replaced)

    def _intent(self, order: PlaceOrder, owner: str, replaces: str = "") -> Intent:
        host, tracker = self.host, self.host.tracker
        counter, now_ns = tracker.counter + 1, host.now_ns
        return Intent(
            counter, encode_id(tracker.tag, owner, tracker.epoch, counter), owner, order.cmd_id, order.symbol,
            order.side, order.ord_type, order.time_in_force, order.stp, order.price_ticks, order.size_lots,
            now_ns, now_ns + host.caller.clock.offset_ns + host.dialect.recv_window_ns, replaces,
        )  # fmt: skip

    def _launch(
        self, intent: Intent, make: Callable[[Intent, int, bool], Call], wishes: list[CancelWish],
        then: Callable[[Intent, Verdict, Result], None],
    ) -> str:  # fmt: skip
        host = self.host
        call = make(intent, host.caller.now_ns, host.caller.by_line)
        host.stages.mark(SIGN)
        if not host.caller.take(call):
            return "the exchange's rate limit is used up"
        if intent.replaces:
            host.resolver.want(intent.replaces, Ask.CANCEL, host.now_ns)
            host.resolver.sent(host.resolver.chases[intent.replaces, Ask.CANCEL], host.now_ns)
        host.commit([*wishes, intent], partial(self._leave, intent, call, make, then))
        host.stages.mark(APPLY)
        return ""

    def _leave(
        self, intent: Intent, call: Call, make: Callable[[Intent, int, bool], Call],
        then: Callable[[Intent, Verdict, Result], None], trouble: str,
    ) -> None:  # fmt: skip
        """The journal has it: now, and not before, the request may leave."""
        host = self.host
        host.stages.mark(JOURNAL)
        if trouble:
            host.caller.give_back(call)
            host.resolver.answered(intent.replaces, Ask.CANCEL, False)
            self._refuse(intent, Verdict(Proof.NOT_PLACED, f"not journaled, so not sent: {trouble}"))
            return
        if isinstance(call.request, LineRequest) and not host.caller.by_line:
            call = make(intent, host.caller.now_ns, False)  # nothing has left on the line: REST serves
        self.sent += 1
        host.caller.send(call, partial(then, intent))
        host.requested()

    def _placed(self, intent: Intent, verdict: Verdict, answer: Result) -> None:
        if verdict.proof is Proof.PLACED:
            assert isinstance(answer, HttpAnswer)
            try:
                report, trades = self._own(self.host.dialect.parse_order(answer.body), intent.cl_ord_id)
            except BadAnswer as error:
                verdict = Verdict(Proof.UNKNOWN, f"unreadable answer: {error}")
            else:
                self._exists(report, trades, "placement")
                return
        self._refuse(intent, verdict)

    def _exists(self, report: OrderReport, trades: list[TradeReport], source: str) -> None:
        for trade in trades:
            self.host.intake.trade(trade, source)
        self.host.intake.order(report, source)
        self.host.user.expect(report.cl_ord_id, report.status.is_final)

    def _refuse(self, intent: Intent, verdict: Verdict) -> None:
        """It was not shown to be there: proven absent, or UNKNOWN until proof."""
        host, name = self.host, intent.cl_ord_id
        if name not in host.tracker.orders:
            return
        if verdict.proof is Proof.DUPLICATE:
            host.commit(
                host.tracker.order_news(name, OrdStatus.NEW, 0, "", 0, host.now_ns, "placement", verdict.reason)
            )
            host.resolver.hasten(name, Ask.QUERY, host.now_ns)
            return
        status = REFUSALS.get(verdict.proof, OrdStatus.UNKNOWN)
        host.commit(host.tracker.resolve(name, status, verdict.reason, host.now_ns))

    def _replaced(self, intent: Intent, verdict: Verdict, answer: Result) -> None:
        host = self.host
        outcome = host.dialect.judge_replace(answer)
        if outcome.old_report is not None and outcome.old_report.cl_ord_id == intent.replaces:
            host.intake.order(outcome.old_report, "replacement")
        self._cancel_done(intent.replaces, outcome.old)
        report = outcome.new_report
        if report is not None and report.cl_ord_id == intent.cl_ord_id:
            self._exists(report, list(outcome.trades), "replacement")
        elif report is not None:
            self._refuse(intent, Verdict(Proof.UNKNOWN, "the answer names another order"))
        else:
            self._refuse(intent, outcome.new)

    # -- chasing: cancels and questions, until proof ----------------------------------------------------

    def pump(self) -> None:
        """Send what is due."""
        host = self.host
        for chase in host.resolver.due(host.now_ns):
            order = host.tracker.orders.get(chase.cl_ord_id)
            if order is None:
                host.resolver.answered(chase.cl_ord_id, chase.ask, True)
            elif self._chasing >= CHASES_IN_FLIGHT_MAX or not self._send(order, chase):
                return

    def _send(self, order: Order, chase: Chase) -> bool:
        """False if the throttle says no."""
        host, dialect, intent = self.host, self.host.dialect, order.intent
        ask, at_ns = chase.ask, host.caller.now_ns
        if ask is Ask.CANCEL:
            call = dialect.cancel_request(intent.symbol, intent.cl_ord_id, at_ns, host.caller.by_line)
        elif ask is Ask.FILLS and order.order_id:
            call = dialect.trades_request(intent.symbol, at_ns, order_id=order.order_id)
        else:
            ask = Ask.QUERY
            call = dialect.order_query(intent.symbol, at_ns, cl_ord_id=intent.cl_ord_id)
        if not host.caller.take(call):
            return False
        host.resolver.sent(chase, host.now_ns)
        self._chasing += 1
        then = {Ask.CANCEL: self._canceled, Ask.QUERY: self._queried, Ask.FILLS: self._filled}[ask]
        host.caller.send(call, partial(self._chased, order, chase, at_ns, then))
        return True

    def _chased(
        self, order: Order, chase: Chase, asked_ns: int,
        then: Callable[[Order, int, Verdict, Result], None], verdict: Verdict, answer: Result,
    ) -> None:  # fmt: skip
        self._chasing -= 1
        self.host.resolver.answered(chase.cl_ord_id, chase.ask, False)
        try:
            then(order, asked_ns, verdict, answer)
        except BadAnswer as error:
            self.host.log.warning("unreadable answer", ask=chase.ask.value, error=str(error))

    def _canceled(self, order: Order, asked_ns: int, verdict: Verdict, answer: Result) -> None:
        if verdict.proof is Proof.PLACED:
            assert isinstance(answer, HttpAnswer)
            report, _ = self._own(self.host.dialect.parse_order(answer.body), order.cl_ord_id)
            self.host.intake.order(report, "cancel")
            self.host.user.expect(order.cl_ord_id, report.status.is_final)
        self._cancel_done(order.cl_ord_id, verdict)

    def _cancel_done(self, cl_ord_id: str, verdict: Verdict) -> None:
        """What an answer to a cancel means for what to ask next. "Unknown order" alone ends nothing: the cancel may
        have overtaken the placement, or the order has ended by itself; a query tells."""
        host = self.host
        host.resolver.answered(cl_ord_id, Ask.CANCEL, False)
        order = host.tracker.open.get(cl_ord_id)
        if order is not None and verdict.proof is Proof.NOT_FOUND and order.state.seen:
            host.resolver.hasten(cl_ord_id, Ask.QUERY, host.now_ns)

    def _queried(self, order: Order, asked_ns: int, verdict: Verdict, answer: Result) -> None:
        host = self.host
        if verdict.proof is Proof.PLACED:
            assert isinstance(answer, HttpAnswer)
            report, _ = self._own(host.dialect.parse_order(answer.body), order.cl_ord_id)
            host.intake.order(report, "query")
            host.resolver.answered(order.cl_ord_id, Ask.QUERY, True)
        elif verdict.proof is Proof.NOT_FOUND and not order.is_final:
            proof = host.resolver.not_found(order, asked_ns)
            if proof:
                host.commit(host.tracker.resolve(order.cl_ord_id, OrdStatus.NOT_PLACED, proof, host.now_ns))

    def _filled(self, order: Order, asked_ns: int, verdict: Verdict, answer: Result) -> None:
        if verdict.proof is not Proof.PLACED:
            return
        assert isinstance(answer, HttpAnswer)
        for trade in self.host.dialect.parse_trades(answer.body):
            if trade.order_id == order.order_id and trade.symbol == order.intent.symbol:
                self.host.intake.trade(trade, "trades of the order")

    def _own(
        self, parsed: tuple[OrderReport, list[TradeReport]], cl_ord_id: str
    ) -> tuple[OrderReport, list[TradeReport]]:
        """An answer that names another order is no answer."""
        if parsed[0].cl_ord_id != cl_ord_id:
            raise BadAnswer(f"asked about {cl_ord_id}, told about {parsed[0].cl_ord_id}")
        return parsed
