"""The rows of the table: our side, its yardstick, and the bounds of their ratio."""

from functools import partial
from typing import Any

from benchmarks.calls import BeforeSide, CallsSide
from benchmarks.frames import RECORDED
from benchmarks.hop import HopSide
from benchmarks.load_sides import FloodSide, MarketsSide, StrategiesSide
from benchmarks.pingpong import PingPongSide
from benchmarks.placement import one_core, two_cores
from benchmarks.publish import PublishSide
from benchmarks.result import NotMeasured, Row, Side
from benchmarks.sides import CLIENTS_PYTHON, WorkerSide
from benchmarks.trade_sides import LoopSide, TradeSide


def hop(actors: int) -> Side:
    """Measures Tick to TickDone, one actor after the other, all on one core."""
    return HopSide("sequential", actors, [one_core()])


def wave(actors: int) -> Side:
    """Measures a wave of actors over two cores: its time divided by their number."""
    return HopSide("wave", actors, two_cores())


def publish() -> Side:
    """Runs the publisher on one core, the subscriber on the other."""
    return PublishSide(*two_cores())


def publish_pyzmq() -> Side:
    """Runs on the same cores as `publish`."""
    return WorkerSide("benchmarks.pubsub_pyzmq", *two_cores(), value="messages_per_s")


def depth(module: str, python: str | None = None) -> Side:
    """Reads recorded frames into a book, on one core."""
    if not RECORDED.exists():
        raise NotMeasured(f"needs the recorded frames at {RECORDED}")
    chosen = {"python": python} if python else {}
    return WorkerSide(module, RECORDED, value="updates_per_s", cores=[one_core()], **chosen)


def vwap(side: str) -> Side:
    """Repeats one query on one core."""
    return WorkerSide("benchmarks.vwap", side, value="calls_per_s", cores=[one_core()])


def matching(side: str) -> Side:
    """Passes the same commands through one implementation of the engine, on one core."""
    return WorkerSide("benchmarks.matching", side, value="commands_per_s", cores=[one_core()])


def orders(server: str) -> Side:
    """Runs the server on one core, the load on the other."""
    return WorkerSide("benchmarks.order_load", server, *two_cores(), value="orders_per_s")


def memory() -> Side:
    """Measures the memory of the default bot while it trades."""
    return WorkerSide("benchmarks.memory", value="pss_mb")


def calls(event: str) -> dict[str, Any]:
    """Counts the functions that an event enters; the yardstick is the count before the order manager."""
    return {"ours": partial(CallsSide, event), "yardstick": partial(BeforeSide, event), "rounds": 1, "warm_rounds": 0}


def receive(client: str) -> Side:
    """Sends recorded frames through one websocket client; the kernel chooses the cores."""
    if not RECORDED.exists():
        raise NotMeasured(f"needs the recorded frames at {RECORDED}")
    return WorkerSide("benchmarks.receive", client, value="us")


ROWS = [
    Row("clock_hop_4", "clock hop, sequential, 4 actors", "us", "<=", 2.2, 1.3,
        partial(hop, 4), partial(PingPongSide, "same"), rounds=11),
    Row("clock_hop_16", "clock hop, sequential, 16 actors", "us", "<=", 3.0, 1.8,
        partial(hop, 16), partial(PingPongSide, "same"), rounds=11),
    Row("clock_wave_16", "clock hop, wave of 16 over two cores", "us", "<=", 0.45, 0.25,
        partial(wave, 16), partial(PingPongSide, "split"), rounds=11),
    Row("publish_200b", "publish to one subscriber, 200 bytes", "msg/s", ">=", 0.4, 0.8,
        publish, publish_pyzmq, rounds=11),
    Row("depth_to_book", "depth frame to updated book", "upd/s", ">=", 10, 30,
        partial(depth, "benchmarks.depth"), partial(depth, "benchmarks.ccxt_book", str(CLIENTS_PYTHON))),
    Row("book_vwap", "book query vwap, 100 levels", "call/s", ">=", 1, 5,
        partial(vwap, "ours"), partial(vwap, "numpy")),
    Row("venue_rest", "venue: orders through REST", "order/s", ">=", 0.3, 0.6,
        partial(orders, "venue"), partial(orders, "constant")),
    Row("venue_matching", "venue: matched in the engine alone", "cmd/s", ">=", 20, 50,
        partial(matching, "ours"), partial(matching, "plain")),
    Row("tick_to_trade_p50", "tick to trade over loopback, p50", "us", "<=", 0.5, 0.2,
        partial(TradeSide, "ours", "p50_us"), partial(TradeSide, "ccxt", "p50_us")),
    Row("tick_to_trade_p99", "tick to trade over loopback, p99", "us", "<=", 0.5, 0.2,
        partial(TradeSide, "ours", "p99_us"), partial(TradeSide, "ccxt", "p99_us")),
    Row("bytes_to_bytes", "frame's bytes in to order's bytes out, no network", "us", "<=", 3, 1.5,
        partial(LoopSide, "p50_us"), partial(PingPongSide, "same")),
    Row("depth_flood", "depth frames into a connector and two strategies", "fr/s", ">=", 5, 15,
        partial(FloodSide, "ours"), partial(FloodSide, "ccxt"), rounds=9),
    Row("markets_100", "processor time a frame, 100 markets against 1", "us", "<=", 1.2, 1.0,
        partial(MarketsSide, 100), partial(MarketsSide, 1), rounds=5),
    Row("strategies_32", "p99 of a hop, 32 strategies against 1", "us", "<=", 1.3, 1.0,
        partial(StrategiesSide, 32), partial(StrategiesSide, 1), rounds=5),
    Row("receive_aiohttp", "a frame received: picows against aiohttp", "us", "<=", None, None,
        partial(receive, "picows"), partial(receive, "aiohttp"), rounds=5),
    Row("receive_websockets", "a frame received: picows against websockets", "us", "<=", None, None,
        partial(receive, "picows"), partial(receive, "websockets"), rounds=5),
    Row("calls_order", "functions entered: command to order's bytes", "calls", "<=", 1, 1,
        **calls("connector: PlaceOrder")),
    Row("calls_depth", "functions entered: depth frame in a connector", "calls", "<=", 1, 1,
        **calls("connector: depth frame")),
    Row("calls_depth_strategy", "functions entered: depth frame in a strategy", "calls", "<=", 1, 1,
        **calls("strategy: depth frame")),
    Row("resident_memory", "resident memory, default run", "MB", "<=", None, 200,
        memory, None, rounds=1, warm_rounds=0, aim_is="ours"),
]  # fmt: skip
