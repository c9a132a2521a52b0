"""Tapped messages as lines of text, as JSON, and raw."""

import json
from typing import Any

import msgspec

from actors.tap import Tapped
from market.levels import unpack_levels
from market.scale import scale_of_message
from monitor.view import plain, stage_text
from protocol import BookDelta, BookSnapshot, Fill, OrderUpdate, Stages, TickReport, TopOfBook
from protocol.message import Message

PACKED = ("bids", "asks")
LEVELS_SHOWN = 3


def as_json(tapped: Tapped) -> str:
    """{"ts", "topic", "seq", "src", "type", "body"} on one line; packed levels as [price_ticks, size_lots] pairs."""
    return json.dumps(
        {
            "ts": tapped.ts_ns,
            "topic": tapped.topic,
            "seq": tapped.seq,
            "epoch": tapped.epoch,
            "src": tapped.sender,
            "lag_ns": tapped.lag_ns,
            "type": _type(tapped),
            "body": _fields(tapped.body) if tapped.body is not None else tapped.raw,
        },
        default=str,
    )


def as_line(tapped: Tapped) -> str:
    """12:00:01.204118 md.sim.BTC-USDT.book. #88121 +0.4ms  the main fields"""
    seconds, nanos = divmod(tapped.ts_ns, 1_000_000_000)
    clock = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{nanos // 1000:06d}"
    return f"{clock} {tapped.topic:<34} #{tapped.seq:<7} {tapped.lag_ns / 1e6:+.1f}ms  {_summary(tapped)}"


def as_raw(tapped: Tapped) -> str:
    """Topic, epoch, seq and all fields, unformatted."""
    body = tapped.body if tapped.body is not None else tapped.raw
    return f"{tapped.topic} {tapped.epoch} {tapped.seq} {tapped.ts_ns} {body!r}"


def _amounts(message: Any, price_ticks: int, *lots: int) -> tuple[str, ...]:
    """A price in quote and sizes in base; in ticks and lots for a message of an earlier version, without a scale."""
    scale = scale_of_message(message)
    if scale is None:
        return str(price_ticks), *map(str, lots)
    return plain(price_ticks * scale.tick), *(plain(one * scale.lot) for one in lots)


def _summary(tapped: Tapped) -> str:
    body = tapped.body
    if body is None:
        return f"{_type(tapped)} (of an unknown type)"
    if isinstance(body, (BookSnapshot, BookDelta)):
        return f"{_type(tapped)} {body.update_id}  bids {_levels(body.bids)}  asks {_levels(body.asks)}"
    if isinstance(body, TopOfBook):
        bid, ask = (_amounts(body, body.bid_ticks, body.bid_lots), _amounts(body, body.ask_ticks, body.ask_lots))
        return f"{bid[0]} x {bid[1]} | {ask[0]} x {ask[1]}"
    if isinstance(body, OrderUpdate):
        reason = f"  {body.reason}" if body.reason else ""
        price, size, filled = _amounts(body, body.price_ticks, body.size_lots, body.cum_lots)
        unit = " ticks" if body.price_digits < 0 else ""
        return f"{body.cl_ord_id} {body.status.name} {body.side.name} {size} @ {price}{unit}  filled {filled}{reason}"
    if isinstance(body, Fill):
        fee = f"{plain(body.fee)} {body.fee_asset}"
        price, size = _amounts(body, body.last_ticks, body.last_lots)
        unit = " ticks" if body.price_digits < 0 else ""
        return f"FILL {body.cl_ord_id} {body.side.name} {size} @ {price}{unit}  fee {fee}"
    if isinstance(body, TickReport):
        hops = " ".join(f"{name} {us:.0f}us" for name, us in body.hops)
        return f"tick {body.n} took {body.took_ns / 1e3:.0f}us  {hops}" + (f"  LATE {body.late}" if body.late else "")
    if isinstance(body, Stages):
        return "us " + stage_text(body)
    return f"{_type(tapped)} " + " ".join(
        f"{key}={value}" for key, value in _fields(body).items() if value not in ("", [])
    )


def _levels(packed: bytes) -> str:
    levels = unpack_levels(packed)
    shown = " ".join(f"{price}x{size}" for price, size in levels[:LEVELS_SHOWN])
    return f"[{len(levels)}] {shown}" + (" ..." if len(levels) > LEVELS_SHOWN else "")


def _fields(body: Message) -> dict[str, Any]:
    """Name and value of each field, in types of JSON."""
    found: dict[str, Any] = {}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        found[name] = unpack_levels(value) if name in PACKED and isinstance(value, bytes) else _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return _fields(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.name if hasattr(value, "name") else msgspec.to_builtins(value)


def _type(tapped: Tapped) -> str:
    if tapped.body is not None:
        return type(tapped.body).__name__
    return str(tapped.raw[0]) if isinstance(tapped.raw, list) and tapped.raw else "?"
