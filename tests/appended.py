"""Comparison of what is written today with what an older version wrote: fields may have been appended since."""

from typing import Any

import msgspec


def begins_with(new: Any, old: Any) -> bool:
    """Whether decoded msgpack `new` has all of `old`, in place. An array may have further elements at its end."""
    if isinstance(new, list) and isinstance(old, list):
        return len(new) >= len(old) and all(map(begins_with, new, old))
    return bool(new == old)


def encoded_begins_with(new: bytes, old: bytes) -> bool:
    """The same for encoded messages or records."""
    return begins_with(msgspec.msgpack.decode(new), msgspec.msgpack.decode(old))
