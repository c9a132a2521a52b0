"""Reconciliation: open orders, own trades since the last known one, balances, compared with what the journal says.

A second pass over an unchanged account journals and publishes nothing.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import BadAnswer, Call
from connectors.core.records import Scanned
from connectors.core.reports import OrderReport, Proof, TradeReport, Verdict
from connectors.orders.rechecks import Ask

if TYPE_CHECKING:
    from connectors.connector import Connector

MS_NS = 1_000_000
THROTTLED_NS = 500 * MS_NS
RETRY_FIRST_NS = 500 * MS_NS
RETRY_CAP_NS = 8_000 * MS_NS
PAGES_MAX = 1_000  # of own trades in one pass

Parse = Callable[[bytes], None]


class _Scan:
    """Own trades of one market, page by page."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.settled_id = -1  # all up to here are old enough to be final
        self.unclaimed: dict[str, list[TradeReport]] = {}  # by order id: trades of orders we do not know
        self.pages = 0


class Reconciler:
    """One pass at a time; what is asked for meanwhile is done after it. Failures are tried again, with back-off."""

    def __init__(self, host: "Connector", settle_ns: int) -> None:
        self.host = host
        self.settle_ns = settle_ns
        self.passes = 0
        self.done_ns = 0  # when the last whole pass ended
        self.running = False
        self.reason = ""  # of the latest pass, for people
        self._started_ns = 0
        self._again = False
        self._failures = 0
        self._life = 0
        self._steps: deque[Callable[[], None]] = deque()

    def start(self, reason: str) -> None:
        """Begin a pass now, or after the one that runs: news from before it began might be older than the cause."""
        if self.running:
            self._again = True
            return
        self.running = True
        self.reason = reason
        self._begin()

    def stop(self) -> None:
        """Ask nothing more."""
        self._life += 1
        self.running = True

    def _begin(self) -> None:
        self._life += 1
        self._started_ns = self.host.now_ns
        self._steps.clear()
        for symbol in self.host.markets:
            self._steps.append(partial(self._ask_open, symbol))
            self._steps.append(partial(self._ask_trades, _Scan(symbol), None))
        self._steps.append(self._ask_account)
        self._next()

    def _next(self) -> None:
        if self._steps:
            self._steps[0]()
            return
        self.running = False
        self.passes += 1
        self._failures = 0
        self.done_ns = self.host.now_ns
        self.host.reconciled(self._started_ns)
        if self._again:
            self._again = False
            self.start("asked for again meanwhile")

    def _ask(self, call: Call, parse: Parse) -> None:
        """Send; parse a good answer and go on with the next step; else begin again after a while."""
        host = self.host
        if not host.caller.take(call):
            host.after(THROTTLED_NS, self._resume, self._life)
            return
        host.caller.send(call, partial(self._answered, self._life, parse))

    def _resume(self, life: int) -> None:
        if life == self._life:
            self._next()

    def _answered(self, life: int, parse: Parse, verdict: Verdict, answer: HttpAnswer | HttpFailure) -> None:
        if life != self._life:
            return
        if verdict.proof is not Proof.PLACED:
            self._fail(verdict.reason)
            return
        assert isinstance(answer, HttpAnswer)
        step = self._steps.popleft()
        try:
            parse(answer.body)
        except BadAnswer as error:
            self._steps.appendleft(step)
            self._fail(f"unreadable answer: {error}")
            return
        self._next()

    def _fail(self, reason: str) -> None:
        self._failures += 1
        delay_ns = min(RETRY_FIRST_NS << min(self._failures - 1, 10), RETRY_CAP_NS)
        self.host.reconcile_failed(reason)
        self._life += 1
        self.host.after(delay_ns, self._retry, self._life)

    def _retry(self, life: int) -> None:
        if life == self._life:
            self._begin()

    # -- open orders ----------------------------------------------------------------------------------

    def _ask_open(self, symbol: str) -> None:
        host = self.host
        call = host.dialect.open_orders_request(symbol, host.caller.now_ns)
        self._ask(call, partial(self._open, symbol, host.now_ns))

    def _open(self, symbol: str, asked_ns: int, body: bytes) -> None:
        host = self.host
        reports = host.dialect.parse_orders(body)
        for report in reports:
            host.intake.order(report, "open orders")
        host.keep_foreign(symbol, {report.order_id for report in reports})
        shown = {report.cl_ord_id for report in reports}
        for order in list(host.tracker.open.values()):
            if (
                order.intent.symbol == symbol
                and order.state.seen
                and order.cl_ord_id not in shown
                and order.touched_ns < asked_ns
            ):
                host.resolver.hasten(order.cl_ord_id, Ask.QUERY, host.now_ns)

    # -- own trades -----------------------------------------------------------------------------------

    def _ask_trades(self, scan: _Scan, from_id: int | None) -> None:
        host = self.host
        floor = host.tracker.trade_ids.floors.get(scan.symbol)
        is_first = floor is None
        if from_id is None and floor is not None:
            from_id = floor + 1
        call = host.dialect.trades_request(scan.symbol, host.caller.now_ns, from_id)
        self._ask(call, partial(self._trades, scan, is_first))

    def _trades(self, scan: _Scan, is_first: bool, body: bytes) -> None:
        host = self.host
        rows = sorted(host.dialect.parse_trades(body), key=lambda row: row.trade_id)
        rows = [row for row in rows if row.symbol == scan.symbol]
        if is_first:
            # A journal that has never scanned has never placed: all that was before is not ours.
            host.commit([Scanned(scan.symbol, rows[-1].trade_id if rows else 0)])
            return
        old_ns = host.caller.now_ns - self.settle_ns
        for row in rows:
            if row.ts_event_ns < old_ns:
                scan.settled_id = max(scan.settled_id, row.trade_id)
            if not host.intake.trade(row, "own trades") and not host.intake.foreign.knows(row.symbol, row.order_id):
                scan.unclaimed.setdefault(row.order_id, []).append(row)
        scan.pages += 1
        if len(rows) >= host.dialect.trades_page and scan.pages < PAGES_MAX:
            self._steps.appendleft(partial(self._ask_trades, scan, rows[-1].trade_id + 1))
        else:
            self._steps.appendleft(partial(self._claim, scan))

    def _claim(self, scan: _Scan) -> None:
        """Whose are the trades of orders that we do not know? The orders tell; then the floor may rise."""
        host = self.host
        for order_id in scan.unclaimed:
            call = host.dialect.order_query(scan.symbol, host.caller.now_ns, order_id=order_id)
            call = msgspec.structs.replace(call, urgent=False)  # it may be of any order, perhaps of very many
            self._ask(call, partial(self._claimed, scan, order_id))
            return
        self._steps.popleft()
        if scan.settled_id > host.tracker.trade_ids.floors.get(scan.symbol, -1):
            host.commit([Scanned(scan.symbol, scan.settled_id)])
        self._next()

    def _claimed(self, scan: _Scan, order_id: str, body: bytes) -> None:
        host = self.host
        report, _ = host.dialect.parse_order(body)
        if report.order_id != order_id:
            raise BadAnswer(f"asked about order {order_id}, told about {report.order_id}")
        self._adopt(report, scan.unclaimed.pop(order_id))
        self._steps.appendleft(partial(self._claim, scan))

    def _adopt(self, report: OrderReport, rows: list[TradeReport]) -> None:
        if self.host.intake.order(report, "order of a trade") is not None:
            for row in rows:
                self.host.intake.trade(row, "own trades")

    # -- balances -------------------------------------------------------------------------------------

    def _ask_account(self) -> None:
        host = self.host
        self._ask(host.dialect.account_request(host.caller.now_ns), self._account)

    def _account(self, body: bytes) -> None:
        self.host.account_read(self.host.dialect.parse_account(body))
