"""Reconciler: compares open orders, own trades since the last known one, and balances with the journal.

A second pass over an unchanged account journals and publishes nothing.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import msgspec

from actors.effects import Effects
from actors.net import HttpAnswer
from connectors.core.order_api import BadAnswer, Call, OrderApi
from connectors.core.records import ScannedRecord
from connectors.core.reports import AccountReport, OrderReport, Outcome, TradeReport, Unreadable, Verdict
from connectors.net.client import ExchangeClient, Result
from connectors.orders.client_id import decode_id
from connectors.orders.order_journal import OrderJournal
from connectors.orders.rechecks import RecheckKind, Rechecks
from connectors.orders.report_handler import ReportHandler
from connectors.orders.tracker import OrderTracker

MS_NS = 1_000_000
THROTTLED_NS = 500 * MS_NS  # delay of a request that the exchange's limits do not allow now
RETRY_FIRST_NS = 500 * MS_NS
RETRY_CAP_NS = 8_000 * MS_NS
PAGES_MAX = 1_000  # of own trades in one pass
ATTEMPTS_MAX = 2  # of one market in one pass, if others can be read
CLAIMS_MAX = 3  # unknown orders of trades that are queried one by one
ACCOUNT = "account"
REFUSALS = (Outcome.REJECTED, Outcome.NOT_FOUND)  # repeating the request cannot help now

Parse = Callable[[bytes], None]


class ReconcilerListener(Protocol):
    """Receives the results of a pass."""

    def reconciled(self) -> None:
        """A pass is done; `troubles` has what could not be read."""

    def reconcile_failed(self, reason: str) -> None:
        """A request of the pass failed; the pass goes on after a delay."""

    def account_read(self, report: AccountReport) -> None:
        """The whole account: its id, its permissions, its fees, its balances."""


class _Scan:
    """Own trades of one market, page by page."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.settled_id = -1  # every trade up to here is old enough to be complete
        self.unread_id: int | None = None  # the first trade that could not be read; -1 if its id could not be either
        self.unclaimed: dict[str, list[TradeReport]] = {}  # by order id: trades of unknown orders
        self.pages = 0

    def skip(self, trade_ids: list[int]) -> None:
        """These trades have to be read again in the next pass."""
        self.unread_id = min(trade_ids if self.unread_id is None else [self.unread_id, *trade_ids])


