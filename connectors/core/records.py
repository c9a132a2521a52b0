"""What the order journal holds. Replaying the records in order rebuilds the tracker exactly.

Fields are only ever appended, with defaults: a journal outlives the version that wrote it.
"""

from decimal import Decimal

import msgspec

from protocol import (
    Fill,
    Liquidity,
    OrdStatus,
    OrdType,
    PositionRow,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from protocol.errors import JournalDamaged


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=True):
    """The base: encoded as the msgpack array [class name, field, field...]."""


class Epoch(Record):
    """A life of the connector begins. The first one of a journal gives it its tag."""

    epoch: int
    tag: str
    ts_ns: int


class Account(Record):
    """The exchange's id of the account that this journal is about; another one later is a mistake."""

    account_id: str


class Scale(Record):
    """What ticks and lots of a market mean in this journal."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal


class Intent(Record):
    """An order is wanted, and its request leaves right after this. `valid_until_ns`: the exchange's own deadline
    for the request. `replaces`: the order that the same request cancels. `adopted`: found on the exchange under an id
    of ours that the journal did not hold."""

    counter: int
    cl_ord_id: str
    owner: str
    intent: int
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    stp: SelfTradePrevention
    price_ticks: int
    size_lots: int
    ts_ns: int
    valid_until_ns: int
    replaces: str = ""
    adopted: bool = False


class Report(Record):
    """News of the exchange about an order; `source` is where it came from (the evidence)."""

    cl_ord_id: str
    status: OrdStatus
    cum_lots: int
    order_id: str
    ts_event_ns: int
    ts_ns: int
    source: str
    reason: str = ""


class FillRecord(Record):
    """One trade, applied once: its id, the place that it takes in the owner's count, and what it says of its order."""

    cl_ord_id: str
    trade_id: int
    last_ticks: int
    last_lots: int
    liquidity: Liquidity
    fee: Decimal
    fee_asset: str
    fill_no: int
    ts_event_ns: int
    ts_ns: int
    source: str
    counted: bool = True  # False: its money was counted before, under an order that had been forgotten since


class CancelWish(Record):
    """The order is to be cancelled; wanted until proof."""

    cl_ord_id: str
    ts_ns: int
    by: str = ""


class Resolved(Record):
    """The order is REJECTED or NOT_PLACED, or UNKNOWN from now on, and by what evidence."""

    cl_ord_id: str
    status: OrdStatus
    evidence: str
    ts_ns: int


class Scanned(Record):
    """Every trade of `symbol` up to `trade_id` is accounted for."""

    symbol: str
    trade_id: int


class Finding(Record):
    """Something that cannot be: told to people, never acted on."""

    cl_ord_id: str
    what: str
    ts_ns: int


class OrderRow(Record):
    """One order of a compaction: its intent and all that was merged since."""

    intent: Intent
    status: OrdStatus
    cum_lots: int
    filled_lots: int
    seen: bool
    doubted: bool
    cancel_wanted: bool
    ended: int  # OrdStatus, or -1
    order_id: str
    reason: str
    ts_event_ns: int
    final_ns: int
    trades: list[int]


class OwnerRow(Record):
    """One owner of a compaction: the count of its fills, its positions, and its latest fills."""

    owner: str
    fill_no: int
    positions: list[PositionRow]
    fills: list[Fill]


class Compaction(Record):
    """The whole tracker in one record; what came before it is not needed any more."""

    epoch: int
    tag: str
    account_id: str
    counter: int
    scales: list[Scale]
    orders: list[OrderRow]
    owners: list[OwnerRow]
    scanned: list[Scanned]
    trades: list[tuple[str, list[int]]]  # symbol -> keys of the trades above `scanned` that were applied


AnyRecord = (
    Epoch | Account | Scale | Intent | Report | FillRecord | CancelWish | Resolved | Scanned | Finding | Compaction
)

_ENCODER = msgspec.msgpack.Encoder(decimal_format="string")
_DECODER: msgspec.msgpack.Decoder[AnyRecord] = msgspec.msgpack.Decoder(AnyRecord)
encode_record = _ENCODER.encode


def decode_record(data: bytes) -> AnyRecord:
    """Raises JournalDamaged for bytes whose checksum holds and that are no record: a newer version wrote them."""
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise JournalDamaged(
            f"order journal: a record that this version does not know ({error}); "
            "start it with the version that wrote it, or move the journal away"
        ) from None
