"""A journal's bytes: the frame of a record, and which part of a file is complete, torn or damaged.

    file:   TBJRNL 01 00 | first seq u64 | crc32 u32 of all before
    record: B5 4A | length u32 | seq u64 | crc32 u32 of payload | crc32 u32 of all before | payload

Little-endian. The head has its own CRC, so that a damaged length is not read as a record that runs past the
end: only a file that ends early (or that a power cut left with zeros at its end) has a torn tail.
"""

from struct import Struct
from zlib import crc32

from protocol.errors import JournalDamaged

MAX_RECORD_BYTES = 16 * 1024 * 1024
MAGIC = b"TBJRNL\x01\x00"
RECORD_MAGIC = b"\xb5J"
ADVICE = "move the file away and keep it; without it the actor starts from the exchange's state"
_FILE = Struct("<8sQ")
_HEAD = Struct("<2sIQI")
_CRC = Struct("<I")
PAGE_BYTES = 4096
FILE_BYTES = _FILE.size + _CRC.size
HEAD_BYTES = _HEAD.size + _CRC.size


def frame(record: bytes, seq: int) -> bytes:
    """The bytes of one record in the file. Raises ValueError if it is too large."""
    if len(record) > MAX_RECORD_BYTES:
        raise ValueError(f"a record of {len(record)} bytes: the maximum is {MAX_RECORD_BYTES}")
    head = _HEAD.pack(RECORD_MAGIC, len(record), seq, crc32(record))
    return b"%b%b%b" % (head, crc32(head).to_bytes(4, "little"), record)


def file_head(seq: int) -> bytes:
    """The beginning of a file whose first record will be `seq`."""
    head = _FILE.pack(MAGIC, seq)
    return head + _CRC.pack(crc32(head))


def scan(data: bytes, name: str) -> tuple[int, list[bytes], int]:
    """Returns (sequence number of the first record, records, size of the complete part). Raises JournalDamaged."""
    if len(data) < FILE_BYTES or not any(data):
        if data and not file_head(1).startswith(data) and any(data):
            raise JournalDamaged(f"{name} is not a journal: its first bytes are {data[:8]!r}")
        return 1, [], 0
    magic, base = _FILE.unpack_from(data)
    if magic != MAGIC or _CRC.unpack_from(data, _FILE.size)[0] != crc32(data[: _FILE.size]):
        raise JournalDamaged(f"{name}: the checksum of its file header is wrong; {ADVICE}")
    at, seq = FILE_BYTES, base
    records: list[bytes] = []
    while len(data) - at >= HEAD_BYTES:
        magic, length, number, crc = _HEAD.unpack_from(data, at)
        head_crc = _CRC.unpack_from(data, at + _HEAD.size)[0]
        if magic != RECORD_MAGIC or head_crc != crc32(data[at : at + _HEAD.size]) or number != seq:
            break
        end = at + HEAD_BYTES + length
        if end > len(data):
            return base, records, at  # a complete head, and a payload that ends early: torn
        payload = data[at + HEAD_BYTES : end]
        if crc != crc32(payload):
            if _was_cut(data, end):
                return base, records, at
            raise JournalDamaged(f"{name}: the checksum of record {seq} at byte {at} is wrong; {ADVICE}")
        records.append(payload)
        at, seq = end, seq + 1
    rest = data[at:]
    is_torn = not any(rest) or (len(rest) < HEAD_BYTES and _starts_a_head(rest, seq)) or _was_cut(data, at + HEAD_BYTES)
    if not is_torn:
        raise JournalDamaged(f"{name}: no valid record {seq} follows byte {at}; {ADVICE}")
    return base, records, at


def _was_cut(data: bytes, end: int) -> bool:
    """Whether all bytes from a page boundary before `end` on are zeros: pages that a power cut kept from the disk."""
    written = len(data.rstrip(b"\x00"))
    boundary = -(-written // PAGE_BYTES) * PAGE_BYTES
    return boundary < end and boundary < len(data)


def _starts_a_head(rest: bytes, seq: int) -> bool:
    """Whether these few bytes can be the beginning of record `seq` and nothing else."""
    if len(rest) <= 2:
        return RECORD_MAGIC.startswith(rest)
    return rest.startswith(RECORD_MAGIC) and seq.to_bytes(8, "little").startswith(rest[6:14])
