"""Whatever is appended reaches the disk soon, however it falls on the thread's sleep."""

import os
import random
import time

from actors.live.journal import Journal
from actors.live.journal_sync import AWAKE_BATCHES, BATCH_S, Syncer


def test_every_record_is_synced_also_one_that_comes_as_the_thread_falls_asleep(tmp_path, wait_until):
    journal = Journal(tmp_path / "orders.journal")
    syncer = Syncer([journal])
    chance = random.Random(7)
    for _ in range(30):
        time.sleep(chance.choice([0, BATCH_S, BATCH_S * AWAKE_BATCHES + chance.uniform(-BATCH_S, BATCH_S)]))
        journal.append(b"record")
        syncer.wake()
        wait_until(lambda: not journal.is_dirty)
    syncer.close()
    journal.close()


def test_the_disk_is_asked_once_for_many_records_and_not_at_all_for_none(tmp_path, wait_until, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    journal = Journal(tmp_path / "orders.journal")
    syncer = Syncer([journal])
    for _ in range(1_000):
        journal.append(b"record")
        syncer.wake()
    wait_until(lambda: not journal.is_dirty)
    time.sleep(BATCH_S * AWAKE_BATCHES * 2)
    assert 1 <= len(synced) <= 100
    syncer.close()
    journal.close()
