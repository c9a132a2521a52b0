"""ClockSync: the exchange's time is read several times, and again after a refused timestamp."""

import pytest

from connectors.net.clock_sync import ClockSync
from connectors.net.server_clock import FRESH_NS, SAMPLES
from tests.connectors.parts import SECOND_NS, Parts


@pytest.fixture
def parts():
    return Parts()


@pytest.fixture
def sync(parts):
    return ClockSync(parts.fx, parts.api, parts.client, parts.clock, parts.changed)


def answer(parts, ahead_s=7):
    parts.fx.answer(b'{"serverTime":%d}' % ((parts.fx.now_ns + ahead_s * SECOND_NS) // 1_000_000))


def test_it_reads_one_after_another_and_then_reports(parts, sync):
    sync.read()
    sync.read()
    for left in range(SAMPLES, 0, -1):
        assert parts.fx.paths == ["GET time"]
        assert parts.changes == 0
        answer(parts)
        assert parts.clock.is_known == (left == 1)
    assert parts.fx.paths == []
    assert (parts.changes, parts.clock.offset_ns) == (1, 7 * SECOND_NS)


def test_a_failed_reading_is_repeated_after_a_second(parts, sync):
    sync.read()
    parts.fx.fail(sent=True)
    assert parts.client.latest_failure
    assert (parts.changes, parts.fx.paths) == (1, [])
    parts.fx.run(1)
    assert parts.fx.paths == ["GET time"]


def test_it_reads_again_when_the_readings_are_old_and_not_before(parts, sync):
    sync.read()
    for _ in range(SAMPLES):
        answer(parts)
    sync.check()
    assert parts.fx.paths == []
    parts.fx.now_ns += FRESH_NS + 1
    sync.check()
    assert parts.fx.paths == ["GET time"]


def test_a_restart_drops_the_readings_and_keeps_the_offset(parts, sync):
    sync.read()
    for _ in range(SAMPLES):
        answer(parts)
    sync.restart()
    assert not parts.clock.is_known
    assert parts.clock.offset_ns == 7 * SECOND_NS
    for _ in range(SAMPLES):
        answer(parts, ahead_s=3)
    assert parts.clock.offset_ns == 3 * SECOND_NS
