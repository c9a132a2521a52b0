"""Earlier spellings of settings: a run file that was written for an earlier version is still read."""

import types
import typing
from typing import Any

import msgspec

# By class: the earlier name of a field, and its name now. A subclass inherits its entries.
FORMER_NAMES: dict[str, dict[str, str]] = {
    "connectors.net.session:SessionSettings": {"life_ms": "max_age_ms"},
    "connectors.market_data.settings:FeedSettings": {
        "garbage_max": "invalid_frames_max",
        "garbage_ms": "invalid_frames_window_ms",
        "settle_ms": "overlap_ms",
    },
    "connectors.orders.order_settings:OrderSettings": {
        "line_session": "order_session",
        "settle_ms": "late_trades_ms",
        "silence_ms": "user_event_ms",
    },
    "venue.base.settings:VenueSettings": {"limits": "rate_limits", "log_file": "ledger_file"},
    "venue.base.settings:MarketSettings": {"max_position": "max_owned"},
    "venue.sources.profiles:Band": {"life_s": "lifetime_s"},
}


def current(value: Any, kind: Any) -> Any:
    """`value`, a decoded table or list that should become a `kind`, with each field under its name of today.

    A key is renamed only where `kind` has no field of that name; a table with both spellings keeps both, which is
    an error of the earlier one.
    """
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _table(value, kind) if isinstance(value, dict) else value
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return current(value, args[0])
    if origin in (typing.Union, types.UnionType):
        for one in args:
            value = current(value, one)
    elif origin is dict and isinstance(value, dict):
        return {key: current(one, args[1]) for key, one in value.items()}
    elif origin in (list, tuple) and isinstance(value, list):
        return [current(one, args[0]) for one in value]
    return value


def _table(table: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    former: dict[str, str] = {}
    for base in kind.__mro__:
        former |= FORMER_NAMES.get(f"{base.__module__}:{base.__qualname__}", {})
    found = {}
    for key, value in table.items():
        name = former.get(key, key)
        if key in fields or name in table:
            name = key
        found[name] = current(value, fields[name]) if name in fields else value
    return found
