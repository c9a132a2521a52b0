"""Messages that keep streams complete and processes governable: snapshots, heartbeats, answers, health, control."""

from enum import IntEnum

from protocol.enums import RefusalCode
from protocol.message import Command, Message
from protocol.ticks import Int64, StreamPosition


class AnswerCode(IntEnum):
    """The result of a command. The receiver sends the first three; the sender's own runtime adds the others."""

    OK = 0
    REFUSED = 1
    EXPIRED = 2
    UNREACHABLE = 3  # not sent: the receiver is not connected
    SILENT = 4  # sent, and no answer by its deadline: it may or may not have taken effect


class Answer(Message):
    """The one answer to a command. `refusal`: the cause of a REFUSED."""

    cmd_id: int
    code: AnswerCode
    text: str = ""
    refusal: RefusalCode = RefusalCode.NONE


class SnapshotRequest(Message):
    """Requests a snapshot of each stream under `prefix`. `cursor`: what the sender has (orders: its last fill_no)."""

    prefix: str
    cursor: int = 0


class Snapshot(Message):
    """The state of stream `topic` at (`epoch`, `seq`). `body`: an encoded message with the whole state, or empty."""

    topic: str
    epoch: Int64
    seq: Int64
    body: bytes = b""


class Heartbeat(Message):
    """Sent each second by every actor from its own loop. `streams`: the position of each stream that it publishes.

    `lost`: messages missing in followed streams. `invalid_frames`: frames that could not be decoded. `duplicates`:
    frames discarded as old. `rss_bytes`: resident memory of the process; 0 in a simulation.
    `refused_frames`: frames of senders that may not command this actor.
    """

    pid: int
    ticks: int
    streams: list[StreamPosition] = []
    lost: int = 0
    invalid_frames: int = 0
    duplicates: int = 0
    state: str = ""
    detail: str = ""
    loop: str = ""
    rss_bytes: int = 0
    refused_frames: int = 0


class Health(Message):
    """The state that an actor reports for itself, when it changes: a state in capitals, and a short detail."""

    state: str
    detail: str = ""


class Stages(Message):
    """Durations of an actor's work in the last second: (stage, count, p50, p99), in microseconds."""

    rows: list[tuple[str, int, float, float]]


class Control(Command):
    """An operator's `command` is "stop", "pause", "resume" or "cancel_all"; for strategies also "flatten", for
    connectors "forget".

    `argument`: the reason of a pause, the market of cancel_all ("": all), the order to forget.
    """

    command: str
    argument: str = ""
