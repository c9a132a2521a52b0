"""LedgerFile: the venue's ledger on disk: append-only, with length, sequence and CRC per record; a torn tail is cut."""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

from venue.base.venue_errors import BadVenue, LedgerDamaged, LedgerInUse

MAGIC = b"TBVENUE1"
_START = struct.Struct("<IQ")
"""Length and sequence number of the record; a CRC-32 of these two and one of the record follow."""
_CHECKS = struct.Struct("<II")
HEAD_BYTES = _START.size + _CHECKS.size
COMPACT_BYTES = 32 * 1024 * 1024
"""A ledger longer than this is compacted at start: rewritten as its final state."""


def frame(sequence: int, record: bytes) -> bytes:
    """The bytes of a record in the file."""
    start = _START.pack(len(record), sequence)
    return start + _CHECKS.pack(zlib.crc32(start), zlib.crc32(record)) + record


def scan(data: bytes, name: str) -> tuple[list[bytes], int]:
    """The records of a ledger, and the length of its valid part. Raises LedgerDamaged for damage before the tail.

    A tail is torn if the file ends inside a record, the last record fails its check, or only zeros follow.
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise LedgerDamaged(f"{name} is not a ledger of a venue: move it away, or set another ledger_file")
    if len(data) < len(MAGIC):
        return [], 0
    records: list[bytes] = []
    at = len(MAGIC)
    while at + HEAD_BYTES <= len(data):
        start = data[at : at + _START.size]
        length, sequence = _START.unpack(start)
        start_crc, record_crc = _CHECKS.unpack_from(data, at + _START.size)
        end = at + HEAD_BYTES + length
        if zlib.crc32(start) != start_crc or sequence != len(records):
            if not any(data[at:]):
                break
            raise _damaged(name, len(records), at)
        if end > len(data):
            break
        record = data[at + HEAD_BYTES : end]
        if zlib.crc32(record) != record_crc:
            if end == len(data):
                break
            raise _damaged(name, len(records), at)
        records.append(record)
        at = end
    return records, at


def _damaged(name: str, number: int, at: int) -> LedgerDamaged:
    return LedgerDamaged(f"{name}: record {number} at byte {at} fails its check: restore the file, or move it away")


class LedgerFile:
    """An open ledger. When `append` returns, the records survive a crash of the process, but not a power loss."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file. Raises BadVenue or LedgerInUse for an unusable path, LedgerDamaged."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            data = path.read_bytes()
        except BlockingIOError:
            raise LedgerInUse(f"ledger_file {path} is in use by another venue: stop it, or set another file") from None
        except OSError as error:
            raise BadVenue(f"ledger_file {path}: {error.strerror}") from None
        self.records, sound = scan(data, str(path))
        self.torn_bytes = len(data) - sound
        self.length = sound
        if self.torn_bytes:
            os.ftruncate(self._fd, sound)
        os.lseek(self._fd, sound, os.SEEK_SET)
        if sound < len(MAGIC):
            self._write(MAGIC)
        self._sequence = len(self.records)

    def append(self, records: Iterable[bytes]) -> None:
        """Writes records with one call. Raises OSError if the disk does not accept them."""
        framed = []
        for record in records:
            framed.append(frame(self._sequence, record))
            self._sequence += 1
        if framed:
            self._write(b"".join(framed))

    def rewrite(self, records: Iterable[bytes]) -> None:
        """Replaces all records atomically."""
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        other = LedgerFile(fresh)
        other.append(records)
        os.fsync(other._fd)
        os.replace(fresh, self.path)
        os.close(self._fd)
        self._fd, self.length, self._sequence = other._fd, other.length, other._sequence

    def close(self) -> None:
        os.close(self._fd)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]
        self.length += len(data)
