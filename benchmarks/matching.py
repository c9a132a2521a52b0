"""A measuring process: packed commands to the matching engine alone. The argument names the implementation."""

import struct
import sys
import time
from random import Random
from typing import Any

from benchmarks.worker import serve
from market.codes import OP_CANCEL, OP_SUBMIT, ROW_BYTES
from market.matching import IMPLEMENTATION, FastMatching, PlainMatching
from protocol.enums import OrdType, SelfTradePrevention, Side, TimeInForce

COMMANDS = {"ours": 1_000_000, "plain": 50_000}
"""Fewer for the Python implementation, which would need a minute for a million."""
COMPARED = 50_000
CHUNK_ROWS = 500
"""Rows in one call, so that input and output fit into the processor's cache."""
ACCOUNTS = 20
MIDDLE_TICKS = 10_000
MEAN_DISTANCE_TICKS = 12
LARGEST_LOTS = 100
RESTING = 2_000


def rows(count: int, seed: int = 1) -> bytes:
    """Returns packed commands: limit orders around a mid price, a fifth across it; market, IOC, FOK; cancels."""
    rnd = Random(seed)
    packed: list[tuple[int, ...]] = []
    placed: list[int] = []
    for order_id in range(1, count + 1):
        if len(placed) > RESTING:
            at = rnd.randrange(len(placed))
            placed[at], placed[-1] = placed[-1], placed[at]
            packed.append((OP_CANCEL, placed.pop(), 0, 0, 0, 0, 0, 0, 0))
            continue
        side, kind = rnd.choice((Side.BUY, Side.SELL)), rnd.random()
        distance = int(rnd.expovariate(1 / MEAN_DISTANCE_TICKS)) * (-1 if rnd.random() < 0.2 else 1)
        price_ticks = MIDDLE_TICKS - distance if side is Side.BUY else MIDDLE_TICKS + distance
        ord_type, tif = OrdType.LIMIT, TimeInForce.GTC
        if kind < 0.05:
            ord_type = OrdType.MARKET
        elif kind < 0.1:
            tif = rnd.choice((TimeInForce.IOC, TimeInForce.FOK))
        else:
            placed.append(order_id)
        stp = rnd.choice(tuple(SelfTradePrevention)[:5])
        size_lots = rnd.randint(1, LARGEST_LOTS)
        packed.append((OP_SUBMIT, order_id, rnd.randrange(ACCOUNTS), side, ord_type, tif, price_ticks, size_lots, stp))
    return b"".join(struct.pack("<9q", *row) for row in packed)


def measure(engine_class: Any, data: bytes) -> dict[str, Any]:
    """Returns commands per second of processor time through a new engine; other processes on the core do not count."""
    engine = engine_class()
    step = CHUNK_ROWS * ROW_BYTES
    chunks = [data[at : at + step] for at in range(0, len(data), step)]
    compared_at = COMPARED // CHUNK_ROWS
    outcome = 0
    start_ns = time.process_time_ns()
    for number, chunk in enumerate(chunks, start=1):
        engine.submit_many(chunk)
        if number == compared_at:
            outcome = engine.state_hash()
    took_ns = time.process_time_ns() - start_ns
    return {"commands_per_s": len(data) // ROW_BYTES / took_ns * 1e9, "detail": {"outcome": outcome}}


def main(side: str) -> None:
    engine_class = PlainMatching if side == "plain" or FastMatching is None else FastMatching
    data = rows(COMMANDS[side])
    serve(lambda: measure(engine_class, data), detail={"implementation": IMPLEMENTATION})


if __name__ == "__main__":
    main(sys.argv[1])
