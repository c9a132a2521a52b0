"""Journal: an append-only file of records; a kill of its process at any instruction loses none (see journal_frame)."""

import errno
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from actors.live.journal_frame import file_head, frame, scan

Sync = Literal["interval", "always", "never"]


class Journal:
    """The one writer of a journal file.

    `sync`: with `always`, append() waits for the disk; with `interval`, the driver calls sync() in batches; with
    `never`, the kernel decides. A killed process loses no record in any of them; a power cut may. `is_dirty`: records
    were written since the last sync(). `torn_bytes`: size of the incomplete tail that was cut when the file was opened.
    Raises JournalDamaged on opening a damaged file.

    After a record that could not be written, or a sync that failed, the journal accepts no record until `rewrite` has
    replaced its whole content: a later record would follow a hole.
    """

    def __init__(self, path: str | Path, sync: Sync = "interval") -> None:
        self.path = Path(path)
        self.torn_bytes = 0
        self.next_seq = 1
        self._mode = sync
        self.is_dirty = False
        self._size = 0
        self._broken = ""  # the reason why no record is accepted
        self._records: list[bytes] = []
        self._swap = threading.Lock()  # sync() in another thread must not use a descriptor that rewrite() closes
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._size = self._recover()
        except BaseException:
            os.close(self._fd)
            raise

    def records(self) -> list[bytes]:
        """Returns the records that the file held when it was opened, oldest first; only once, to free the memory."""
        records, self._records = self._records, []
        return records

    def append(self, record: bytes) -> int:
        """Writes one record and returns its sequence number. Once this returns, the record survives kill -9.

        Raises OSError (disk full, I/O error); then the file is as it was, and only `rewrite` is accepted.
        """
        self._check_open()
        if self._broken:
            raise OSError(errno.EIO, f"journal {self.path} accepts no records until it is rewritten: {self._broken}")
        data = frame(record, self.next_seq)
        try:
            done = os.pwrite(self._fd, data, self._size)
            if done < len(data):
                _write_all(self._fd, data[done:], self._size + done)
        except OSError as error:
            self._undo(error)
            raise self._error(error) from None
        self._size += len(data)
        self.next_seq += 1
        self.is_dirty = True
        if self._mode == "always":
            self.sync()
        return self.next_seq - 1

    def sync(self) -> None:
        """Writes appended records to the disk, if there are any. May run in another thread than append().

        Raises OSError; then only `rewrite` is accepted, because the content of the disk is unknown.
        """
        if not self.is_dirty or self._mode == "never":
            return
        with self._swap:
            try:
                self.is_dirty = False
                os.fdatasync(self._fd)
            except OSError as error:
                self._broken = os.strerror(error.errno or 0)
                raise self._error(error) from None

    def rewrite(self, records: Iterable[bytes]) -> None:
        """Replaces the whole content, all or nothing: a new file is written to the disk, then renamed.

        Raises OSError; then the old content is as it was. After a success records are accepted again.
        """
        self._check_open()
        content, seq = [file_head(self.next_seq)], self.next_seq
        for record in records:
            content.append(frame(record, seq))
            seq += 1
        whole = b"".join(content)
        try:
            fd = _replace(self.path, whole)
        except OSError as error:
            raise self._error(error) from None
        with self._swap:
            os.close(self._fd)
            self._fd, self._size, self.next_seq, self.is_dirty, self._broken = fd, len(whole), seq, False, ""

    def close(self) -> None:
        """Syncs and closes; has no effect if it is closed."""
        if self._fd >= 0:
            if not self._broken:
                self.sync()
            os.close(self._fd)
            self._fd = -1

    def _recover(self) -> int:
        """Reads the file, cuts a torn tail, and returns the size."""
        data = _read_all(self._fd)
        base, self._records, good = scan(data, str(self.path))
        self.next_seq = base + len(self._records)
        self.torn_bytes = len(data) - good
        if good == 0:
            return self._begin_file()
        if self.torn_bytes:
            os.ftruncate(self._fd, good)
            os.fsync(self._fd)
        return good

    def _begin_file(self) -> int:
        """Writes the head of an empty journal. On a full disk the journal stays empty, until it is rewritten."""
        head = file_head(1)
        os.ftruncate(self._fd, 0)
        try:
            _write_all(self._fd, head, 0)
            os.fsync(self._fd)
            _sync_dir(self.path.parent)
        except OSError as error:
            self._undo(error)
            return 0
        return len(head)

    def _undo(self, error: OSError) -> None:
        """Cuts the bytes of a failed write. What cannot be cut is the torn tail of the next opening."""
        self._broken = os.strerror(error.errno or 0)
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)

    def _error(self, error: OSError) -> OSError:
        return OSError(error.errno, f"journal {self.path}: {os.strerror(error.errno or 0)}")

    def _check_open(self) -> None:
        if self._fd < 0:
            raise OSError(errno.EBADF, f"journal {self.path} is closed")


def _replace(path: Path, content: bytes) -> int:
    """Puts a new file in the place of `path`, all or nothing, and returns its descriptor."""
    beside = path.with_name(path.name + ".new")
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _write_all(fd, content, 0)
            os.fsync(fd)
            os.rename(beside, path)
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        os.close(fd)
        beside.unlink(missing_ok=True)
        raise
    return fd


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, at)
        if done == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view, at = view[done:], at + done


def _read_all(fd: int) -> bytes:
    size, parts, at = os.fstat(fd).st_size, [], 0
    while at < size and (part := os.pread(fd, min(size - at, 1 << 24), at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _sync_dir(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
