"""The sides of the rows about load: frames at full speed, many markets, many strategies."""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks.actor_process import ActorProcess
from benchmarks.book_tape import BookTape
from benchmarks.depth import NAME, RULES
from benchmarks.fast_actors import connector_settings
from benchmarks.frames import RECORDED
from benchmarks.hop import ROUND_S as CLOCK_S
from benchmarks.placement import on_cores, two_cores
from benchmarks.result import NotMeasured
from benchmarks.sides import CLIENTS_PYTHON
from benchmarks.trade_sides import MARKET
from benchmarks.worker import ROOT, Worker, WorkerFailed
from connectors.binance.parse import new_parser
from connectors.market_data.book_sync import BookSync
from protocol import BookDelta

FLOOD = {"ours": 30_000, "ccxt": 3_000}
SLOW_FRAMES = 100  # sent first by benchmarks.feeder
STRATEGIES = 2
PACE = 2_000  # frames a second
ROUND_S = 90.0
TICK_MS = 10
QUIET_PACE = 10


class _Fed:
    """A side whose bot is connected to a feeder; both are new in each round."""

    def __init__(self) -> None:
        if not RECORDED.exists():
            raise NotMeasured(f"needs the recorded frames at {RECORDED}")
        self._feeder_core, self._bot_core = two_cores()
        self.detail: dict[str, Any] = {}

    def round(self) -> float:
        """Runs one round, with processes of its own."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tickbus-load-")))
            try:
                return self._measure(stack, folder)
            except WorkerFailed as reason:
                raise NotMeasured(f"feeder {reason}") from reason

    def _measure(self, stack: ExitStack, folder: Path) -> float:
        raise NotImplementedError

    def _feeder(self, stack: ExitStack, folder: Path, mode: str, number: int, names: list[str]) -> Worker:
        with on_cores(self._feeder_core):
            command = [sys.executable, "-m", "benchmarks.feeder", mode, str(number), *names]
            feeder = Worker(command, folder / "feeder.stderr")
        stack.callback(feeder.close)
        return feeder

    def _actor(self, stack: ExitStack, folder: Path, use: str, name: str, core: int, settings: Any) -> ActorProcess:
        actor = ActorProcess(f"benchmarks.{use}", name, folder, core, settings)
        stack.callback(actor.close)
        return actor

    def close(self) -> None:
        """Does nothing: no process runs between rounds."""


class FloodSide(_Fed):
    """Frames per second, from the first that the feeder sends until the last is in every replica (or ccxt's book)."""

    def __init__(self, bot: Literal["ours", "ccxt"]) -> None:
        super().__init__()
        if bot == "ccxt" and not CLIENTS_PYTHON.exists():
            raise NotMeasured(f"{CLIENTS_PYTHON} is missing: `make .venv-clients/.installed`")
        self._bot, self._frames = bot, FLOOD[bot]
        parser, sync, tape = new_parser(), BookSync(RULES.symbol), BookTape([NAME])
        parser.add_market(NAME, RULES)
        sync.on_snapshot(parser.parse_snapshot(NAME, tape.snapshot, 0))
        for _, frame in zip(range(SLOW_FRAMES + self._frames), tape, strict=False):
            delta = parser.parse(frame, 0)[0]
            assert isinstance(delta, BookDelta)
            sync.on_delta(delta)
        self._last_id = sync.update_id
        self._best = [sync.book.best_bid_ticks, sync.book.best_ask_ticks]

    def _measure(self, stack: ExitStack, folder: Path) -> float:
        feeder = self._feeder(stack, folder, "flood", self._frames, [])
        port = feeder.ready["port"]
        ends_ns = (self._ours if self._bot == "ours" else self._ccxt)(stack, folder, port)
        begun_ns = feeder.round()["begun_ns"]
        return self._frames / (max(ends_ns) - begun_ns) * 1e9

    def _ours(self, stack: ExitStack, folder: Path, port: int) -> list[int]:
        settings = connector_settings(f"127.0.0.1:{port}", ["BTCUSDT"])
        counted = {"market": MARKET, "last_id": self._last_id}
        counters = [
            self._actor(stack, folder, "fast_actors:Counter", f"counter{number}", self._feeder_core, counted)
            for number in range(STRATEGIES)
        ]
        self._actor(stack, folder, "fast_actors:KeyedSpot", "binance", self._bot_core, settings)
        return [self._end_ns(counter.result(ROUND_S)) for counter in counters]

    def _ccxt(self, stack: ExitStack, folder: Path, port: int) -> list[int]:
        command = [str(CLIENTS_PYTHON), "-m", "benchmarks.ccxt_trader", str(port), "count", str(self._last_id)]
        with on_cores(self._bot_core), (folder / "ccxt.stderr").open("wb") as stderr:
            bot = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr)
        stack.callback(bot.wait)
        stack.callback(bot.kill)
        assert bot.stdout is not None
        line = bot.stdout.readline()
        if not line:
            raise NotMeasured(f"ccxt ended: {(folder / 'ccxt.stderr').read_text().strip()[-200:]}")
        return [self._end_ns(msgspec.json.decode(line))]

    def _end_ns(self, result: dict[str, Any]) -> int:
        """Returns the end time in ns. Raises NotMeasured if the best prices are not those of the frames."""
        if result["best"] != self._best:
            raise NotMeasured(f"best prices are {result['best']}, not {self._best}")
        return int(result["end_ns"])


class MarketsSide(_Fed):
    """Microseconds of the connector's processor time per frame."""

    def __init__(self, markets: int) -> None:
        super().__init__()
        self._names = ["BTCUSDT", *(f"B{number:02}USDT" for number in range(1, markets))]

    def _measure(self, stack: ExitStack, folder: Path) -> float:
        feeder = self._feeder(stack, folder, "pace", PACE, self._names)
        settings = connector_settings(f"127.0.0.1:{feeder.ready['port']}", self._names)
        connector = self._actor(stack, folder, "fast_actors:CpuSpot", "binance", self._bot_core, settings)
        return float(connector.result(ROUND_S)["cpu_us"])


class StrategiesSide(_Fed):
    """Microseconds: the 99th percentile of a hop, with this number of strategies that follow one connector."""

    def __init__(self, strategies: int) -> None:
        super().__init__()
        self._names = [f"s{number}" for number in range(strategies)]

    def _measure(self, stack: ExitStack, folder: Path) -> float:
        feeder = self._feeder(stack, folder, "pace", QUIET_PACE, [])
        settings = connector_settings(f"127.0.0.1:{feeder.ready['port']}", ["BTCUSDT"])
        core = self._bot_core
        self._actor(stack, folder, "fast_actors:KeyedSpot", "binance", core, settings)
        for name in self._names:
            self._actor(stack, folder, "fast_actors:Quiet", name, core, {"market": MARKET})
        clock = {"tick_ms": TICK_MS, "order": [[name] for name in self._names], "mode": "realtime"}
        counting = self._actor(stack, folder, "hop_actors:CountingClock", "clockd", core, clock)
        result = counting.result(CLOCK_S)
        self.detail.update(result["detail"])
        return float(result["detail"]["ours_p99"])
