"""The ledger on disk: torn tails are cut, damage is reported, records are recovered."""

import os

import pytest

from venue.base.venue_errors import BadVenue, LedgerDamaged
from venue.server.ledger_file import MAGIC, LedgerFile, frame, scan

RECORDS = [b"one", b"", b"three" * 100, b"\x00" * 40]


@pytest.fixture
def data():
    return MAGIC + b"".join(frame(number, record) for number, record in enumerate(RECORDS))


def test_records_come_back_over_a_restart(tmp_path):
    path = tmp_path / "sub" / "venue.log"
    log = LedgerFile(path)
    assert log.records == []
    log.append(RECORDS[:2])
    log.append(RECORDS[2:])
    log.close()
    again = LedgerFile(path)
    assert (again.records, again.torn_bytes) == (RECORDS, 0)
    again.append([b"more"])
    again.close()
    assert LedgerFile(path).records == [*RECORDS, b"more"]
    assert os.stat(path).st_mode & 0o077 == 0


def test_every_torn_tail_is_cut_to_the_whole_records_before_it(data):
    for length in range(len(data)):
        records, sound = scan(data[:length], "log")
        assert records == RECORDS[: len(records)]
        assert sound <= length
    assert scan(data, "log") == (RECORDS, len(data))


def test_appending_goes_on_after_a_torn_tail(tmp_path, data):
    path = tmp_path / "venue.log"
    path.write_bytes(data[:-7])
    log = LedgerFile(path)
    assert log.records == RECORDS[:3]
    assert log.torn_bytes > 0
    log.append([b"fresh"])
    log.close()
    assert LedgerFile(path).records == [*RECORDS[:3], b"fresh"]


def test_zeros_after_a_power_loss_are_a_torn_tail(data):
    assert scan(data + b"\x00" * 100, "log") == (RECORDS, len(data))


def test_any_flipped_bit_before_the_last_record_is_reported(data):
    last = len(data) - len(frame(3, RECORDS[3]))
    for at in range(last):
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        with pytest.raises(LedgerDamaged):
            scan(bytes(damaged), "log")


def test_a_file_that_is_not_a_ledger_is_left_alone(tmp_path):
    path = tmp_path / "venue.log"
    path.write_bytes(b"something else entirely")
    with pytest.raises(LedgerDamaged, match="is not a ledger of a venue"):
        LedgerFile(path)
    assert path.read_bytes() == b"something else entirely"
    with pytest.raises(BadVenue, match="ledger_file"):
        LedgerFile(tmp_path)


def test_a_rewritten_log_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "venue.log"
    log = LedgerFile(path)
    log.append(RECORDS)
    log.rewrite([b"state"])
    log.append([b"next"])
    log.close()
    assert LedgerFile(path).records == [b"state", b"next"]
