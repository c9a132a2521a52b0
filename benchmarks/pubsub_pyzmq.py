"""A measuring process: blocking pyzmq PUB/SUB over ipc, one frame per message, no codec."""

import os
import sys
import tempfile
import time
from multiprocessing import get_context
from typing import Any

import zmq

from benchmarks.worker import serve

FRAME_BYTES = 200
MESSAGES = 40_000  # fits into a queue of 100,000, whose credit returns in halves
PREFIX = b"md.bench."
TIMEOUT_MS = 20_000


def publish(folder: str, core: int) -> None:
    """The sending process: a request on its REP socket holds a count, and this number of frames is published."""
    os.sched_setaffinity(0, {core})
    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    publisher.sndhwm = 0
    publisher.bind(f"ipc://{folder}/pub")
    requests = context.socket(zmq.REP)
    requests.bind(f"ipc://{folder}/ask")
    frame = PREFIX.ljust(FRAME_BYTES, b"x")
    while True:
        count = int(requests.recv())
        requests.send(b"%d" % time.monotonic_ns())
        for _ in range(count):
            publisher.send(frame)


def measure(subscriber: "zmq.Socket[bytes]", requests: "zmq.Socket[bytes]") -> dict[str, Any]:
    """Returns messages per second, from the sender's start until the last arrived (one clock for both processes)."""
    requests.send(b"%d" % MESSAGES)
    receive = subscriber.recv
    for _ in range(MESSAGES):
        receive()
    end_ns = time.monotonic_ns()
    began_ns = int(requests.recv())
    return {"messages_per_s": MESSAGES / (end_ns - began_ns) * 1e9}


def main(sender_core: int, receiver_core: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tickbus-ps-") as folder:
        sender = get_context("spawn").Process(target=publish, args=(folder, sender_core), daemon=True)
        sender.start()
        os.sched_setaffinity(0, {receiver_core})
        context = zmq.Context()
        subscriber = context.socket(zmq.SUB)
        subscriber.rcvhwm = 0
        subscriber.rcvtimeo = TIMEOUT_MS
        subscriber.subscribe(PREFIX)
        subscriber.connect(f"ipc://{folder}/pub")
        requests = context.socket(zmq.REQ)
        requests.rcvtimeo = TIMEOUT_MS
        requests.connect(f"ipc://{folder}/ask")
        wait_for_subscription(subscriber, requests)
        serve(lambda: measure(subscriber, requests))
        sender.terminate()
        sender.join()
        context.destroy(linger=0)


def wait_for_subscription(subscriber: "zmq.Socket[bytes]", requests: "zmq.Socket[bytes]") -> None:
    """Requests single frames until one arrives: PUB drops frames before a subscription reaches it."""
    for _ in range(100):
        requests.send(b"1")
        requests.recv()
        if subscriber.poll(50):
            subscriber.recv()
            return
    raise SystemExit("the publisher's frames do not arrive")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
