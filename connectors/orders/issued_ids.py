"""IssuedIds: which client order ids this connector gave out, and to which owner. It outlives the order journal."""

from collections.abc import Iterable

import msgspec

from actors.effects import Effects
from connectors.core.records import Record, encode_record
from connectors.orders.client_id import decode_id, former_owner_part, owner_part
from connectors.orders.tracker import OrderTracker
from protocol.errors import JournalDamaged

JOURNAL = "ids"
OWNERS_MAX = 1_000  # above it the names of further owners are not stored


class IssuedRecord(Record, tag="Issued"):
    """The tag of an order journal, or the whole name of an owner, of which ids contain a part."""

    tag: str = ""
    owner: str = ""


_DECODER = msgspec.msgpack.Decoder(IssuedRecord)


class IssuedIds:
    """The tags and owners of all order journals of this connector, in a journal of their own.

    An order on the exchange whose record was lost, with the end of the order journal or with the whole of it, is
    recognized by its tag and goes to its true owner. A record is written once for each tag and each owner.
    """

    def __init__(self, fx: Effects, tracker: OrderTracker) -> None:
        self.tags: dict[str, None] = {}  # in the order in which they were first used
        self.owners: dict[str, None] = {}
        self._fx = fx
        self._tracker = tracker

    def load(self, records: Iterable[bytes]) -> None:
        """Applies the records of the journal. Raises JournalDamaged for an unknown one."""
        for data in records:
            try:
                record = _DECODER.decode(data)
            except msgspec.MsgspecError as error:
                raise JournalDamaged(f"{self._fx.name}.{JOURNAL}.journal: unknown record ({error})") from None
            if record.tag:
                self.tags[record.tag] = None
            if record.owner:
                self.owners[record.owner] = None

    def add_tag(self, tag: str) -> None:
        """Stores the tag of the order journal, before an id with it is used."""
        if tag not in self.tags:
            self.tags[tag] = None
            self._fx.append(JOURNAL, encode_record(IssuedRecord(tag=tag)))

    def add_owner(self, owner: str) -> None:
        """Stores the name of an owner, before an order of it is placed."""
        if owner not in self.owners and len(self.owners) < OWNERS_MAX:
            self.owners[owner] = None
            self._fx.append(JOURNAL, encode_record(IssuedRecord(owner=owner)))

    def is_ours(self, cl_ord_id: str) -> bool:
        """Whether this connector gave out the id, also under an order journal that is lost."""
        known = decode_id(cl_ord_id)
        return known is not None and (known.tag == self._tracker.tag or known.tag in self.tags)

    def owner_of(self, cl_ord_id: str) -> str:
        """Returns the owner of an id of ours; the part of its name in the id if no such owner is known.

        Ids that were given out before owners were distinguished contain the first nine characters of the name. Among
        several owners with the same nine the first by name is returned.
        """
        known = decode_id(cl_ord_id)
        part = known.owner if known else ""
        names = sorted({*self.owners, *self._tracker.owners})
        for part_of in (owner_part, former_owner_part):
            for name in names:
                if part_of(name) == part:
                    return name
        return part or "unknown"
