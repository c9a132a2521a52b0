"""Keeper: every change of the orders goes through here: into the journal, into the tracker, out to the bus."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from connectors.core.records import AnyRecord, CancelWish, FillRecord, Finding, Report, Resolved, encode_record
from market.order_state import CONTRADICTED, LATE_FILL
from protocol import Message, topics

if TYPE_CHECKING:
    from connectors.connector import Connector

JOURNAL = "orders"
_ABOUT_ORDERS = (Report, FillRecord, CancelWish, Resolved)  # of an Intent alone there is nothing to ask
_ONLY_TOLD = (CONTRADICTED, LATE_FILL)  # findings that do not halt their market: they are dealt with


class Keeper:
    """The one writer of a connector's journal and tracker."""

    def __init__(self, host: "Connector") -> None:
        self.host = host
        self._pump_timer = 0

    def commit(self, records: Sequence[AnyRecord], then: Callable[[str], None] | None = None) -> None:
        """Journal, apply, publish. `then` runs once the last record is written ("") or cannot be (why)."""
        host = self.host
        for number, record in enumerate(records, start=1):
            last = then if number == len(records) else None
            if last is None:
                host.append(JOURNAL, encode_record(record), self._journaled)
                self._tell(host.tracker.apply(record))
            else:  # somebody waits for the record, to send a request: that goes first, then the news
                encoded = encode_record(record)
                host.append(JOURNAL, encoded, partial(self._written, last, host.tracker.apply(record)))
            if isinstance(record, _ABOUT_ORDERS):
                host.resolver.follow(host.tracker.orders[record.cl_ord_id], host.now_ns)
            elif isinstance(record, Finding):
                self._found(record)
        if not self._pump_timer and host.resolver.chases:
            self._pump_timer = host.after(0, self._pump)

    def _tell(self, messages: list[Message]) -> None:
        for message in messages:
            self.host.publish(topics.orders(self.host.name, message.owner), message)  # type: ignore[attr-defined]

    def _written(self, then: Callable[[str], None], messages: list[Message], trouble: str) -> None:
        if trouble:  # then tells how the order ends: after it was told of
            self._journaled(trouble)
            self._tell(messages)
            then(trouble)
        else:
            then("")
            self._tell(messages)

    def _journaled(self, trouble: str) -> None:
        condition = self.host.condition
        if trouble and not condition.journal_trouble:
            condition.journal_trouble = trouble
            self.host.judge()

    def _pump(self) -> None:
        self._pump_timer = 0
        self.host.desk.pump()

    def _found(self, record: Finding) -> None:
        """What cannot be is shown to people; where it cannot be believed, nothing new is done in that market."""
        host = self.host
        host.log.error("finding", cl_ord_id=record.cl_ord_id, what=record.what)
        order = host.tracker.orders.get(record.cl_ord_id)
        if record.what not in _ONLY_TOLD and order is not None:
            host.condition.halted_symbols[order.intent.symbol] = record.what
            host.judge()

    def compact(self, is_due: bool) -> None:
        """Write the journal anew, with what the tracker knows in one record."""
        if is_due:
            tracker = self.host.tracker
            tracker.forget(self.host.now_ns)
            tracker.records = 0
            self.host.rewrite(JOURNAL, [encode_record(tracker.compaction())])
