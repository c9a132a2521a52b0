"""A measuring process: blocking pyzmq PUB/SUB over ipc, one frame a message, no codec."""

import os
import sys
import tempfile
import time
from multiprocessing import get_context
from typing import Any

import zmq

from benchmarks.worker import serve

FRAME_BYTES = 200
MESSAGES = 40_000  # a burst; a queue of 100,000 surely takes it, for its credit comes back in halves
PREFIX = b"md.bench."
PATIENCE_MS = 20_000


def publish(folder: str, core: int) -> None:
    """The sending process: each request on its REP socket names a count, and so many frames go out."""
    os.sched_setaffinity(0, {core})
    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    publisher.sndhwm = 0
    publisher.bind(f"ipc://{folder}/pub")
    asked = context.socket(zmq.REP)
    asked.bind(f"ipc://{folder}/ask")
    frame = PREFIX.ljust(FRAME_BYTES, b"x")
    while True:
        count = int(asked.recv())
        asked.send(b"%d" % time.monotonic_ns())
        for _ in range(count):
            publisher.send(frame)


def measure(subscriber: "zmq.Socket[bytes]", ask: "zmq.Socket[bytes]") -> dict[str, Any]:
    """Messages per second, from when the sender began until the last was here (one clock for both processes)."""
    ask.send(b"%d" % MESSAGES)
    receive = subscriber.recv
    for _ in range(MESSAGES):
        receive()
    end_ns = time.monotonic_ns()
    began_ns = int(ask.recv())
    return {"messages_per_s": MESSAGES / (end_ns - began_ns) * 1e9}


def main(sender_core: int, receiver_core: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tickbus-ps-") as folder:
        sender = get_context("spawn").Process(target=publish, args=(folder, sender_core), daemon=True)
        sender.start()
        os.sched_setaffinity(0, {receiver_core})
        context = zmq.Context()
        subscriber = context.socket(zmq.SUB)
        subscriber.rcvhwm = 0
        subscriber.rcvtimeo = PATIENCE_MS
        subscriber.subscribe(PREFIX)
        subscriber.connect(f"ipc://{folder}/pub")
        ask = context.socket(zmq.REQ)
        ask.rcvtimeo = PATIENCE_MS
        ask.connect(f"ipc://{folder}/ask")
        wait_for_subscription(subscriber, ask)
        serve(lambda: measure(subscriber, ask))
        sender.terminate()
        sender.join()
        context.destroy(linger=0)


def wait_for_subscription(subscriber: "zmq.Socket[bytes]", ask: "zmq.Socket[bytes]") -> None:
    """PUB drops what nobody has subscribed to yet: ask for single frames until one comes through."""
    for _ in range(100):
        ask.send(b"1")
        ask.recv()
        if subscriber.poll(50):
            subscriber.recv()
            return
    raise SystemExit("the publisher's frames do not arrive")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
