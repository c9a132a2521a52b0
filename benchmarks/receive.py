"""A measuring process: the processor time of a websocket client for one recorded frame, on uvloop.

`python -m benchmarks.receive picows|aiohttp|websockets`. Each passes the payload as bytes to the same callback, as the
live driver does; benchmarks.feeder sends the frames over loopback as fast as they are read.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
import websockets
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.worker import Worker, serve

FRAMES = 6_000
SLOW_FRAMES = 100  # sent first by benchmarks.feeder; the answer to the subscription is one more frame
SUBSCRIBE = '{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms"],"id":1}'


class FrameCounter:
    """The callback: counts frames, and measures processor time from the first frame of the flood to the last."""

    def __init__(self) -> None:
        self.count = self._begun_ns = self.took_ns = 0
        self.done = asyncio.Event()

    def on_frame(self, _data: bytes) -> None:
        self.count += 1
        if self.count == SLOW_FRAMES + 1:
            self._begun_ns = time.process_time_ns()
        elif self.count == SLOW_FRAMES + 1 + FRAMES:
            self.took_ns = time.process_time_ns() - self._begun_ns
            self.done.set()


async def by_picows(url: str, counter: FrameCounter) -> None:
    class Listener(WSListener):
        def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
            counter.on_frame(frame.get_payload_as_bytes())

    transport, _ = await ws_connect(Listener, url)
    transport.send(WSMsgType.TEXT, SUBSCRIBE.encode())
    await counter.done.wait()
    transport.disconnect()


async def by_aiohttp(url: str, counter: FrameCounter) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=0) as socket:
        await socket.send_str(SUBSCRIBE)
        async for message in socket:
            counter.on_frame(message.data.encode())
            if counter.done.is_set():
                return


async def by_websockets(url: str, counter: FrameCounter) -> None:
    async with websockets.connect(url, compression=None, max_queue=None) as socket:
        await socket.send(SUBSCRIBE)
        while not counter.done.is_set():
            counter.on_frame(await socket.recv(decode=False))


CLIENTS: dict[str, Callable[[str, FrameCounter], Awaitable[None]]] = {
    "picows": by_picows, "aiohttp": by_aiohttp, "websockets": by_websockets,
}  # fmt: skip


def measure(name: str) -> dict[str, Any]:
    """Returns microseconds of processor time per frame."""
    with tempfile.TemporaryDirectory(prefix="tickbus-receive-") as folder:
        command = [sys.executable, "-m", "benchmarks.feeder", "flood", str(FRAMES)]
        feeder = Worker(command, Path(folder) / "stderr")
        try:
            counter = FrameCounter()

            async def play() -> None:
                async with asyncio.timeout(60):
                    await CLIENTS[name](f"ws://127.0.0.1:{feeder.ready['port']}/ws", counter)

            uvloop.run(play())
        finally:
            feeder.close()
    return {"us": counter.took_ns / FRAMES / 1000, "detail": {name: round(counter.took_ns / FRAMES / 1000, 2)}}


if __name__ == "__main__":
    if sys.argv[2:] == ["once"]:
        print(json.dumps(measure(sys.argv[1])))
    else:
        serve(lambda: measure(sys.argv[1]))
