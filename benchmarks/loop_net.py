"""A connector without a network: it gets frames as bytes from memory, and its order's bytes end there.

Replaces actors.live.network.Network in a process of its own: `python -m benchmarks.loop_net FOLDER FRAMES`.
Prints {"p50_us": ..., "p99_us": ...}: from the frame's bytes to the order's.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import msgspec

from actors.live.driver import Live
from actors.log.log import make_log
from actors.net import HttpAnswer, HttpRequest, Link
from benchmarks.book_tape import BookTape
from benchmarks.fast_actors import KeyedSpot, connector_settings
from benchmarks.script_venue import HEADERS, ScriptVenue, execution, is_order

WARM = 100
GAP_S = 0.002  # a pause, in which the bot finishes its work for the last order
WAIT_S = 0.1
MS_NS = 1_000_000


class LoopNet:
    """Sends `frames` frames to the first connection that subscribes, each after the order for the one before."""

    frames = 0

    def __init__(self, event: Callable[..., None], _folder: Path, _log: Any) -> None:
        self._event = event
        self._loop = asyncio.get_running_loop()
        tape = BookTape(["BTCUSDT"])
        self._tape: Iterator[bytes] = iter(tape)
        self._venue = ScriptVenue(tape.names, tape.snapshot)
        self._user: Link | None = None
        self._market: Link | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun_ns = 0
        self._took_us: list[float] = []

    def http(self, request: HttpRequest, then: Any) -> None:
        path, _, query = request.url.split("//", 1)[1].partition("/")[2].partition("?")
        if request.method == "POST" and self._begun_ns:
            self._ordered()
        body = self._venue.rest(request.method, f"/{path}", query, time.time_ns() // MS_NS)
        self._loop.call_soon(self._event, then, HttpAnswer(200, HEADERS, body))

    def ws_connect(self, link: Link) -> None:
        link.is_open = True
        self._loop.call_soon(self._event, link.listener.ws_opened, link)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        raw = data.encode() if isinstance(data, str) else data
        if is_order(raw) and self._begun_ns:
            self._ordered()
        for answer in self._venue.frame(raw, time.time_ns() // MS_NS):
            self._loop.call_soon(self._event, link.listener.ws_frame, link, answer)
            if is_order(raw) and self._user is not None:
                event = execution(json.loads(answer)["result"])
                self._loop.call_soon(self._event, self._user.listener.ws_frame, self._user, event)
        if b"userDataStream" in raw:
            self._user = link
        if b'"SUBSCRIBE"' in raw and self._market is None:
            self._market = link
            self._loop.call_later(GAP_S, self._play)

    def ws_close(self, link: Link) -> None:
        link.is_open, link.is_closed = False, True
        self._loop.call_soon(self._event, link.listener.ws_closed, link, "closed by us")

    async def close(self) -> None:
        """Does nothing: no socket is open."""

    def _ordered(self) -> None:
        self._took_us.append((time.monotonic_ns() - self._begun_ns) / 1000)
        self._begun_ns = 0
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(GAP_S, self._play)

    def _play(self) -> None:
        assert self._market is not None
        if len(self._took_us) == WARM + self.frames:
            hundredths = quantiles(self._took_us[WARM:], n=100)
            print(json.dumps({"p50_us": hundredths[49], "p99_us": hundredths[98]}), flush=True)
            return
        frame = next(self._tape)
        self._timer = self._loop.call_later(WAIT_S, self._play)
        self._begun_ns = time.monotonic_ns()
        self._event(self._market.listener.ws_frame, self._market, frame)


def end_with_starter() -> None:
    """Ends this process when its input is closed."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main(folder: str, frames: str) -> int:
    LoopNet.frames = int(frames)
    print(json.dumps({"ready": True}), flush=True)
    threading.Thread(target=end_with_starter, daemon=True).start()
    settings = msgspec.convert(connector_settings("loop", ["BTCUSDT"]), KeyedSpot.Settings, strict=False)
    log = make_log("binance", level="warning")
    return Live("binance", KeyedSpot, settings, Path(folder), keys=KeyedSpot.bench_keys, network=LoopNet, log=log).run()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
