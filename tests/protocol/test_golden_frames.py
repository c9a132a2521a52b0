"""Frames written by the first version: read as the same messages today, and only longer since, by appended fields."""

from decimal import Decimal as D
from pathlib import Path

import pytest

from protocol import (
    Answer,
    AnswerCode,
    Balances,
    BookDelta,
    BookSnapshot,
    BookStatus,
    CancelAll,
    CancelOrder,
    Control,
    Fill,
    Health,
    Heartbeat,
    Join,
    Leave,
    Liquidity,
    Message,
    OrdersSnapshot,
    OrderUpdate,
    OrdStatus,
    OrdType,
    PlaceOrder,
    PositionRow,
    Refusals,
    ReleaseTag,
    ReplaceOrder,
    Rules,
    SelfTradePrevention,
    Side,
    Snapshot,
    SnapshotRequest,
    Stages,
    StreamState,
    Tick,
    TickDone,
    TickReport,
    TimeInForce,
    TopOfBook,
    Trade,
    Welcome,
)
from protocol.frame import body, pack, prefix, split
from protocol.message import Command
from tests.appended import encoded_begins_with

NEWER = {ReleaseTag, Refusals}  # message types that the first version did not have
GOLDEN = Path(__file__).parents[1] / "golden" / "bus_frames.txt"
MARKS = [("md.binance.BTC-USDT.book.", 7, 9), ("sys.binance.heart.", 7, 2**40)]
LEVELS = bytes(range(32))
UPDATE = OrderUpdate(
    "maker", 77, "tb-1", "BTC-USDT", Side.SELL, OrdType.LIMIT_MAKER, 6_000_000, 12, 5, OrdStatus.PARTIALLY_FILLED,
    "9001", "why", 1_700_000_000_000_000_001, True,
)  # fmt: skip
FILL = Fill(
    "maker", 77, "tb-1", "555", "BTC-USDT", Side.SELL, 6_000_000, 5, 5, Liquidity.MAKER, D("0.00012"), "BNB", 3, 17,
)  # fmt: skip
POSITION = PositionRow("BTC-USDT", 10, 5, D("600.10"), D("300.05"), [("BNB", D("0.00012"))])

# Fields by place, so that a field may be renamed and its place may not change.
MESSAGES = [
    Tick(5, 1_700_000_000_000_000_000, 1_000_000_000),
    Tick(5, 1_700_000_000_000_000_000, 1_000_000_000, MARKS, 2, ["maker"], ["md.binance.BTC-USDT.book."]),
    TickDone(5),
    TickDone(5, MARKS, 12_345, 2**63 - 1, 4),
    Join("maker", 7),
    Join("maker", 7, ["binance"], ["md.binance."], 250),
    Leave("maker", 7),
    Welcome(),
    Welcome(5),
    TickReport(5, 1_700_000_000_000_000_000, 10, 20, 1),
    TickReport(5, 1_700_000_000_000_000_000, 10, 20, 1, [("maker", 1.5)], ["watcher"], 6, 1, 2, 3, 4),
    Answer(8, AnswerCode.OK),
    Answer(8, AnswerCode.REFUSED, "paused"),
    SnapshotRequest("ord.binance.maker."),
    SnapshotRequest("ord.binance.maker.", 3),
    Snapshot("ord.binance.maker.", 7, 9),
    Snapshot("ord.binance.maker.", 7, 9, b"body"),
    Heartbeat(4242, 6),
    Heartbeat(4242, 6, MARKS, 1, 2, 3, "OK", "detail", "uvloop", 123),
    Health("DEGRADED"),
    Health("DEGRADED", "no user stream"),
    Stages([("bus", 10, 1.5, 9.25)]),
    Control(8, 99, "pause"),
    Control(8, 99, "cancel_all", "BTC-USDT"),
    Rules("BTC-USDT", "BTC", "USDT", D("0.01"), D("0.00001"), 1, 10**8, 1, 10**9, D(5)),
    Rules(
        "BTC-USDT", "BTC", "USDT", D("0.01"), D("0.00001"), 1, 10**8, 1, 10**9, D(5), D(9_000_000), 10**7, 8, 8,
        D("0.001"), D("0.002"), False,
    ),
    BookSnapshot("BTC-USDT", 100, LEVELS, b""),
    BookSnapshot("BTC-USDT", 100, LEVELS, LEVELS, 1, 2, StreamState.POLLING),
    BookDelta("BTC-USDT", 101, 103, LEVELS, b""),
    BookDelta("BTC-USDT", 101, 103, LEVELS, LEVELS, 1, 2),
    BookStatus("BTC-USDT", StreamState.STALE),
    BookStatus("BTC-USDT", StreamState.STALE, "gap"),
    TopOfBook("BTC-USDT", 100, 1, 2, 3, 4),
    TopOfBook("BTC-USDT", 100, 1, 2, 3, 4, 5, 6),
    Trade("BTC-USDT", 1, Side.BUY, 2, 3),
    Trade("BTC-USDT", 1, Side.SELL, 2, 3, 4, 5),
    PlaceOrder(8, 99, "BTC-USDT", Side.BUY, 6_000_000, 12),
    PlaceOrder(
        8, 99, "BTC-USDT", Side.SELL, 6_000_000, 12, OrdType.MARKET, TimeInForce.IOC, SelfTradePrevention.TRANSFER,
        4, 5,
    ),
    CancelOrder(9, 99, 8),
    CancelAll(10, 99),
    CancelAll(10, 99, "BTC-USDT"),
    ReplaceOrder(11, 99, 8, 6_000_001, 13),
    OrderUpdate("maker", 77, "tb-1", "BTC-USDT", Side.BUY, OrdType.LIMIT, 6_000_000, 12, 0, OrdStatus.PENDING_NEW),
    UPDATE,
    Fill("maker", 77, "tb-1", "555", "BTC-USDT", Side.BUY, 6_000_000, 5, 5, Liquidity.TAKER, D(0), ""),
    FILL,
    POSITION,
    OrdersSnapshot("maker", [], []),
    OrdersSnapshot("maker", [UPDATE], [POSITION], [FILL], 3),
    Balances([]),
    Balances([("BTC", D("1.5"), D(0)), ("USDT", D("1E+3"), D("0.1"))], 5, True),
]  # fmt: skip


def frame_of(number: int, message: Message) -> bytes:
    """The frame of one of MESSAGES: topic, epoch, seq and time differ from each to each."""
    return pack(prefix(f"golden.{type(message).__name__}."), 7 + number, 2**33 + number, 10**18 + number, message)


def written() -> list[bytes]:
    return [bytes.fromhex(line) for line in GOLDEN.read_text().split()]


@pytest.mark.parametrize(("number", "message"), list(enumerate(MESSAGES)))
def test_a_frame_of_the_first_version_is_written_and_read_today(number: int, message: Message) -> None:
    frame = written()[number]
    today = frame_of(number, message)
    offset = split(frame)[4]
    assert today[:offset] == frame[:offset]
    assert encoded_begins_with(today[offset:], frame[offset:])
    assert body(frame, offset) == message


def test_every_message_type_of_the_first_version_is_among_the_golden_frames() -> None:
    ours = {
        kind for kind in Message.__subclasses__() + Command.__subclasses__() if kind.__module__.startswith("protocol.")
    }
    assert ours - {Command} - NEWER == {type(message) for message in MESSAGES}
    assert len(written()) == len(MESSAGES)