class Reconciler:
    """One pass at a time; a pass requested meanwhile follows. A pass reads each market and the account, one by one.

    What the exchange refuses, or fails to answer ATTEMPTS_MAX times while it answers about the others, costs itself
    alone: the pass ends without it, and the next pass reads it again. `read_ns`: when each was last read whole;
    `troubles`: why it could not be. A request that fails is repeated with back-off, after the others' requests.
    Trades older than `settle_ns` are assumed complete in the exchange's history.
    """

    def __init__(
        self,
        fx: Effects,
        symbols: Callable[[], Sequence[str]],
        api: OrderApi,
        client: ExchangeClient,
        tracker: OrderTracker,
        journal: OrderJournal,
        reports: ReportHandler,
        rechecks: Rechecks,
        settle_ns: int,
        listener: ReconcilerListener,
    ) -> None:
        self.passes = 0
        self.done_ns = 0  # when the last pass over everything ended
        self.is_running = False
        self.reason = ""  # of the latest pass, for operators
        self.read_ns: dict[str, int] = {}
        self.troubles: dict[str, str] = {}
        self._fx = fx
        self._symbols = symbols
        self._api = api
        self._client = client
        self._tracker = tracker
        self._journal = journal
        self._reports = reports
        self._rechecks = rechecks
        self._settle_ns = settle_ns
        self._listener = listener
        self._again = False
        self._failures = 0  # since a market or the account was last read
        self._attempt = 0  # answers to requests of an earlier attempt are ignored
        self._todo: deque[str] = deque()  # markets and ACCOUNT; the first is being read
        self._tried: dict[str, int] = {}  # failures of each in this pass
        self._succeeded = 0  # markets read in this pass; in a pass over the rest, one was read before
        self._is_whole = True
        self._ended_ns = 0  # when the last pass ended
        self._steps: deque[Callable[[], None]] = deque()  # of the first of `_todo`

    def start(self, reason: str) -> None:
        """Begin a pass now, or after the running one: its answers may be older than `reason`."""
        if self.is_running:
            self._again = True
            return
        if self._tracker.account_id and ACCOUNT not in self.read_ns:
            self._start(reason, [ACCOUNT, *self._symbols()])  # it must be the journal's before its content counts
        else:
            self._start(reason, [*self._symbols(), ACCOUNT])

    def restart(self, reason: str) -> None:
        """Begin anew, as at the start of the process: nothing that was read before counts."""
        self._attempt += 1
        self.passes = 0
        self.read_ns.clear()
        self.is_running = self._again = False
        self.start(reason)

    def retry(self) -> None:
        """Begin a pass over what could not be read in the last one, if that ended RETRY_CAP_NS ago."""
        if self.troubles and not self.is_running and self._fx.now_ns - self._ended_ns >= RETRY_CAP_NS:
            self._start("once more", list(self.troubles), 1)

    def _start(self, reason: str, names: Sequence[str], succeeded: int = 0) -> None:
        self.is_running = True
        self.reason = reason
        self._todo = deque(names)
        self._is_whole = not succeeded
        self._tried.clear()
        self._succeeded = succeeded
        self._begin()

    def stop(self) -> None:
        """Send no more requests."""
        self._attempt += 1
        self.is_running = True

    def _begin(self) -> None:
        """Read the first of `_todo`."""
        self._attempt += 1
        self._steps.clear()
        if not self._todo:
            self._finish()
            return
        name = self._todo[0]
        if name == ACCOUNT:
            self._steps.append(self._request_account)
        else:
            self._steps.append(partial(self._request_open_orders, name))
            self._steps.append(partial(self._request_trades, _Scan(name), None))
        self._next()

    def _next(self) -> None:
        if self._steps:
            self._steps[0]()
            return
        name = self._todo.popleft()
        self.read_ns[name] = self._fx.now_ns
        self.troubles.pop(name, None)
        self._failures = 0
        self._succeeded += 1
        self._begin()

    def _finish(self) -> None:
        self.is_running = False
        self.passes += 1
        self._ended_ns = self._fx.now_ns
        if self._is_whole:
            self.done_ns = self._ended_ns
        self._listener.reconciled()
        if self._again:
            self._again = False
            self.start("requested again meanwhile")

    def _send(self, call: Call, parse: Parse) -> None:
        """Send; parse a good answer and go on with the next step."""
        if not self._client.acquire(call):
            self._fx.after(THROTTLED_NS, self._resume, self._attempt)
            return
        self._client.send(call, partial(self._on_answer, self._attempt, parse))

    def _resume(self, attempt: int) -> None:
        if attempt == self._attempt:
            self._next()

    def _on_answer(self, attempt: int, parse: Parse, verdict: Verdict, answer: Result) -> None:
        if attempt != self._attempt:
            return
        if verdict.outcome is not Outcome.OK:
            self._fail(verdict.reason, verdict.outcome in REFUSALS)
            return
        assert isinstance(answer, HttpAnswer)
        step = self._steps.popleft()
        try:
            parse(answer.body)
        except BadAnswer as error:
            self._steps.appendleft(step)
            self._fail(f"invalid answer: {error}", False)
            return
        if attempt == self._attempt:
            self._next()

    def _fail(self, reason: str, is_refusal: bool) -> None:
        """What is being read cannot be: read the others, and this again later; alone it holds nothing up for ever."""
        self._attempt += 1
        self._failures += 1
        name = self._todo.popleft()
        self._tried[name] = self._tried.get(name, 0) + 1
        self.troubles[name] = f"cannot be reconciled: {reason}"
        delay_ns = min(RETRY_FIRST_NS << min(self._failures - 1, 10), RETRY_CAP_NS)
        is_alone = self._succeeded > 0 and (self._tried[name] >= ATTEMPTS_MAX or is_refusal)
        if is_alone:
            delay_ns = 0  # the exchange answers about the others
            self._fx.log.warning("not reconciled", what=name, reason=reason)
            self._query_open(name)
        else:
            self._todo.append(name)
            if is_refusal and self._failures < len(self._todo):
                delay_ns = 0
        self._listener.reconcile_failed(reason)
        if delay_ns:
            self._fx.after(delay_ns, self._retry, self._attempt)
        else:
            self._begin()

    def _retry(self, attempt: int) -> None:
        if attempt == self._attempt:
            self._begin()

    def _query_open(self, symbol: str) -> None:
        """The open orders of this market are not listed: query each one that the exchange has acknowledged."""
        for order in self._tracker.open.values():
            if order.terms.symbol == symbol and order.state.seen:
                self._rechecks.recheck_now(order.cl_ord_id, RecheckKind.QUERY, self._fx.now_ns)

    # -- open orders ------------------------------------------------------------------------------------------

    def _request_open_orders(self, symbol: str) -> None:
        call = self._api.open_orders_request(symbol, self._client.now_ns)
        self._send(call, partial(self._on_open_orders, symbol, self._fx.now_ns))

    def _on_open_orders(self, symbol: str, sent_ns: int, body: bytes) -> None:
        reports = self._api.parse_orders(body)
        for report in reports:
            if isinstance(report, Unreadable):
                self._reports.unread(report, "open orders")
            else:
                self._reports.order(report, "open orders")
        self._reports.keep_external(symbol, {report.order_id for report in reports})
        shown = {report.cl_ord_id for report in reports}
        aliases = {order.alias: order.cl_ord_id for order in self._tracker.open.values() if order.alias}
        shown |= {aliases[name] for name in shown & aliases.keys()}
        for order in list(self._tracker.open.values()):
            if (
                order.terms.symbol == symbol
                and order.state.seen
                and order.cl_ord_id not in shown
                and order.updated_ns < sent_ns
            ):
                self._rechecks.recheck_now(order.cl_ord_id, RecheckKind.QUERY, self._fx.now_ns)

    # -- own trades -------------------------------------------------------------------------------------------

    def _request_trades(self, scan: _Scan, from_id: int | None) -> None:
        floor = self._tracker.trade_ids.floors.get(scan.symbol)
        is_first = floor is None
        if from_id is None and floor is not None:
            from_id = floor + 1
        call = self._api.trades_request(scan.symbol, self._client.now_ns, from_id)
        self._send(call, partial(self._on_trades, scan, is_first))

    def _on_trades(self, scan: _Scan, is_first: bool, body: bytes) -> None:
        rows = sorted(self._api.parse_trades(body), key=lambda row: row.trade_id)
        rows = [row for row in rows if row.symbol in (scan.symbol, "")]
        if is_first:
            # A journal without a scan has no orders yet: every earlier trade is external.
            self._journal.commit([ScannedRecord(scan.symbol, rows[-1].trade_id if rows else 0)])
            return
        old_ns = self._client.now_ns - self._settle_ns
        for row in rows:
            if isinstance(row, Unreadable):
                self._reports.unread(row, "own trades")
                scan.skip([row.trade_id])
                continue
            if row.ts_event_ns < old_ns:
                scan.settled_id = max(scan.settled_id, row.trade_id)
            is_known = self._reports.trade(row, "own trades") or self._reports.external.contains(
                row.symbol, row.order_id
            )
            if not is_known:
                scan.unclaimed.setdefault(row.order_id, []).append(row)
        scan.pages += 1
        if len(rows) >= self._api.trades_page and scan.pages < PAGES_MAX:
            self._steps.appendleft(partial(self._request_trades, scan, rows[-1].trade_id + 1))
        else:
            self._steps.appendleft(partial(self._claim, scan))

    def _claim(self, scan: _Scan) -> None:
        """Find the unknown orders of trades: ours are adopted. Then the floor may rise.

        A few are queried one by one; of many, which another client has placed, the orders are read in pages.
        """
        if len(scan.unclaimed) > CLAIMS_MAX and all(order_id.isdecimal() for order_id in scan.unclaimed):
            first_id = str(min(map(int, scan.unclaimed)))
            call = self._api.orders_request(scan.symbol, self._client.now_ns, first_id)
            self._send(call, partial(self._on_claim_page, scan, first_id))
            return
        for order_id in scan.unclaimed:
            call = self._api.order_query(scan.symbol, self._client.now_ns, order_id=order_id)
            call = msgspec.structs.replace(call, urgent=False)  # there may be very many, of any client
            self._send(call, partial(self._on_claim, scan, order_id))
            return
        self._steps.popleft()
        if scan.unread_id is not None:
            scan.settled_id = min(scan.settled_id, scan.unread_id - 1)  # this row has to be read again
        if scan.settled_id > self._tracker.trade_ids.floors.get(scan.symbol, -1):
            self._journal.commit([ScannedRecord(scan.symbol, scan.settled_id)])
        self._next()

    def _on_claim(self, scan: _Scan, order_id: str, body: bytes) -> None:
        report, _ = self._api.parse_order(body)
        if report.order_id != order_id:
            raise BadAnswer(f"requested order {order_id}, got order {report.order_id}")
        self._adopt(report, scan.unclaimed.pop(order_id))
        self._steps.appendleft(partial(self._claim, scan))

    def _on_claim_page(self, scan: _Scan, first_id: str, body: bytes) -> None:
        rows = self._api.parse_orders(body)
        for row in rows:
            trades = scan.unclaimed.pop(row.order_id, None)
            if isinstance(row, Unreadable):
                self._reports.unread(row, "orders")
                if trades and (not row.cl_ord_id or decode_id(row.cl_ord_id) is not None):  # it may be ours
                    scan.skip([trade.trade_id for trade in trades])
            elif trades:
                self._adopt(row, trades)
        # What the page passes over cannot be found: an order that is not ours, since ours are in the journal.
        ids = [int(row.order_id) for row in rows if row.order_id.isdecimal()]
        last_id = max(ids) if len(rows) >= self._api.orders_page and ids else None
        for order_id in list(scan.unclaimed):
            if last_id is None or int(order_id) <= last_id or order_id == first_id:
                self._fx.log.warning("order of a trade not listed", market=scan.symbol, order_id=order_id)
                self._reports.external.add_id(scan.symbol, order_id)
                del scan.unclaimed[order_id]
        self._steps.appendleft(partial(self._claim, scan))

    def _adopt(self, report: OrderReport, rows: list[TradeReport]) -> None:
        if self._reports.order(report, "order of a trade") is not None:
            for row in rows:
                self._reports.trade(row, "own trades")

    # -- balances ---------------------------------------------------------------------------------------------

    def _request_account(self) -> None:
        self._send(self._api.account_request(self._client.now_ns), self._on_account)

    def _on_account(self, body: bytes) -> None:
        self._listener.account_read(self._api.parse_account(body))
