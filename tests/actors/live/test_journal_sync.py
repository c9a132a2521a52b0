"""Appended records reach the disk soon, also those that come as the thread falls asleep."""

import os
import random
import time

import pytest

from actors.live.journal import Journal
from actors.live.journal_sync import AWAKE_BATCHES, BATCH_S, JournalSync


@pytest.mark.slow
def test_every_record_is_synced_also_one_that_comes_as_the_thread_falls_asleep(tmp_path, wait_until):
    journal = Journal(tmp_path / "orders.journal")
    sync = JournalSync([journal])
    chance = random.Random(7)
    for _ in range(30):
        time.sleep(chance.choice([0, BATCH_S, BATCH_S * AWAKE_BATCHES + chance.uniform(-BATCH_S, BATCH_S)]))
        journal.append(b"record")
        sync.wake()
        wait_until(lambda: not journal.is_dirty)
    sync.close()
    journal.close()


def test_many_records_are_synced_at_once_and_without_records_nothing_is_synced(tmp_path, wait_until, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    journal = Journal(tmp_path / "orders.journal")
    sync = JournalSync([journal])
    for _ in range(1_000):
        journal.append(b"record")
        sync.wake()
    wait_until(lambda: not journal.is_dirty)
    time.sleep(BATCH_S * AWAKE_BATCHES * 2)
    assert 1 <= len(synced) <= 100
    sync.close()
    journal.close()
