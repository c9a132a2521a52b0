"""A process of the fast-path rows: sends recorded frames as the exchange's websocket does, and accepts orders.

`python -m benchmarks.feeder latency FRAMES` sends a frame, waits for the order that follows it, and repeats. It prints
microseconds from just before the frame is written until the order's first bytes arrive, both by one clock.
`python -m benchmarks.feeder flood FRAMES` sends some frames slowly, until the book is live, then FRAMES as fast as the
connection accepts them. `python -m benchmarks.feeder pace RATE` sends RATE frames a second without end.
First line: {"ready": true, "port": n}; the result follows. Runs where aiohttp is installed.
"""

import asyncio
import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from statistics import quantiles
from typing import Any

import uvloop
from aiohttp import WSMsgType, web
from aiohttp.web_protocol import RequestHandler

from benchmarks.book_tape import BookTape
from benchmarks.script_venue import HEADERS, ScriptVenue, execution, is_order

WARM = 50
GAP_S = 0.003  # between an order and the next frame
WAIT_S = 0.1  # for an order; a bot that is not ready sends none
MS_NS = 1_000_000
FLOOD_BATCH = 64
FLOOD_AHEAD_BYTES, FLOOD_CHECK_S = 1 << 19, 0.001  # some 800 frames in buffers: more than are read in that time
SLOW_FRAMES = 100
SLOW_S = 0.02
PACE_S = 0.01


class Stamped(RequestHandler):
    """A connection that records the arrival time of the first bytes that were not handled yet."""

    rx_ns = 0

    def data_received(self, data: bytes) -> None:
        if not self.rx_ns:
            self.rx_ns = time.monotonic_ns()
        super().data_received(data)

    def pop_rx_ns(self) -> int:
        """Returns when the current message began to arrive, and resets the time."""
        at_ns, self.rx_ns = self.rx_ns, 0
        return at_ns


class Feeder:
    """One bot's exchange."""

    def __init__(self, mode: str, frames: int, names: list[str]) -> None:
        self._mode, self._frames = mode, frames
        self._tape = BookTape(names)
        self._venue = ScriptVenue(names, self._tape.snapshot)
        self._ordered = asyncio.Event()
        self._order_ns = 0
        self._user: web.WebSocketResponse | None = None
        self._player: asyncio.Task[None] | None = None
        self.done = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handles REST requests and websockets."""
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        query = request.query_string
        if request.method == "POST":
            query += "&" + (await request.read()).decode()
        is_placement = request.method == "POST" and request.path == "/api/v3/order"
        self._arrived(request, is_placement)
        body = self._venue.rest(request.method, request.path, query, time.time_ns() // MS_NS)
        if is_placement:
            await self._send_user_event(body)
        return web.Response(body=body, content_type="application/json", headers=HEADERS)

    def _arrived(self, request: web.BaseRequest, is_placement: bool) -> None:
        at_ns = request.protocol.pop_rx_ns()  # type: ignore[attr-defined]
        if is_placement and not self._ordered.is_set():
            self._order_ns = at_ns
            self._ordered.set()

    async def _websocket(self, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        request.protocol.pop_rx_ns()  # type: ignore[attr-defined]
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            data = message.data.encode() if isinstance(message.data, str) else message.data
            placing = is_order(data)
            self._arrived(request, placing)
            for answer in self._venue.frame(data, time.time_ns() // MS_NS):
                await socket.send_str(answer.decode())
                if placing:
                    await self._send_user_event(json.dumps(json.loads(answer)["result"]).encode())
            if b"userDataStream" in data:
                self._user = socket
            if b'"SUBSCRIBE"' in data and self._player is None:
                self._player = asyncio.create_task(self._play(request))
        return socket

    async def _send_user_event(self, order: bytes) -> None:
        if self._user is not None and not self._user.closed:
            await self._user.send_str(execution(json.loads(order)).decode())

    # -- frames ---------------------------------------------------------------------------------------

    async def _play(self, request: web.BaseRequest) -> None:
        transport = request.transport
        assert transport is not None
        frames = iter(self._tape)
        how = {"latency": self._latency, "flood": self._flood, "pace": self._pace}[self._mode]
        result = await how(frames, transport)
        print(json.dumps(result), flush=True)
        self.done.set()

    async def _latency(self, frames: Iterator[bytes], transport: asyncio.Transport) -> dict[str, Any]:
        descriptor = transport.get_extra_info("socket").fileno()
        took_us: list[float] = []
        missed = 0
        while len(took_us) < WARM + self._frames:
            wire = _wire(next(frames))
            self._ordered.clear()
            begun_ns = time.monotonic_ns()
            os.write(descriptor, wire)
            try:
                await asyncio.wait_for(self._ordered.wait(), WAIT_S)
            except TimeoutError:
                missed += bool(took_us)
                continue
            took_us.append((self._order_ns - begun_ns) / 1000)
            await asyncio.sleep(GAP_S)
        hundredths = quantiles(took_us[WARM:], n=100)
        shares = {f"p{part}_us": hundredths[part - 1] for part in (10, 50, 99)}
        return {**shares, "missed": missed, "orders": self._venue.orders}

    async def _flood(self, frames: Iterator[bytes], transport: asyncio.Transport) -> dict[str, Any]:
        for _ in range(SLOW_FRAMES):
            transport.write(_wire(next(frames)))
            await asyncio.sleep(SLOW_S)
        count = self._frames
        batches = [
            b"".join([_wire(next(frames)) for _ in range(min(FLOOD_BATCH, count - sent))])
            for sent in range(0, count, FLOOD_BATCH)
        ]
        begun_ns = time.monotonic_ns()
        for batch in batches:
            transport.write(batch)
            while transport.get_write_buffer_size() > FLOOD_AHEAD_BYTES:
                await asyncio.sleep(FLOOD_CHECK_S)  # sleeps, since the reader may need this core
        return {"begun_ns": begun_ns, "sent": self._frames}

    async def _pace(self, frames: Iterator[bytes], transport: asyncio.Transport) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        due_s, owed = loop.time(), 0.0
        while not transport.is_closing():
            owed += self._frames * PACE_S
            transport.write(b"".join([_wire(next(frames)) for _ in range(int(owed))]))
            owed -= int(owed)
            due_s += PACE_S
            await asyncio.sleep(max(0, due_s - loop.time()))
        return {}


def _wire(payload: bytes) -> bytes:
    """Returns a text frame as a server sends it."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


async def main(mode: str, frames: int, names: list[str]) -> None:
    feeder = Feeder(mode, frames, names)
    handler = web.Server(feeder.handle)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Stamped(handler, loop=loop), "127.0.0.1", 0)
    print(json.dumps({"ready": True, "port": server.sockets[0].getsockname()[1]}), flush=True)
    await feeder.done.wait()
    await loop.run_in_executor(None, sys.stdin.read)  # serves until its input is closed


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] or ["BTCUSDT"]))
