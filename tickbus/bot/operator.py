"""Operator: sends a command to an actor of a running bot from outside, and waits for its answer."""

import time

from actors.live.sockets import Bus
from actors.live.transport import DEALER, Sink
from actors.live.transport_zmq import ZmqTransport
from actors.run.run_file import Run
from protocol import Answer, AnswerCode, Control, frame, topics
from protocol.errors import BadMessage, CommandRefused, Unreachable

NAME = "operator"
WAIT_S = 5.0  # for the connection and the answer together
STEP_NS = 50_000_000


def connectors(run: Run, names: tuple[str, ...]) -> list[str]:
    """Returns `names`, or all actors with keys: those that have orders. Raises Unreachable for an unknown name."""
    with_keys = [name for name, table in run.actors.items() if table.keys]
    for name in names:
        if name not in run.actors:
            raise Unreachable(f"the run has no actor {name}: it has {', '.join(run.actors)}")
    return list(names) or with_keys


def send(run: Run, target: str, command: str, argument: str = "") -> None:
    """Send one Control, and wait for the answer. Raises Unreachable without one, CommandRefused for a refusal."""
    answers: list[Answer] = []
    bus = Bus(f"{NAME}-{time.time_ns() % 10**9}", run.dir, ZmqTransport, bind=False)

    def answered(_: str, data: bytes) -> None:
        try:
            body = frame.body(data, frame.split(data)[4])
        except BadMessage:
            return
        if isinstance(body, Answer):
            answers.append(body)

    sink = Sink(lambda data: None, lambda peer, data: None, answered)
    try:
        bus.transport.connect(DEALER, target, str(run.dir / f"{target}.cmd"))
        epoch = int(time.time())  # grows with each command: an actor accepts the newest incarnation of a sender
        stream = frame.prefix(topics.commands(bus.name, target))
        message = Control(epoch << 32 | 1, 0, command, argument)
        end_ns, is_sent = time.monotonic_ns() + round(WAIT_S * 1e9), False
        while not answers and time.monotonic_ns() < end_ns:
            is_sent = is_sent or bus.send(target, frame.pack(stream, epoch, 1, time.time_ns(), message))
            bus.transport.wait(STEP_NS)
            bus.transport.drain(sink)
    finally:
        bus.close()
    if not answers:
        raise Unreachable(f"{target} {'did not answer' if is_sent else 'cannot be reached'} within {WAIT_S:g} s")
    if answers[0].code is not AnswerCode.OK:
        raise CommandRefused(f"{target}: {answers[0].text}")
