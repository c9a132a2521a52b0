"""ReportHandler: turns what the exchange reports, by whatever way, into journal records; each fact once."""

from decimal import Decimal

from actors.effects import Effects
from connectors.core.market_scales import MarketScales
from connectors.core.order_api import BadAnswer
from connectors.core.records import AnyRecord, CancelRecord, NewOrderRecord
from connectors.core.reports import AccountReport, OrderReport, TradeReport, Unreadable
from connectors.orders.balances import BalanceBook
from connectors.orders.client_id import decode_id
from connectors.orders.external_orders import ExternalOrders
from connectors.orders.issued_ids import IssuedIds
from connectors.orders.order_journal import OrderJournal
from connectors.orders.rechecks import RecheckKind, Rechecks
from connectors.orders.scales import fine_scale, scale_for
from connectors.orders.tracked_order import TrackedOrder
from connectors.orders.tracker import OrderTracker
from connectors.orders.unreadable_rows import UnreadableRows
from market.exact import EXACT
from market.levels import UNITS_MAX
from market.scale import FinerValue, Scale
from protocol import SelfTradePrevention, TimeInForce, topics

COARSEST = Scale(0, 0)


class ReportHandler:
    """Reports in, records out. `source` names where a report came from: it is journaled as evidence."""

    def __init__(
        self,
        fx: Effects,
        tracker: OrderTracker,
        journal: OrderJournal,
        rechecks: Rechecks,
        ids: IssuedIds,
        scales: MarketScales,
    ) -> None:
        self.external = ExternalOrders()
        self.balances = BalanceBook()
        self.unreadable = UnreadableRows(fx)
        self._fx = fx
        self._tracker = tracker
        self._journal = journal
        self._rechecks = rechecks
        self._ids = ids
        self._scales = scales

    def order(self, report: OrderReport, source: str) -> TrackedOrder | None:
        """Merge the reported state of an order. Returns None if the order is external."""
        tracker, now_ns = self._tracker, self._fx.now_ns
        if report.oddity:
            self.unreadable.add(Unreadable("order", report.oddity, report.symbol, report.cl_ord_id, report.order_id))
        order = tracker.orders.get(report.cl_ord_id) or self.amended(report)
        if order is None:
            if not self._ids.is_ours(report.cl_ord_id):
                self._external(report)
                return None
            order = self._adopt(report)
            if order is None:
                return None
        order.updated_ns = now_ns  # also if it shows nothing new: the exchange has the order
        cl_ord_id = order.terms.cl_ord_id
        digits = tracker.scales[order.terms.symbol].size_digits
        is_smaller = report.size.scaleb(digits, EXACT) < order.state.size_lots
        if is_smaller or report.alias or report.cl_ord_id != cl_ord_id:
            self._amend(order, report, source)
        try:
            cum_lots = self._lots(order.terms.symbol, report.cum)
        except BadAnswer as error:
            self._journal.commit(tracker.decide_finding(cl_ord_id, str(error), now_ns))
            return order
        self._journal.commit(
            tracker.decide_report(
                cl_ord_id, report.status, cum_lots, report.order_id, report.ts_event_ns, now_ns, source,
                report.reason,
            )
        )  # fmt: skip
        return order

    def trade(self, report: TradeReport, source: str) -> bool:
        """Apply a trade, once. Returns False if it belongs to none of the known orders."""
        tracker, now_ns = self._tracker, self._fx.now_ns
        order = tracker.orders.get(report.cl_ord_id)
        if order is None:
            order = tracker.by_order_id(report.symbol, report.order_id)
            if order is None or report.cl_ord_id not in ("", order.alias) or report.side is not order.terms.side:
                return False
        if tracker.has_trade(order, report.trade_id):
            return True
        try:
            lots = self._lots(report.symbol, report.size)
            ticks = self._ticks(report.symbol, report.price)
        except BadAnswer as error:
            self._journal.commit(tracker.decide_finding(order.cl_ord_id, str(error), now_ns))
            return True
        self._journal.commit(
            tracker.decide_fill(
                order.cl_ord_id, report.trade_id, ticks, lots, report.liquidity, report.fee, report.fee_asset,
                report.ts_event_ns, now_ns, source,
            )
        )  # fmt: skip
        return True

    def amended(self, report: OrderReport) -> TrackedOrder | None:
        """Returns the order of ours that the exchange reports under another client id, since it was amended by hand.

        The exchange's own id is not enough: an exchange that was reset gives the ids out again.
        """
        order = self._tracker.by_order_id(report.symbol, report.order_id)
        if order is None or self._ids.is_ours(report.cl_ord_id):
            return None
        terms, scale = order.terms, self._tracker.scales[report.symbol]
        is_same = report.side is terms.side and report.price == scale.tick * terms.price_ticks
        return order if is_same and report.size <= scale.lot * terms.size_lots else None

    def _amend(self, order: TrackedOrder, report: OrderReport, source: str) -> None:
        """The exchange has the order in a smaller size, or under another id."""
        alias = report.alias or (report.cl_ord_id if report.cl_ord_id != order.cl_ord_id else "")
        try:
            size_lots = self._lots(order.terms.symbol, report.size)
        except BadAnswer as error:
            self._journal.commit(self._tracker.decide_finding(order.cl_ord_id, str(error), self._fx.now_ns))
            return
        records = self._tracker.decide_amended(order.cl_ord_id, size_lots, alias, self._fx.now_ns, source)
        if records:
            self._fx.log.warning("order amended by hand", cl_ord_id=order.cl_ord_id, size_lots=size_lots, alias=alias)
        self._journal.commit(records)

    def account(self, report: AccountReport) -> None:
        """Merge balances, and publish them if they changed."""
        for row in report.unreadable:
            self.unreadable.add(row)
        if self.balances.add(report):
            self._fx.publish(topics.account(self._fx.name), self.balances.message())

    def unread(self, row: Unreadable, source: str) -> None:
        """A row cannot be read: show it; if it is about an order of ours, query that order."""
        self.unreadable.add(row)
        order = self._tracker.orders.get(row.cl_ord_id) or self._tracker.by_order_id(row.symbol, row.order_id)
        if order is not None and not order.is_final:
            self._rechecks.recheck_now(order.cl_ord_id, RecheckKind.QUERY, self._fx.now_ns)

    # The tracker counts in the same scale as `self._scales`. A number that does not fit makes it finer: the change is
    # journaled before the fact.

    def _ticks(self, symbol: str, price: Decimal) -> int:
        scale = self._tracker.scales.get(symbol, COARSEST)
        try:
            ticks = scale.ticks(price)
        except FinerValue:
            ticks = UNITS_MAX + 1
        if ticks > UNITS_MAX:
            return scale_for(self._scales, self._tracker, symbol, "an own order", prices=[price]).ticks(price)
        return ticks

    def _lots(self, symbol: str, size: Decimal) -> int:
        scale = self._tracker.scales.get(symbol, COARSEST)
        try:
            lots = scale.lots(size)
        except FinerValue:
            lots = UNITS_MAX + 1
        if lots > UNITS_MAX:
            return scale_for(self._scales, self._tracker, symbol, "an own order", sizes=[size]).lots(size)
        return lots

    def keep_external(self, symbol: str, order_ids: set[str]) -> None:
        """Of the external orders in `symbol` only these are open now."""
        if self.external.keep_only(symbol, order_ids):
            self._fx.publish(topics.orders(self._fx.name, topics.EXTERNAL), self.external.snapshot())

    def _external(self, report: OrderReport) -> None:
        """Publish an order that is not ours, in a scale of its own: no number of it makes the market's finer."""
        scale, known = None, self._scales.get(report.symbol)
        if known is not None:  # else there are no rules yet
            try:
                scale = fine_scale(known, report.symbol, [report.price], [report.size, report.cum])
            except BadAnswer as error:
                self._fx.log.warning("external order is not shown", order_id=report.order_id, reason=str(error))
        update = self.external.add(report, scale)
        if update is not None:
            self._fx.publish(topics.orders(self._fx.name, topics.EXTERNAL), update)

    def _adopt(self, report: OrderReport) -> TrackedOrder | None:
        """Track an order whose id this connector gave out, and which the journal does not contain: its record was lost
        with the last writes of the disk or with the whole journal, or it was final and has been dropped.

        An order that may be live is cancelled, since no strategy waits for it. An order that has ended is tracked for
        its trades; those that were counted before are recognized by their ids.
        """
        tracker, now_ns = self._tracker, self._fx.now_ns
        known = decode_id(report.cl_ord_id)
        assert known is not None
        if report.status.is_final and not report.cum:
            return None
        if self._scales.get(report.symbol) is None:
            return None  # no rules of this market yet: the next report is adopted
        try:
            size_lots = self._lots(report.symbol, report.size)
            price_ticks = self._ticks(report.symbol, report.price)
        except BadAnswer as error:
            self._journal.commit(tracker.decide_finding(report.cl_ord_id, str(error), now_ns))
            return None
        self._fx.log.warning("order adopted", cl_ord_id=report.cl_ord_id, status=report.status.name)
        terms = NewOrderRecord(
            known.counter, report.cl_ord_id, self._ids.owner_of(report.cl_ord_id), 0, report.symbol, report.side,
            report.ord_type, TimeInForce.GTC, SelfTradePrevention.NONE, price_ticks, size_lots, now_ns, now_ns,
            adopted=True,
        )  # fmt: skip
        records: list[AnyRecord] = [terms]
        if not report.status.is_final:
            records.append(CancelRecord(report.cl_ord_id, now_ns, "adopted"))
        self._journal.commit(records)
        return tracker.orders[report.cl_ord_id]
