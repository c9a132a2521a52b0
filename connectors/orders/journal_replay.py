"""Replay: a journal's records into an order tracker, or one clear error about the record that does not fit."""

from collections.abc import Iterable

from connectors.core.records import decode_record
from connectors.orders.tracker import OrderTracker
from protocol.errors import JournalDamaged

WAY_OUT = (
    "keep a copy of the file and move it away: the connector then starts from the exchange's state, cancels the orders "
    "of this bot that are open there, and counts positions from zero"
)


def replay(tracker: OrderTracker, records: Iterable[bytes]) -> None:
    """Applies every record. Raises JournalDamaged for one that does not follow from those before it."""
    for number, data in enumerate(records, start=1):
        record = decode_record(data)
        try:
            tracker.apply(record)
        except (LookupError, ValueError, ArithmeticError) as error:
            what = f"{type(record).__name__} refers to {error}, which no earlier record contains"
            if not isinstance(error, KeyError):
                what = f"{type(record).__name__}: {error}"
            raise JournalDamaged(f"order journal, record {number}: {what}; {WAY_OUT}") from None
