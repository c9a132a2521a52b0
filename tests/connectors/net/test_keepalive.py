"""KeepAlive: a silent connection is probed before it is dropped."""

import structlog

from connectors.core.reports import StreamEnded
from connectors.net.keepalive import INVALID_FRAMES_MAX, KeepAlive


class FakeSession:
    """Notes the calls."""

    def __init__(self) -> None:
        self.sent, self.recycled, self.renewed = [], [], []

    def send(self, data):
        self.sent.append(data)
        return True

    def recycle(self, reason):
        self.recycled.append(reason)

    def renew(self, reason):
        self.renewed.append(reason)


def made():
    return KeepAlive(structlog.get_logger(), "test", lambda: "ping"), FakeSession()


def test_an_answered_probe_keeps_the_connection():
    keepalive, session = made()
    for _ in range(3):
        keepalive.on_silence(session, 5_000)
        keepalive.clear_probe()
    assert (session.sent, session.recycled) == (["ping"] * 3, [])


def test_a_probe_without_an_answer_drops_it():
    keepalive, session = made()
    keepalive.on_silence(session, 5_000)
    keepalive.on_silence(session, 10_000)
    assert session.recycled == ["no answer to a probe, 10000 ms of silence"]


def test_invalid_frames_count_in_a_row():
    keepalive, session = made()
    for _ in range(3):
        for _ in range(INVALID_FRAMES_MAX):
            keepalive.on_invalid_frame(session, ValueError("x"))
        keepalive.on_valid_frame()
    assert session.recycled == []
    for _ in range(INVALID_FRAMES_MAX + 1):
        keepalive.on_invalid_frame(session, ValueError("x"))
    assert session.recycled == ["only invalid frames"]


def test_an_announced_end_is_a_handover_and_a_sudden_one_a_reconnect():
    keepalive, session = made()
    keepalive.on_end(session, StreamEnded("soon", is_soon=True))
    keepalive.on_end(session, StreamEnded("now"))
    assert (session.renewed, session.recycled) == (["soon"], ["now"])
