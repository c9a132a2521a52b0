"""The sides of the fast-path rows: the feeder on one core, the whole bot on the other."""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from benchmarks.actor_process import ActorProcess
from benchmarks.fast_actors import connector_settings
from benchmarks.frames import RECORDED
from benchmarks.loop_net import GAP_S
from benchmarks.pingpong import pingpong
from benchmarks.placement import on_cores, one_core, two_cores
from benchmarks.result import NotMeasured
from benchmarks.sides import CLIENTS_PYTHON
from benchmarks.worker import ROOT, Worker, WorkerFailed

FRAMES = 400
MARKET = "binance:BTC-USDT"


class TradeSide:
    """Microseconds from frame to order: `percentile` is "p50_us" or "p99_us". Feeder and bot are new in each round."""

    def __init__(self, bot: Literal["ours", "ccxt"], percentile: str, frames: int = FRAMES) -> None:
        if not RECORDED.exists():
            raise NotMeasured(f"needs the recorded frames at {RECORDED}")
        if bot == "ccxt" and not CLIENTS_PYTHON.exists():
            raise NotMeasured(f"{CLIENTS_PYTHON} is missing: `make .venv-clients/.installed`")
        self._bot, self._percentile, self._frames = bot, percentile, frames
        self._feeder_core, self._bot_core = two_cores()
        self.detail: dict[str, Any] = {}

    def round(self) -> float:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tickbus-t2t-")))
            try:
                result = self._play(stack, folder)
            except WorkerFailed as reason:
                raise NotMeasured(f"feeder {reason}") from reason
        keys = ("p10_us", "p50_us", "p99_us", "missed")
        self.detail.update({f"{self._bot}_{key}": round(result[key], 1) for key in keys})
        return float(result[self._percentile])

    def _play(self, stack: ExitStack, folder: Path) -> dict[str, Any]:
        with on_cores(self._feeder_core):
            command = [sys.executable, "-m", "benchmarks.feeder", "latency", str(self._frames)]
            feeder = Worker(command, folder / "feeder.stderr")
        stack.callback(feeder.close)
        start = start_ours if self._bot == "ours" else start_ccxt
        start(stack, folder, feeder.ready["port"], self._bot_core)
        return feeder.round()

    def close(self) -> None:
        """Does nothing: no process runs between rounds."""


class LoopSide:
    """Microseconds from a frame's bytes in our connector to the order's bytes leaving it, without a network."""

    def __init__(self, percentile: str, frames: int = FRAMES) -> None:
        if not RECORDED.exists():
            raise NotMeasured(f"needs the recorded frames at {RECORDED}")
        self._percentile, self._frames = percentile, frames
        self._core = one_core()
        self.detail: dict[str, Any] = {}

    def round(self) -> float:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tickbus-loop-")))
            command = [sys.executable, "-m", "benchmarks.loop_net", str(folder), str(self._frames)]
            with on_cores(self._core):
                connector = Worker(command, folder / "binance.stderr")
            stack.callback(connector.close)
            start_reactor(stack, folder, self._core)
            try:
                result = connector.round()
            except WorkerFailed as reason:
                raise NotMeasured(f"connector {reason}") from reason
        self.detail.update({key: round(number, 1) for key, number in result.items()})
        # The yardstick runs without pauses; its time with pauses like ours is reported beside it.
        rested = pingpong("sequential", self._core, self._core, ops=self._frames, rest_us=round(GAP_S * 1e6))
        self.detail["c_with_our_pauses_us"] = round(rested["p50_ns"] / 1000, 1)
        return float(result[self._percentile])

    def close(self) -> None:
        """Does nothing: no process runs between rounds."""


def start_ours(stack: ExitStack, folder: Path, port: int, core: int) -> None:
    """Starts the connector and the strategy, each in a process."""
    settings = connector_settings(f"127.0.0.1:{port}", ["BTCUSDT"])
    connector = ActorProcess("benchmarks.fast_actors:KeyedSpot", "binance", folder, core, settings)
    stack.callback(connector.close)
    start_reactor(stack, folder, core)


def start_reactor(stack: ExitStack, folder: Path, core: int) -> None:
    """Starts the strategy."""
    reactor = ActorProcess("benchmarks.fast_actors:Reactor", "reactor", folder, core, {"market": MARKET})
    stack.callback(reactor.close)


def start_ccxt(stack: ExitStack, folder: Path, port: int, core: int) -> None:
    """Starts ccxt's bot, which is one process."""
    command = [str(CLIENTS_PYTHON), "-m", "benchmarks.ccxt_trader", str(port), "trade"]
    with on_cores(core), (folder / "ccxt.stderr").open("wb") as stderr:
        bot = subprocess.Popen(command, cwd=ROOT, stderr=stderr)
    stack.callback(bot.wait)
    stack.callback(bot.kill)
