"""Intake: what the exchange reports, from wherever, becomes records of the tracker; each fact once."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from connectors.core.order_api import BadAnswer
from connectors.core.records import AnyRecord, CancelWish, Intent
from connectors.core.reports import AccountReport, OrderReport, TradeReport
from connectors.orders.balances import Balances
from connectors.orders.client_id import decode_id
from connectors.orders.external_orders import OWNER, Foreign
from connectors.orders.order import Order
from connectors.orders.scales import in_lots, in_ticks
from connectors.orders.tracker import OrderTracker
from market.instrument import Instrument
from protocol import Message, SelfTradePrevention, TimeInForce, topics

Commit = Callable[[Sequence[AnyRecord]], None]


class Host(Protocol):
    """What Intake needs of the connector."""

    name: str
    now_ns: int
    tracker: OrderTracker
    instruments: dict[str, Instrument]
    log: Any

    def commit(self, records: Sequence[AnyRecord]) -> None:
        """Journal, apply, publish."""

    def publish(self, topic: str, message: Message) -> int: ...


class Intake:
    """Reports in; records out, through the host's `commit`. `source` names where a report came from."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.foreign = Foreign()
        self.balances = Balances()

    def order(self, report: OrderReport, source: str) -> Order | None:
        """Merge what is told of an order. None if it is not ours."""
        host, tracker = self.host, self.host.tracker
        order = tracker.orders.get(report.cl_ord_id)
        if order is None:
            if not tracker.is_ours(report.cl_ord_id):
                self._foreign(report)
                return None
            order = self._adopt(report)
            if order is None:
                return None
        try:
            cum_lots = in_lots(tracker.scales[order.intent.symbol], report.cum)
        except BadAnswer as error:
            host.commit(tracker.finding(order.cl_ord_id, str(error), host.now_ns))
            return order
        host.commit(
            tracker.order_news(
                order.cl_ord_id, report.status, cum_lots, report.order_id, report.ts_event_ns, host.now_ns, source,
                report.reason,
            )
        )  # fmt: skip
        return order

    def trade(self, report: TradeReport, source: str) -> bool:
        """Apply a trade, once. False if no order is known that it could be of."""
        host, tracker = self.host, self.host.tracker
        if report.cl_ord_id:
            order = tracker.orders.get(report.cl_ord_id)
        else:
            order = tracker.by_order_id(report.symbol, report.order_id)
        if order is None:
            return False
        if tracker.has_trade(order, report.trade_id):
            return True  # perhaps of a time when ticks were finer
        scale = tracker.scales[report.symbol]
        try:
            ticks, lots = in_ticks(scale, report.price), in_lots(scale, report.size)
        except BadAnswer as error:
            host.commit(tracker.finding(order.cl_ord_id, str(error), host.now_ns))
            return True
        host.commit(
            tracker.trade_news(
                order.cl_ord_id, report.trade_id, ticks, lots, report.liquidity, report.fee, report.fee_asset,
                report.ts_event_ns, host.now_ns, source,
            )
        )  # fmt: skip
        return True

    def account(self, report: AccountReport) -> None:
        """Merge balances, and tell them if they changed."""
        if self.balances.add(report):
            self.host.publish(topics.account(self.host.name), self.balances.message())

    def _foreign(self, report: OrderReport) -> None:
        update = self.foreign.add(report, self.host.instruments[report.symbol])
        if update is not None:
            self.host.publish(topics.orders(self.host.name, OWNER), update)

    def _adopt(self, report: OrderReport) -> Order | None:
        """An id of this journal that is not in it: the record was lost with the disk's last writes, or the order was
        final so long ago that it was forgotten. What may be live is tracked, and cancelled: nobody waits for it.
        What has ended is tracked for its trades; those that were counted before are known by their ids."""
        host, tracker = self.host, self.host.tracker
        known = decode_id(report.cl_ord_id)
        assert known is not None
        if report.status.is_final and not report.cum:
            return None
        scale = tracker.scales[report.symbol]
        try:
            price_ticks, size_lots = in_ticks(scale, report.price), in_lots(scale, report.size)
        except BadAnswer as error:
            host.commit(tracker.finding(report.cl_ord_id, str(error), host.now_ns))
            return None
        host.log.warning("order adopted", cl_ord_id=report.cl_ord_id, status=report.status.name)
        intent = Intent(
            known.counter, report.cl_ord_id, tracker.owner_of(report.cl_ord_id), 0, report.symbol, report.side,
            report.ord_type, TimeInForce.GTC, SelfTradePrevention.NONE, price_ticks, size_lots, host.now_ns,
            host.now_ns, adopted=True,
        )  # fmt: skip
        records: list[AnyRecord] = [intent]
        if not report.status.is_final:
            records.append(CancelWish(report.cl_ord_id, host.now_ns, "adopted"))
        host.commit(records)
        return tracker.orders[report.cl_ord_id]
