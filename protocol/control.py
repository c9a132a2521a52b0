"""What keeps streams whole and processes governable: snapshots, heartbeats, answers, health, control."""

from enum import IntEnum

from protocol.clock import Int64, Mark
from protocol.message import Command, Message


class AnswerCode(IntEnum):
    """What became of a command. Only the first three come from the receiver; the rest are the sender's own finding."""

    OK = 0
    REFUSED = 1
    EXPIRED = 2
    UNREACHABLE = 3  # not sent: the receiver is not connected
    SILENT = 4  # sent, and no answer by its deadline: it may or may not have been acted on


class Answer(Message):
    """The one answer to a command."""

    cmd_id: int
    code: AnswerCode
    text: str = ""


class SnapshotRequest(Message):
    """Send me every stream under `prefix` as it stands. `cursor`: what the asker has (orders: its last fill_no)."""

    prefix: str
    cursor: int = 0


class Snapshot(Message):
    """Stream `topic` stands at (`epoch`, `seq`); `body` is the encoded message that says all (or empty)."""

    topic: str
    epoch: Int64
    seq: Int64
    body: bytes = b""


class Heartbeat(Message):
    """Sent each second by every actor from its own loop. `streams`: the position of each stream that it publishes.

    `lost`: messages missing in followed streams. `invalid_frames`: frames that could not be decoded. `duplicates`:
    frames discarded as old. `rss_bytes` is not filled: it keeps its place on the wire.
    """

    pid: int
    ticks: int
    streams: list[Mark] = []
    lost: int = 0
    invalid_frames: int = 0
    duplicates: int = 0
    state: str = ""
    detail: str = ""
    loop: str = ""
    rss_bytes: int = 0


class Health(Message):
    """An actor's own word on itself, when it changes: state in capitals, detail in a few words."""

    state: str
    detail: str = ""


class Stages(Message):
    """Where an actor's time went in the last second: for each stage how often, p50 and p99 in microseconds."""

    rows: list[tuple[str, int, float, float]]


class Control(Command):
    """An order from a person: verb "stop", "pause", "resume", "cancel_all"."""

    verb: str
    argument: str = ""
