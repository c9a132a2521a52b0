"""The rows of the table: what is held against what, and how far apart they may be."""

from functools import partial

from benchmarks.frames import RECORDED
from benchmarks.hop import HopSide
from benchmarks.pingpong import PingPongSide
from benchmarks.placement import one_core, two_cores
from benchmarks.publish import PublishSide
from benchmarks.result import NotMeasured, Row, Side
from benchmarks.sides import CLIENTS_PYTHON, WorkerSide


def hop(actors: int) -> Side:
    """Tick to TickDone, one actor after the other, all on one core."""
    return HopSide("sequential", actors, [one_core()])


def wave(actors: int) -> Side:
    """A wave of actors side by side over two cores: its time divided by their number."""
    return HopSide("wave", actors, two_cores())


def publish() -> Side:
    """Publisher on one core, subscriber on the other."""
    return PublishSide(*two_cores())


def publish_pyzmq() -> Side:
    """Placed likewise."""
    return WorkerSide("benchmarks.pubsub_pyzmq", *two_cores(), value="messages_per_s")


def depth(module: str, python: str | None = None) -> Side:
    """Recorded frames into a book, on one core."""
    if not RECORDED.exists():
        raise NotMeasured(f"needs the recorded frames at {RECORDED}")
    chosen = {"python": python} if python else {}
    return WorkerSide(module, RECORDED, value="updates_per_s", cores=[one_core()], **chosen)


def vwap(side: str) -> Side:
    """One query, over and over, on one core."""
    return WorkerSide("benchmarks.vwap", side, value="calls_per_s", cores=[one_core()])


def matching(side: str) -> Side:
    """The same commands through a twin of the engine, on one core."""
    return WorkerSide("benchmarks.matching", side, value="commands_per_s", cores=[one_core()])


def orders(server: str) -> Side:
    """The server on one core, the load on the other."""
    return WorkerSide("benchmarks.order_load", server, *two_cores(), value="orders_per_s")


def memory() -> Side:
    """The default run, weighed once it trades."""
    return WorkerSide("benchmarks.memory", value="pss_mb")


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
    Row("resident_memory", "resident memory, default run", "MB", "<=", None, 200,
        memory, None, rounds=1, warm_rounds=0, aim_is="ours"),
]  # fmt: skip
