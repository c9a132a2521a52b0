"""JournalSync: writes journals to the disk in batches, in a thread of its own, so that no handler waits for a disk."""

import asyncio
import threading
import time
from collections.abc import Sequence

from actors.live.journal import Journal

BATCH_S = 0.005  # time between two syncs: a power cut may lose the records of this time
AWAKE_BATCHES = 20  # batches without a record, after which the thread sleeps until `wake`


class JournalSync:
    """Call `wake` after each append."""

    def __init__(self, journals: Sequence[Journal]) -> None:
        self._journals = journals
        self._wanted = threading.Event()
        self._closing = False
        self._awake = False
        self._calls_soon = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        if self._awake:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
            self._thread.start()
        if self._calls_soon:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._wanted.set()
        else:  # waking a thread takes longer than the append: first the request leaves that follows the record
            self._calls_soon = True
            loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._calls_soon = False
        self._wanted.set()

    def close(self) -> None:
        """Syncs a last time and ends the thread."""
        self._closing = True
        if self._thread is not None:
            self._wanted.set()
            self._thread.join()

    def _run(self) -> None:
        idle = AWAKE_BATCHES
        while not self._closing:
            if idle >= AWAKE_BATCHES:
                self._awake = False
                if not self._is_due():  # or a record came before `wake` could see that the thread sleeps
                    self._wanted.wait()
                self._wanted.clear()
                self._awake = True
            time.sleep(BATCH_S)
            idle = 0 if self._is_due() else idle + 1
            for journal in self._journals:
                try:
                    journal.sync()
                except OSError:
                    continue  # the journal accepts no records until it is rewritten; the next append raises the reason

    def _is_due(self) -> bool:
        return any(journal.is_dirty for journal in self._journals)
