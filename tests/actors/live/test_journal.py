"""The journal: appended records survive any kill, and damage is never read as a torn tail."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from actors.live import journal as journal_module
from actors.live.journal import Journal
from actors.live.journal_frame import MAX_RECORD_BYTES, PAGE_BYTES
from protocol.errors import JournalDamaged

RECORDS = [b"place 1", b"", b"\x00" * 9, b"fill \xff\x00 " * 3, b"cancel 1"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.journal"


def write(path, records, **options):
    journal = Journal(path, **options)
    for record in records:
        journal.append(record)
    journal.close()
    return path.read_bytes()


def read(path):
    journal = Journal(path)
    records = journal.records()
    journal.close()
    return records


@pytest.mark.parametrize("sync", ["interval", "always", "never"])
def test_appended_records_are_read_back_in_order_over_several_process_runs(path, sync):
    write(path, RECORDS[:2], sync=sync)
    write(path, RECORDS[2:], sync=sync)
    assert read(path) == RECORDS
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_truncation_gives_exactly_the_complete_records(path):
    ends = [len(write(path, RECORDS[:n])) for n in range(len(RECORDS) + 1) if not path.unlink(missing_ok=True)]
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        whole = max((n for n, end in enumerate(ends) if end <= cut), default=0)
        journal = Journal(path)
        assert journal.records() == RECORDS[:whole]
        assert journal.torn_bytes == (cut - ends[whole] if cut >= ends[0] else cut)
        journal.append(b"after the cut")
        journal.close()
        assert read(path) == [*RECORDS[:whole], b"after the cut"]


def test_every_flipped_bit_is_found_and_none_is_read_as_a_torn_tail(path):
    data = write(path, RECORDS)
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            path.write_bytes(flipped)
            with pytest.raises(JournalDamaged):
                Journal(path)
            assert path.read_bytes() == flipped, "a damaged journal is left as it is, for a look"


def test_a_flipped_byte_in_front_of_a_torn_tail_is_still_damage(path):
    data = write(path, RECORDS)
    for at in range(len(data) - len(RECORDS[-1])):
        flipped = bytearray(data[:-2])
        flipped[at] ^= 0xFF
        path.write_bytes(flipped)
        with pytest.raises(JournalDamaged):
            Journal(path)


@pytest.mark.parametrize("zeros", [1, 7, 30, 4096])
def test_zeros_that_a_power_cut_leaves_at_the_end_are_cut(path, zeros):
    data = write(path, RECORDS)
    path.write_bytes(data + bytes(zeros))
    assert read(path) == RECORDS
    assert path.read_bytes() == data


def test_pages_that_a_power_cut_kept_from_the_disk_are_cut_wherever_they_begin(path):
    records = [bytes([number]) * (number * 37 % 900) for number in range(1, 40)]
    ends = [len(write(path, records[number : number + 1])) for number in range(len(records))]
    data = path.read_bytes()
    assert len(data) > 3 * PAGE_BYTES
    for boundary in range(PAGE_BYTES, len(data), PAGE_BYTES):
        path.write_bytes(data[:boundary] + bytes(len(data) - boundary))
        assert read(path) == records[: sum(end <= boundary for end in ends)]


def test_zeros_that_begin_anywhere_else_are_damage(path):
    data = write(path, [b"one", b"two"])
    path.write_bytes(data[:-3] + bytes(3))
    with pytest.raises(JournalDamaged):
        Journal(path)


def test_a_record_that_is_missing_in_the_middle_is_damage(path):
    write(path, RECORDS[:1])
    first = len(path.read_bytes())
    write(path, RECORDS[1:2])
    second = len(path.read_bytes())
    data = write(path, RECORDS[2:])
    path.write_bytes(data[:first] + data[second:])
    with pytest.raises(JournalDamaged, match="no valid record 2"):
        Journal(path)


def test_a_file_with_other_content_is_refused_and_not_changed(path):
    path.write_bytes(b"[clock]\ntick_ms = 1000\n")
    with pytest.raises(JournalDamaged, match=str(path)):
        Journal(path)
    assert path.read_bytes().startswith(b"[clock]")


def test_rewriting_replaces_everything_and_the_sequence_goes_on(path):
    journal = Journal(path)
    for record in RECORDS:
        journal.append(record)
    journal.rewrite([b"state"])
    assert journal.append(b"next") == len(RECORDS) + 2
    journal.close()
    assert read(path) == [b"state", b"next"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_rewrite_that_fails_leaves_the_old_content_and_the_journal_usable(path, monkeypatch):
    journal = Journal(path)
    journal.append(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "rename", fails(errno.EIO))
        with pytest.raises(OSError, match=r"orders\.journal"):
            journal.rewrite([b"new"])
    journal.append(b"more")
    journal.close()
    assert read(path) == [b"old", b"more"]


def test_a_full_disk_refuses_the_whole_record_and_names_the_file(path, monkeypatch):
    journal = Journal(path)
    journal.append(b"before")
    real = os.pwrite
    room = [9]

    def pwrite(fd, data, at):
        if room[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = bytes(data)[: room[0]]
        room[0] -= len(part)
        return real(fd, part, at)

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "pwrite", pwrite)
        with pytest.raises(OSError, match=r"orders.journal: No space left") as refused:
            journal.append(b"does not fit")
    assert refused.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match="accepts no records until it is rewritten: No space left"):
        journal.append(b"would follow a hole")
    journal.close()
    assert read(path) == [b"before"]


def test_after_a_record_that_could_not_be_written_a_rewrite_makes_the_journal_whole(path, monkeypatch):
    journal = Journal(path)
    journal.append(b"before")
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "pwrite", fails(errno.ENOSPC))
        for refused in (lambda: journal.append(b"missing"), lambda: journal.rewrite([b"before and missing"])):
            with pytest.raises(OSError, match=r"orders.journal: No space left"):
                refused()
    with pytest.raises(OSError, match="until it is rewritten"):
        journal.append(b"would follow a hole")
    journal.rewrite([b"before and missing"])
    journal.append(b"next")
    journal.close()
    assert read(path) == [b"before and missing", b"next"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_journal_that_begins_on_a_full_disk_opens_empty_and_is_written_once_there_is_room(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "pwrite", fails(errno.ENOSPC))
        journal = Journal(path)
    assert journal.records() == []
    with pytest.raises(OSError, match="until it is rewritten: No space left"):
        journal.append(b"one")
    assert path.read_bytes() == b""
    journal.rewrite([b"one"])
    journal.append(b"two")
    journal.close()
    assert read(path) == [b"one", b"two"]


def test_short_writes_are_continued_to_the_whole_record(path, monkeypatch):
    journal = Journal(path)
    real = os.pwrite
    monkeypatch.setattr(journal_module.os, "pwrite", lambda fd, data, at: real(fd, bytes(data)[:3], at))
    journal.append(b"a record in many pieces")
    monkeypatch.undo()
    journal.close()
    assert read(path) == [b"a record in many pieces"]


def test_after_a_failed_sync_no_record_is_accepted_until_the_content_is_written_anew(path, monkeypatch):
    journal = Journal(path)
    journal.append(b"one")
    monkeypatch.setattr(journal_module.os, "fdatasync", fails(errno.EIO))
    with pytest.raises(OSError, match=r"orders.journal: Input/output error"):
        journal.sync()
    monkeypatch.undo()
    with pytest.raises(OSError, match="accepts no records until it is rewritten"):
        journal.append(b"two")
    journal.rewrite([b"one", b"two"])
    journal.append(b"three")
    journal.close()
    assert read(path) == [b"one", b"two", b"three"]


def test_syncing_is_done_once_for_many_records_and_not_at_all_for_none(path, monkeypatch):
    calls = []
    monkeypatch.setattr(journal_module.os, "fdatasync", calls.append)
    journal = Journal(path)
    journal.sync()
    for record in RECORDS:
        journal.append(record)
    journal.sync()
    journal.sync()
    assert len(calls) == 1


@pytest.mark.process
def test_a_process_that_is_killed_loses_nothing_that_append_returned_for(path):
    code = (
        "import sys\n"
        "from actors.live.journal import Journal\n"
        f"journal = Journal({str(path)!r})\n"
        "while True:\n"
        "    print(journal.append(b'x' * 40), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        for _ in range(200):
            last = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        told = last + child.stdout.read()
    seqs = [int(one) for one in told.split(b"\n")[:-1]]
    assert len(read(path)) >= seqs[-1]


def test_a_record_that_is_too_large_is_refused_before_anything_is_written(path):
    journal = Journal(path)
    with pytest.raises(ValueError, match="the maximum is"):
        journal.append(bytes(MAX_RECORD_BYTES + 1))
    journal.close()
    assert read(path) == []


def fails(number):
    def call(*_args):
        raise OSError(number, os.strerror(number))

    return call
