"""OrderTracker: every order of this connector, rebuilt from the journal's records alone.

Questions (`order_news`, `trade_news`, `wish`, ...) return the records that follow from news, and change nothing.
`apply(record)` changes the state and returns what to publish. Live, a record is journaled and applied; at the start
of the next life it is only applied: so both come to the same state.
"""

from collections.abc import Callable
from typing import Any

from connectors.core.records import (
    Account,
    AnyRecord,
    CancelWish,
    Compaction,
    Epoch,
    FillRecord,
    Finding,
    Intent,
    OwnerRow,
    Report,
    Resolved,
    Scale,
    Scanned,
)
from connectors.orders.client_id import decode_id
from connectors.orders.order import Order
from connectors.orders.order_store import OrderStore
from connectors.orders.owners import Owner, Position
from connectors.orders.trade_ids import TradeIds, trade_key
from market.order_state import CONTRADICTED, News, merge
from protocol import Fill, Liquidity, Message, OrdersSnapshot, OrdStatus


class OrderTracker(OrderStore):
    """See the module. Public besides the store's: `owners`, `scales`, `trade_ids`, `counter`, `tag`."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0
        self.tag = ""
        self.account_id = ""
        self.counter = 0
        self.owners: dict[str, Owner] = {}
        self.scales: dict[str, Scale] = {}
        self.trade_ids = TradeIds()
        self.records = 0  # applied since the last compaction
        self._apply: dict[type, Callable[[Any], list[Message]]] = {
            Epoch: self._apply_epoch,
            Account: self._apply_account,
            Scale: self._apply_scale,
            Intent: self._apply_intent,
            Report: self._apply_report,
            FillRecord: self._apply_fill,
            CancelWish: self._apply_wish,
            Resolved: self._apply_resolved,
            Scanned: self._apply_scanned,
            Finding: self._apply_finding,
            Compaction: self._apply_compaction,
        }

    # -- reading --------------------------------------------------------------------------------------

    def owner(self, name: str) -> Owner:
        found = self.owners.get(name)
        if found is None:
            found = self.owners[name] = Owner(name)
        return found

    def is_ours(self, cl_ord_id: str) -> bool:
        """Whether this journal gave out the id, be it that the record of it was lost."""
        known = decode_id(cl_ord_id)
        return known is not None and known.tag == self.tag

    def owner_of(self, cl_ord_id: str) -> str:
        """The owner that an id of ours names; ids hold only the first characters."""
        known = decode_id(cl_ord_id)
        start = known.owner if known else ""
        return next((name for name in sorted(self.owners) if name.startswith(start)), start or "unknown")

    def snapshot(self, owner_name: str, cursor: int) -> OrdersSnapshot:
        """All of one owner, with its fills after number `cursor`."""
        owner = self.owner(owner_name)
        updates = [order.update() for order in self.open.values() if order.intent.owner == owner_name]
        return OrdersSnapshot(owner_name, updates, owner.rows(), owner.fills_after(cursor), owner.fill_no)

    # -- questions: what follows from news ------------------------------------------------------------

    def order_news(
        self,
        cl_ord_id: str,
        status: OrdStatus,
        cum_lots: int,
        order_id: str,
        ts_event_ns: int,
        now_ns: int,
        source: str,
        reason: str = "",
    ) -> list[AnyRecord]:
        """The exchange showed an order that is in `orders`. Empty if that is no news."""
        order = self.orders[cl_ord_id]
        if status is OrdStatus.REJECTED and order.state.seen:
            status = OrdStatus.EXPIRED  # acknowledged first: it was there, and the exchange has ended it
        state, finding = merge(order.state, News(status, cum_lots))
        records: list[AnyRecord] = []
        if state != order.state or (order_id and not order.order_id):
            records.append(Report(cl_ord_id, status, cum_lots, order_id, ts_event_ns, now_ns, source, reason))
        if finding == CONTRADICTED:
            records.append(CancelWish(cl_ord_id, now_ns, "found after it was given up"))
        return records + self.finding(cl_ord_id, finding, now_ns)

    def has_trade(self, order: Order, trade_id: int) -> bool:
        """Whether this trade of the order is applied already."""
        return trade_key(trade_id, order.intent.side) in order.trades

    def trade_news(
        self,
        cl_ord_id: str,
        trade_id: int,
        last_ticks: int,
        last_lots: int,
        liquidity: Liquidity,
        fee: Any,
        fee_asset: str,
        ts_event_ns: int,
        now_ns: int,
        source: str,
    ) -> list[AnyRecord]:
        """A trade of an order that is in `orders`. Empty if it is applied already."""
        order = self.orders[cl_ord_id]
        intent = order.intent
        if self.has_trade(order, trade_id):
            return []
        was_counted = self.trade_ids.is_done(intent.symbol, trade_id, intent.side)
        counted = not (was_counted and intent.adopted)
        state, finding = merge(order.state, News(OrdStatus.PARTIALLY_FILLED, last_lots=last_lots))
        records = self.finding(cl_ord_id, finding, now_ns)
        if state == order.state or last_lots <= 0 or last_ticks <= 0:
            return records or self.finding(cl_ord_id, f"trade {trade_id} without size or price", now_ns)
        fill_no = self.owner(intent.owner).fill_no + 1 if counted else 0
        records.append(
            FillRecord(
                cl_ord_id,
                trade_id,
                last_ticks,
                last_lots,
                liquidity,
                fee,
                fee_asset,
                fill_no,
                ts_event_ns,
                now_ns,
                source,
                counted,
            )
        )
        if finding == CONTRADICTED:
            records.append(CancelWish(cl_ord_id, now_ns, "found after it was given up"))
        return records

    def wish(self, cl_ord_id: str, now_ns: int, by: str) -> list[AnyRecord]:
        """Its cancel is wanted. Empty if it is already, or if there is nothing left to cancel."""
        order = self.open.get(cl_ord_id)
        return [] if order is None or order.state.cancel_wanted else [CancelWish(cl_ord_id, now_ns, by)]

    def resolve(self, cl_ord_id: str, status: OrdStatus, evidence: str, now_ns: int) -> list[AnyRecord]:
        """Evidence without an order in it: REJECTED, NOT_PLACED, or UNKNOWN. Empty if it is outranked."""
        order = self.orders[cl_ord_id]
        state, _ = merge(order.state, News(status))
        return [] if state == order.state else [Resolved(cl_ord_id, status, evidence, now_ns)]

    def doubt_all(self, now_ns: int) -> list[AnyRecord]:
        """After a restart: whatever was on its way is UNKNOWN."""
        waiting = [order for order in self.open.values() if order.status is OrdStatus.PENDING_NEW]
        return [
            one
            for order in waiting
            for one in self.resolve(order.cl_ord_id, OrdStatus.UNKNOWN, "restart before an answer", now_ns)
        ]

    def finding(self, cl_ord_id: str, what: str, now_ns: int) -> list[AnyRecord]:
        """To be told once per order."""
        order = self.orders.get(cl_ord_id)
        if not what or (order is not None and what in order.findings):
            return []
        return [Finding(cl_ord_id, what, now_ns)]

    # -- applying -------------------------------------------------------------------------------------

    def apply(self, record: AnyRecord) -> list[Message]:
        """Change the state; the messages (each with its owner) that tell it."""
        self.records += 1
        return self._apply[type(record)](record)

    def _apply_epoch(self, record: Epoch) -> list[Message]:
        self.epoch = record.epoch
        self.tag = self.tag or record.tag
        return []

    def _apply_account(self, record: Account) -> list[Message]:
        self.account_id = record.account_id
        return []

    def _apply_scale(self, record: Scale) -> list[Message]:
        self.scales[record.symbol] = record
        return []

    def _apply_intent(self, record: Intent) -> list[Message]:
        order = Order(record)
        self.counter = max(self.counter, record.counter)
        if record.owner not in self.owners:
            self.owner(record.owner)
        self.begin(order)
        return [order.update()]

    def _apply_report(self, record: Report) -> list[Message]:
        order = self.orders[record.cl_ord_id]
        self.name(order, record.order_id)
        order.ts_event_ns = max(order.ts_event_ns, record.ts_event_ns)
        return self.merge(order, News(record.status, record.cum_lots), record.reason, record.ts_ns)

    def _apply_fill(self, record: FillRecord) -> list[Message]:
        order = self.orders[record.cl_ord_id]
        intent = order.intent
        key = trade_key(record.trade_id, intent.side)
        if key in order.trades:
            return []
        order.trades.add(key)
        self.trade_ids.add(intent.symbol, key)
        order.ts_event_ns = max(order.ts_event_ns, record.ts_event_ns)
        news = News(OrdStatus.PARTIALLY_FILLED, last_lots=record.last_lots)
        told = self.merge(order, news, "", record.ts_ns)
        return [self._count(order, record), *told] if record.counted else told

    def _count(self, order: Order, record: FillRecord) -> Fill:
        """Move the position; the fill as it is told."""
        intent, scale = order.intent, self.scales[order.intent.symbol]
        owner = self.owner(intent.owner)
        owner.fill_no = record.fill_no
        notional = record.last_ticks * record.last_lots * (scale.tick_size * scale.lot_size)
        owner.position(intent.symbol).add(intent.side, record.last_lots, notional, record.fee, record.fee_asset)
        self.exposure(intent.symbol).net_lots += intent.side.sign * record.last_lots
        fill = Fill(
            intent.owner,
            intent.intent,
            intent.cl_ord_id,
            str(record.trade_id),
            intent.symbol,
            intent.side,
            record.last_ticks,
            record.last_lots,
            order.state.cum_lots,
            record.liquidity,
            record.fee,
            record.fee_asset,
            record.fill_no,
            record.ts_event_ns,
        )
        owner.fills.append(fill)
        return fill

    def _apply_wish(self, record: CancelWish) -> list[Message]:
        order = self.orders[record.cl_ord_id]
        return self.merge(order, News(OrdStatus.PENDING_CANCEL), "", record.ts_ns)

    def _apply_resolved(self, record: Resolved) -> list[Message]:
        return self.merge(self.orders[record.cl_ord_id], News(record.status), record.evidence, record.ts_ns)

    def _apply_scanned(self, record: Scanned) -> list[Message]:
        self.trade_ids.raise_floor(record.symbol, record.trade_id)
        return []

    def _apply_finding(self, record: Finding) -> list[Message]:
        order = self.orders.get(record.cl_ord_id)
        if order is not None:
            order.findings.add(record.what)
        return []

    # -- compaction -----------------------------------------------------------------------------------

    def compaction(self) -> Compaction:
        """All of it in one record."""
        owners = [
            OwnerRow(owner.name, owner.fill_no, owner.rows(), list(owner.fills)) for owner in self.owners.values()
        ]
        return Compaction(
            self.epoch,
            self.tag,
            self.account_id,
            self.counter,
            list(self.scales.values()),
            [order.row() for order in self.orders.values()],
            owners,
            [Scanned(symbol, trade_id) for symbol, trade_id in self.trade_ids.floors.items()],
            self.trade_ids.rows(),
        )

    def _apply_compaction(self, record: Compaction) -> list[Message]:
        self.__init__()  # type: ignore[misc]
        self.epoch, self.tag, self.account_id = record.epoch, record.tag, record.account_id
        self.counter = record.counter
        self.scales = {scale.symbol: scale for scale in record.scales}
        for scan in record.scanned:
            self.trade_ids.raise_floor(scan.symbol, scan.trade_id)
        for symbol, keys in record.trades:
            for key in keys:
                self.trade_ids.add(symbol, key)
        for row in record.owners:
            owner = self.owner(row.owner)
            owner.fill_no = row.fill_no
            owner.fills.extend(row.fills)
            owner.positions = {one.symbol: Position(one) for one in row.positions}
            for symbol, position in owner.positions.items():
                self.exposure(symbol).net_lots += position.net_lots
        for order in sorted(map(Order.from_row, record.orders), key=lambda one: one.final_ns):
            self.add(order)
        return []
