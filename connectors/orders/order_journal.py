"""OrderJournal: every change of an order passes here: into the journal, into the tracker, out to the bus."""

from collections.abc import Callable, Sequence
from functools import partial

from actors.effects import Effects
from connectors.core.records import (
    AmendedRecord,
    AnyRecord,
    CancelRecord,
    FillRecord,
    FindingRecord,
    ForgottenRecord,
    ReportRecord,
    ResolvedRecord,
    encode_record,
)
from connectors.orders.halts import Halts
from connectors.orders.rechecks import Rechecks
from connectors.orders.tracker import OrderTracker
from market.order_state import CONTRADICTED, LATE_FILL
from protocol import Fill, OrderUpdate, topics

JOURNAL = "orders"
REWRITE_AGAIN_NS = 2_000_000_000  # delay after a rewrite that failed; without one the records stay as they are
_MAY_NEED_RECHECKS = (
    ReportRecord,
    FillRecord,
    CancelRecord,
    ResolvedRecord,
    AmendedRecord,
    ForgottenRecord,
)  # a new order needs none yet
_HANDLED = (CONTRADICTED, LATE_FILL)  # findings that do not halt their market: the tracker has dealt with them


class OrderJournal:
    """The one writer of a connector's journal and of its tracker."""

    def __init__(self, fx: Effects, tracker: OrderTracker, rechecks: Rechecks, halts: Halts) -> None:
        self._fx = fx
        self._tracker = tracker
        self._rechecks = rechecks
        self._halts = halts
        self._rewrite_again_ns = 0  # before it no rewrite is tried again

    def commit(self, records: Sequence[AnyRecord], then: Callable[[str], None] | None = None) -> None:
        """Journal, apply and publish `records`. `then` runs once the last one is written (""), or cannot be (reason).

        A `then` sends a request: it runs before the last record is published, so that the request leaves first.
        """
        fx, tracker, rechecks = self._fx, self._tracker, self._rechecks
        for number, record in enumerate(records, start=1):
            encoded = encode_record(record)
            if then is None or number < len(records):
                fx.append(JOURNAL, encoded, self._on_written)
                self._publish(tracker.apply(record))
            else:
                fx.append(JOURNAL, encoded, partial(self._on_last_written, then, tracker.apply(record)))
            if isinstance(record, _MAY_NEED_RECHECKS):
                rechecks.follow(tracker.orders[record.cl_ord_id], fx.now_ns)
            elif isinstance(record, FindingRecord):
                self._on_finding(record)
        if rechecks.pending and not rechecks.is_waking:
            rechecks.wake()

    def _publish(self, messages: list[Fill | OrderUpdate]) -> None:
        for message in messages:
            self._fx.publish(topics.orders(self._fx.name, message.owner), message)

    def _on_last_written(self, then: Callable[[str], None], messages: list[Fill | OrderUpdate], trouble: str) -> None:
        if trouble:  # `then` reports how the order ends: that must follow the report of its beginning
            self._on_written(trouble)
            self._publish(messages)
            then(trouble)
        else:
            then("")
            self._publish(messages)

    def _on_written(self, trouble: str) -> None:
        if trouble:
            self._halts.journal_failed(trouble)

    def _on_finding(self, record: FindingRecord) -> None:
        """Show a contradiction to operators; halt its market where the report cannot be true."""
        self._fx.log.error("a report contradicts the order", cl_ord_id=record.cl_ord_id, what=record.what)
        order = self._tracker.orders.get(record.cl_ord_id)
        if record.what not in _HANDLED and order is not None:
            self._halts.halt_symbol(order.terms.symbol, record.what)

    def compact(self, is_due: bool) -> None:
        """Replace the journal with one record that holds the whole tracker, if that is due, or if the journal misses
        a record that could not be written. A rewrite that fails is put off for REWRITE_AGAIN_NS.
        """
        fx, tracker = self._fx, self._tracker
        if (is_due or self._halts.journal_trouble) and fx.now_ns >= self._rewrite_again_ns:
            tracker.drop_old(fx.now_ns)
            applied, tracker.records = tracker.records, 0
            fx.rewrite(JOURNAL, [encode_record(tracker.compaction())], partial(self._on_rewritten, applied))

    def _on_rewritten(self, applied: int, trouble: str) -> None:
        if trouble:
            self._tracker.records += applied
            if not self._rewrite_again_ns:
                self._fx.log.error("journal not rewritten", error=trouble, again_ms=REWRITE_AGAIN_NS // 1_000_000)
            self._rewrite_again_ns = self._fx.now_ns + REWRITE_AGAIN_NS
            return
        self._rewrite_again_ns = 0
        self._halts.journal_written()
