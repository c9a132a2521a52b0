"""OrderTracker: every order of this connector, rebuilt from the journal's records only.

It is split into decide and evolve. `decide_*` return the records that follow from a report or a command, and change
nothing. `apply(record)` changes the state and returns the messages to publish. A new record is journaled, then applied;
at the next start it is only applied: both ways lead to the same state. This is why a report is merged twice, once to
decide whether it matters and once to apply it.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.core.records import (
    AccountRecord,
    AmendedRecord,
    AnyRecord,
    CancelRecord,
    CompactionRecord,
    EpochRecord,
    FillRecord,
    FindingRecord,
    ForgottenRecord,
    NewOrderRecord,
    OwnerRow,
    ReleaseRecord,
    ReportRecord,
    ResolvedRecord,
    ResumedRecord,
    ScaleRecord,
    ScannedRecord,
)
from connectors.orders.journal_scales import JournalScales
from connectors.orders.order_store import OrderStore
from connectors.orders.owners import Owner
from connectors.orders.tracked_order import TrackedOrder
from connectors.orders.trade_ids import TradeIds, trade_key
from market.exact import EXACT
from market.order_state import CONTRADICTED, LATE_FILL, OrderEvidence, merge
from market.position import Position
from market.scale import Scale
from protocol import Fill, Liquidity, OrdersSnapshot, OrderUpdate, OrdStatus, RefusalCode


class OrderTracker(OrderStore):
    """See the module. Public besides the store's: `owners`, `scales`, `trade_ids`, `counter`, `tag`.

    `scales`: the finest scale of each market in the journal so far. Each new one converts all that is counted in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0
        self.tag = ""
        self.account_id = ""
        self.counter = 0
        self.owners: dict[str, Owner] = {}
        self.halts: dict[str, str] = {}  # markets with a finding that no operator has checked yet
        self._journal = JournalScales()
        self.scales = self._journal.scales
        self.trade_ids = TradeIds()
        self.records = 0  # applied since the last compaction
        self._apply: dict[type, Callable[[Any], list[Fill | OrderUpdate]]] = {
            EpochRecord: self._apply_epoch,
            AccountRecord: self._apply_account,
            ScaleRecord: self._apply_scale,
            NewOrderRecord: self._apply_new_order,
            ReportRecord: self._apply_report,
            FillRecord: self._apply_fill,
            CancelRecord: self._apply_cancel,
            ResolvedRecord: self._apply_resolved,
            AmendedRecord: self._apply_amended,
            ForgottenRecord: self._apply_forgotten,
            ScannedRecord: self._apply_scanned,
            ReleaseRecord: self._apply_release,
            FindingRecord: self._apply_finding,
            ResumedRecord: self._apply_resumed,
            CompactionRecord: self._apply_compaction,
        }

    # -- reading ------------------------------------------------------------------------------------------

    def owner(self, name: str) -> Owner:
        """Returns the positions and fills of one strategy."""
        found = self.owners.get(name)
        if found is None:
            found = self.owners[name] = Owner(name)
        return found

    def snapshot(self, owner_name: str, cursor: int) -> OrdersSnapshot:
        """Returns the open orders and positions of one owner, and its fills after number `cursor`."""
        owner = self.owner(owner_name)
        updates = [order.update() for order in self.open.values() if order.terms.owner == owner_name]
        return OrdersSnapshot(
            owner_name, updates, owner.rows(), owner.fills_after(cursor), owner.fill_no, owner.ledger_rows()
        )

    # -- decide: the records that follow; the state does not change ---------------------------------------

    def decide_report(
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
        """The exchange reported the state of an order that is in `orders`. Empty if nothing changes."""
        order = self.orders[cl_ord_id]
        if status is OrdStatus.REJECTED and order.state.seen:
            status = OrdStatus.EXPIRED  # it was acknowledged before: it existed, and the exchange has ended it
        state, finding = merge(order.state, OrderEvidence(status, cum_lots))
        records: list[AnyRecord] = []
        if state != order.state or (order_id and not order.order_id):
            records.append(ReportRecord(cl_ord_id, status, cum_lots, order_id, ts_event_ns, now_ns, source, reason))
        if finding == CONTRADICTED:
            records.append(CancelRecord(cl_ord_id, now_ns, "found after it was marked absent"))
        return records + self.decide_finding(cl_ord_id, finding, now_ns)

    def has_trade(self, order: TrackedOrder, trade_id: int) -> bool:
        """Whether this trade of the order is applied already."""
        return trade_key(trade_id, order.terms.side) in order.trades

    def decide_fill(
        self,
        cl_ord_id: str,
        trade_id: int,
        last_ticks: int,
        last_lots: int,
        liquidity: Liquidity,
        fee: Decimal,
        fee_asset: str,
        ts_event_ns: int,
        now_ns: int,
        source: str,
    ) -> list[AnyRecord]:
        """The exchange reported a trade of an order that is in `orders`. Empty if it is applied already."""
        order = self.orders[cl_ord_id]
        terms = order.terms
        if self.has_trade(order, trade_id):
            return []
        was_counted = self.trade_ids.is_counted(terms.symbol, trade_id, terms.side)
        counted = not (was_counted and terms.adopted)
        state, finding = merge(order.state, OrderEvidence(OrdStatus.PARTIALLY_FILLED, last_lots=last_lots))
        records = self.decide_finding(cl_ord_id, finding, now_ns)
        if state == order.state or last_lots <= 0 or last_ticks <= 0:
            return records or self.decide_finding(cl_ord_id, f"trade {trade_id} without size or price", now_ns)
        fill_no = self.owner(terms.owner).fill_no + 1 if counted else 0
        fill = FillRecord(
            cl_ord_id, trade_id, last_ticks, last_lots, liquidity, fee, fee_asset, fill_no, ts_event_ns,
            now_ns, source, counted,
        )  # fmt: skip
        records.append(fill)
        if finding == CONTRADICTED:
            records.append(CancelRecord(cl_ord_id, now_ns, "found after it was marked absent"))
        return records

    def decide_cancel(self, cl_ord_id: str, now_ns: int, by: str) -> list[AnyRecord]:
        """A cancel is requested. Empty if one is wanted already, or if the order is not open."""
        order = self.open.get(cl_ord_id)
        return [] if order is None or order.state.cancel_wanted else [CancelRecord(cl_ord_id, now_ns, by)]

    def decide_release(self, owner: str, symbol: str, tag: str, now_ns: int) -> list[AnyRecord]:
        """The owner no longer needs a ledger. Empty if there is none."""
        return [ReleaseRecord(owner, symbol, tag, now_ns)] if (symbol, tag) in self.owner(owner).ledgers else []

    def decide_status(
        self, cl_ord_id: str, status: OrdStatus, evidence: str, now_ns: int, refusal: RefusalCode = RefusalCode.NONE
    ) -> list[AnyRecord]:
        """Evidence without an order report: REJECTED, NOT_PLACED or UNKNOWN. Empty if stronger evidence is known."""
        order = self.orders[cl_ord_id]
        state, _ = merge(order.state, OrderEvidence(status))
        return [] if state == order.state else [ResolvedRecord(cl_ord_id, status, evidence, now_ns, refusal)]

    def decide_amended(self, cl_ord_id: str, size_lots: int, alias: str, now_ns: int, source: str) -> list[AnyRecord]:
        """The exchange has the order in a smaller size, or under another client id (`alias`). Empty if it is known."""
        order = self.orders[cl_ord_id]
        if size_lots >= order.state.size_lots and alias in ("", order.alias):
            return []
        _, finding = merge(order.state, OrderEvidence(OrdStatus.NEW, size_lots=size_lots))
        amended = AmendedRecord(cl_ord_id, size_lots, alias, now_ns, source)
        found = [CancelRecord(cl_ord_id, now_ns, "found after it was marked absent")] if finding == CONTRADICTED else []
        return [amended, *found, *self.decide_finding(cl_ord_id, finding, now_ns)]

    def decide_forgotten(self, cl_ord_id: str, evidence: str, now_ns: int, by: str = "") -> list[AnyRecord]:
        """The exchange no longer has the order. Empty if it is not open."""
        return [ForgottenRecord(cl_ord_id, evidence, now_ns, by)] if cl_ord_id in self.open else []

    def decide_restart(self, now_ns: int) -> list[AnyRecord]:
        """After a restart: every order that waits for its first answer is UNKNOWN."""
        waiting = [order for order in self.open.values() if order.status is OrdStatus.PENDING_NEW]
        return [
            one
            for order in waiting
            for one in self.decide_status(order.cl_ord_id, OrdStatus.UNKNOWN, "restart before an answer", now_ns)
        ]

    def decide_finding(self, cl_ord_id: str, what: str, now_ns: int) -> list[AnyRecord]:
        """A contradiction in the reports about an order; recorded once for each order. Empty if `what` is."""
        order = self.orders.get(cl_ord_id)
        if not what or (order is not None and what in order.findings):
            return []
        return [FindingRecord(cl_ord_id, what, now_ns)]

    # -- evolve: apply one record -------------------------------------------------------------------------

    def apply(self, record: AnyRecord) -> list[Fill | OrderUpdate]:
        """Apply a record to the state. Returns the messages to publish."""
        self.records += 1
        return self._apply[type(record)](record)

    def _apply_epoch(self, record: EpochRecord) -> list[Fill | OrderUpdate]:
        self.epoch = record.epoch
        self.tag = self.tag or record.tag
        return []

    def _apply_account(self, record: AccountRecord) -> list[Fill | OrderUpdate]:
        self.account_id = record.account_id
        return []

    def _apply_scale(self, record: ScaleRecord) -> list[Fill | OrderUpdate]:
        factors = self._journal.add(record)
        self._multiply(record.symbol, *factors, self.scales[record.symbol])
        return []

    def _multiply(self, symbol: str, price_factor: int, size_factor: int, scale: Scale) -> None:
        for order in self.orders.values():
            if order.terms.symbol == symbol:
                order.multiply(price_factor, size_factor, scale)
        for owner in self.owners.values():
            owner.multiply(symbol, price_factor, size_factor, scale)
        self.exposure(symbol).multiply(size_factor, scale.lot)

    def is_recorded(self, symbol: str, scale: Scale) -> bool:
        """Whether the journal's next records count in `scale`."""
        return self._journal.is_current(symbol, scale)

    def _apply_new_order(self, record: NewOrderRecord) -> list[Fill | OrderUpdate]:
        if self._journal.multiples:
            record = self._journal.new_order(record)
        order = TrackedOrder(record, self.scales.get(record.symbol))
        self.counter = max(self.counter, record.counter)
        if record.tag or record.owner not in self.owners:
            self.owner(record.owner).begin(record.symbol, record.tag)
        self.begin(order)
        return [order.update()]

    def _apply_report(self, record: ReportRecord) -> list[Fill | OrderUpdate]:
        order = self.orders[record.cl_ord_id]
        self.set_order_id(order, record.order_id)
        order.ts_event_ns = max(order.ts_event_ns, record.ts_event_ns)
        cum_lots = record.cum_lots
        if self._journal.multiples:
            cum_lots = self._journal.lots(order.terms.symbol, cum_lots)
        return self._merge_end(order, OrderEvidence(record.status, cum_lots), record.reason, record.ts_ns)

    def _apply_fill(self, record: FillRecord) -> list[Fill | OrderUpdate]:
        order = self.orders[record.cl_ord_id]
        terms = order.terms
        key = trade_key(record.trade_id, terms.side)
        if key in order.trades:
            return []
        if self._journal.multiples:
            record = self._journal.fill(terms.symbol, record)
        order.add_trade(key)
        self.trade_ids.add(terms.symbol, key)
        order.ts_event_ns = max(order.ts_event_ns, record.ts_event_ns)
        evidence = OrderEvidence(OrdStatus.PARTIALLY_FILLED, last_lots=record.last_lots)
        updates = self.merge(order, evidence, "", record.ts_ns)
        return [self._count(order, record), *updates] if record.counted else updates

    def _count(self, order: TrackedOrder, record: FillRecord) -> Fill:
        """Add a fill to the position. Returns the fill as it is published."""
        terms, scale = order.terms, self.scales[order.terms.symbol]
        fill = Fill(
            terms.owner, terms.order_ref, terms.cl_ord_id, str(record.trade_id), terms.symbol, terms.side,
            record.last_ticks, record.last_lots, order.state.cum_lots, record.liquidity, record.fee,
            record.fee_asset, record.fill_no, record.ts_event_ns, terms.tag, scale.price_digits,
            scale.size_digits,
        )  # fmt: skip
        size = EXACT.multiply(Decimal(record.last_lots), scale.lot)
        notional = EXACT.multiply(Decimal(record.last_ticks * record.last_lots), scale.tick_lot)
        held = self.owner(terms.owner).count(fill, size, notional, scale)
        self.exposure(terms.symbol).add_held(held, scale.lot)
        return fill

    def _apply_cancel(self, record: CancelRecord) -> list[Fill | OrderUpdate]:
        order = self.orders[record.cl_ord_id]
        return self.merge(order, OrderEvidence(OrdStatus.PENDING_CANCEL), "", record.ts_ns)

    def _apply_resolved(self, record: ResolvedRecord) -> list[Fill | OrderUpdate]:
        order = self.orders[record.cl_ord_id]
        return self._merge_end(order, OrderEvidence(record.status), record.evidence, record.ts_ns, record.refusal)

    def _apply_amended(self, record: AmendedRecord) -> list[Fill | OrderUpdate]:
        order = self.orders[record.cl_ord_id]
        order.alias = record.alias or order.alias
        size_lots = self._journal.lots(order.terms.symbol, record.size_lots)
        return self.merge(order, OrderEvidence(OrdStatus.NEW, size_lots=size_lots), "", record.ts_ns)

    def _apply_forgotten(self, record: ForgottenRecord) -> list[Fill | OrderUpdate]:
        order = self.orders[record.cl_ord_id]
        return self.merge(order, None, record.evidence, record.ts_ns)

    def _merge_end(
        self,
        order: TrackedOrder,
        evidence: OrderEvidence,
        reason: str,
        ts_ns: int,
        refusal: RefusalCode = RefusalCode.NONE,
    ) -> list[Fill | OrderUpdate]:
        """Merge evidence that may end an order. A rejection is counted for its owner."""
        was_rejected = order.status is OrdStatus.REJECTED
        if evidence.status in (OrdStatus.REJECTED, OrdStatus.NOT_PLACED):
            order.refusal = refusal or RefusalCode.OTHER
        updates = self.merge(order, evidence, reason, ts_ns)
        if order.status is OrdStatus.REJECTED and not was_rejected:
            refused = self.owner(order.terms.owner).refused
            refused[order.refusal] = refused.get(order.refusal, 0) + 1
        return updates

    def _apply_release(self, record: ReleaseRecord) -> list[Fill | OrderUpdate]:
        self.owner(record.owner).ledgers.pop((record.symbol, record.tag), None)
        return []

    def _apply_scanned(self, record: ScannedRecord) -> list[Fill | OrderUpdate]:
        self.trade_ids.raise_floor(record.symbol, record.trade_id)
        return []

    def _apply_finding(self, record: FindingRecord) -> list[Fill | OrderUpdate]:
        order = self.orders.get(record.cl_ord_id)
        if order is not None:
            order.findings |= {record.what}
            if record.what not in (CONTRADICTED, LATE_FILL):  # those the tracker has dealt with
                self.halts[order.terms.symbol] = record.what
        return []

    def _apply_resumed(self, record: ResumedRecord) -> list[Fill | OrderUpdate]:
        self.halts.clear()
        return []

    # -- compaction ---------------------------------------------------------------------------------------

    def compaction(self) -> CompactionRecord:
        """Returns the whole tracker as one record."""
        owners = [
            OwnerRow(
                owner.name,
                owner.fill_no,
                owner.rows(),
                list(owner.fills),
                owner.ledger_rows(),
                [(int(code), count) for code, count in sorted(owner.refused.items())],
            )
            for owner in self.owners.values()
        ]
        return CompactionRecord(
            self.epoch,
            self.tag,
            self.account_id,
            self.counter,
            [ScaleRecord(symbol, scale.tick, scale.lot) for symbol, scale in self.scales.items()],
            [order.row() for order in self.orders.values()],
            owners,
            [ScannedRecord(symbol, trade_id) for symbol, trade_id in self.trade_ids.floors.items()],
            self.trade_ids.rows(),
            list(self.halts.items()),
        )

    def _apply_compaction(self, record: CompactionRecord) -> list[Fill | OrderUpdate]:
        self.__init__()  # type: ignore[misc]  # the object stays, its contents go
        self.epoch, self.tag, self.account_id = record.epoch, record.tag, record.account_id
        self.counter = record.counter
        self.halts = dict(record.halts)
        for scale in record.scales:
            self._journal.add(scale)
        for scan in record.scanned:
            self.trade_ids.raise_floor(scan.symbol, scan.trade_id)
        for symbol, keys in record.trades:
            for key in keys:
                self.trade_ids.add(symbol, key)
        for row in record.owners:
            owner = self.owner(row.owner)
            owner.fill_no = row.fill_no
            owner.fills.extend(row.fills)
            owner.refused = {RefusalCode(code): count for code, count in row.refused}
            lots = {scale.symbol: scale.lot_size for scale in record.scales}
            owner.positions = {one.symbol: Position.from_row(one, lots[one.symbol]) for one in row.positions}
            owner.ledgers = {(one.symbol, one.tag): Position.from_row(one, lots[one.symbol]) for one in row.ledgers}
            for symbol, position in owner.positions.items():
                self.exposure(symbol).add_held(position.held, lots[symbol])
        orders = [TrackedOrder.from_row(row, self.scales.get(row.terms.symbol)) for row in record.orders]
        for order in sorted(orders, key=lambda one: one.final_ns):
            self.restore(order)
        for symbol, known in self.scales.items():
            self._multiply(symbol, *self._journal.steps(symbol), known)
        return []
