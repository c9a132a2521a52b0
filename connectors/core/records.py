"""The records of the order journal. Replaying them in order rebuilds the order tracker exactly.

A journal outlives the version that wrote it: fields are only appended, with defaults, and each record keeps its tag
(the first element on disk), also where its class has been renamed since.
"""

from decimal import Decimal
from typing import dataclass_transform

import msgspec

from protocol import (
    Fill,
    Liquidity,
    OrdStatus,
    OrdType,
    PositionRow,
    RefusalCode,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from protocol.errors import JournalDamaged


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=True):
    """The base: encoded as the msgpack array [tag, field, field...]. Times are ns UTC."""


class EpochRecord(Record, tag="Epoch"):
    """A process run of the connector begins. The first record of a journal also gives the journal its tag."""

    epoch: int
    tag: str
    ts_ns: int


class AccountRecord(Record, tag="Account"):
    """The exchange's id of the account that this journal belongs to."""

    account_id: str


class ScaleRecord(Record, tag="Scale"):
    """The size of one tick and of one lot in the records that follow, for one market.

    Powers of ten, and each one divides those before: all of this market is converted. Journals of earlier versions
    have the exchange's tick and lot of that time.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal


class NewOrderRecord(Record, tag="Intent"):
    """A new order; its request leaves right after this record is written.

    `order_ref`: the owner's number of the order (the cmd_id of its PlaceOrder). `valid_until_ns`: until when the
    exchange accepts the request, by the exchange's clock. `replaces`: client order id of the order that the same
    request cancels. `adopted`: found on the exchange under a client order id of this journal, without a record of it.
    """

    counter: int
    cl_ord_id: str
    owner: str
    order_ref: int
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
    tag: str = ""


class ReportRecord(Record, tag="Report"):
    """The exchange reported a new state of an order; `source` names the answer or stream that reported it."""

    cl_ord_id: str
    status: OrdStatus
    cum_lots: int
    order_id: str
    ts_event_ns: int
    ts_ns: int
    source: str
    reason: str = ""


class FillRecord(Record):
    """One trade of an order, applied once. `fill_no`: its number among the owner's fills, from 1.

    `counted` is False if the position already includes this trade, under an order that was dropped since.
    """

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
    counted: bool = True


class CancelRecord(Record, tag="CancelWish"):
    """A cancel is requested by `by`; the request is resent until the exchange confirms that the order is closed."""

    cl_ord_id: str
    ts_ns: int
    by: str = ""


class ResolvedRecord(Record, tag="Resolved"):
    """The order is REJECTED, NOT_PLACED or UNKNOWN from now on; `evidence` is the reason."""

    cl_ord_id: str
    status: OrdStatus
    evidence: str
    ts_ns: int
    refusal: RefusalCode = RefusalCode.NONE


class AmendedRecord(Record, tag="Amended"):
    """The order was reduced on the exchange, which knows it as `alias` since then ("": by our own id)."""

    cl_ord_id: str
    size_lots: int
    alias: str
    ts_ns: int
    source: str


class ForgottenRecord(Record, tag="Forgotten"):
    """The exchange no longer has the order: it has ended with its known fills. `by`: the operator's command, or ""."""

    cl_ord_id: str
    evidence: str
    ts_ns: int
    by: str = ""


class ScannedRecord(Record, tag="Scanned"):
    """Every own trade of `symbol` up to `trade_id` is accounted for."""

    symbol: str
    trade_id: int


class ReleaseRecord(Record, tag="Release"):
    """The ledger of a tag is no longer needed."""

    owner: str
    symbol: str
    tag: str
    ts_ns: int


class FindingRecord(Record, tag="Finding"):
    """A contradiction in what the exchange reported; shown to operators."""

    cl_ord_id: str
    what: str
    ts_ns: int


class ResumedRecord(Record, tag="Resumed"):
    """An operator has checked the findings: the halts of single markets end."""

    ts_ns: int


class OrderRow(Record):
    """One order of a compaction: its terms and its merged state. `ended` is -1 while the order has not ended."""

    terms: NewOrderRecord
    status: OrdStatus
    cum_lots: int
    filled_lots: int
    seen: bool
    doubted: bool
    cancel_wanted: bool
    ended: int
    order_id: str
    reason: str
    ts_event_ns: int
    final_ns: int
    trades: list[int]
    refusal: RefusalCode = RefusalCode.NONE
    size_lots: int = 0  # 0: as in `terms`
    alias: str = ""
    forgotten: bool = False


class OwnerRow(Record):
    """One owner of a compaction: the count of its fills, its positions, its latest fills, and the ledgers of its tags.

    `refused`: how many of its orders the exchange has rejected, by their refusal code.
    """

    owner: str
    fill_no: int
    positions: list[PositionRow]
    fills: list[Fill]
    ledgers: list[PositionRow] = []
    refused: list[tuple[int, int]] = []


class CompactionRecord(Record, tag="Compaction"):
    """The whole tracker in one record, with which the journal begins anew."""

    epoch: int
    tag: str
    account_id: str
    counter: int
    scales: list[ScaleRecord]
    orders: list[OrderRow]
    owners: list[OwnerRow]
    scanned: list[ScannedRecord]
    trades: list[tuple[str, list[int]]]  # by symbol: keys of the applied trades above `scanned` (see trade_ids)
    halts: list[tuple[str, str]] = []  # markets that are halted by a finding, with the reason


AnyRecord = (
    EpochRecord
    | AccountRecord
    | ScaleRecord
    | NewOrderRecord
    | ReportRecord
    | FillRecord
    | CancelRecord
    | ResolvedRecord
    | AmendedRecord
    | ForgottenRecord
    | ScannedRecord
    | ReleaseRecord
    | FindingRecord
    | ResumedRecord
    | CompactionRecord
)

_ENCODER = msgspec.msgpack.Encoder(decimal_format="string")
_DECODER: msgspec.msgpack.Decoder[AnyRecord] = msgspec.msgpack.Decoder(AnyRecord)
encode_record = _ENCODER.encode


def decode_record(data: bytes) -> AnyRecord:
    """Returns the record in `data`. Raises JournalDamaged for an unknown tag: a newer version wrote the journal."""
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise JournalDamaged(
            f"order journal: unknown record ({error}); start the connector with the version that wrote it, "
            "or move the journal away"
        ) from None
