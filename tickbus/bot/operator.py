"""Operator: sends a command to an actor of a running bot from outside, and waits for its answer."""

import time
from collections.abc import Callable, Iterable

from actors.live.bus_token import FILE
from actors.live.sockets import Bus
from actors.live.transport import DEALER, Sink
from actors.live.transport_zmq import ZmqTransport
from actors.run.run_file import Run
from protocol import Answer, AnswerCode, Control, frame, topics
from protocol.errors import BadMessage, CommandRefused, Unreachable
from tickbus.bot.registry import lost_text

NAME = "operator"
WAIT_S = 5.0  # for the connection and the answer together
STEP_NS = 50_000_000


def connectors(run: Run, names: tuple[str, ...]) -> list[str]:
    """Returns `names`, or all actors with keys: those that have orders. Raises Unreachable for an unknown name."""
    with_keys = [name for name, table in run.actors.items() if table.keys]
    for name in names:
        if name not in run.actors:
            raise Unreachable(f"the run has no actor {name}: it has {', '.join(run.actors)}")
    if not names and not with_keys:
        raise Unreachable(f"no actor of {run.path} has keys: there are no orders")
    return list(names) or with_keys


def send_to_all(run: Run, targets: Iterable[str], command: str, argument: str, on_done: Callable[[str], None]) -> None:
    """Send one Control to each target, also after one that fails; `on_done` gets the name of each that accepts.

    Raises the error of the first that failed, with the texts of the others.
    """
    failed: list[Unreachable | CommandRefused] = []
    for target in targets:
        try:
            send(run, target, command, argument)
            on_done(target)
        except (Unreachable, CommandRefused) as error:
            failed.append(error)
    if failed:
        raise type(failed[0])("; ".join(map(str, failed)))


def send(run: Run, target: str, command: str, argument: str = "") -> None:
    """Send one Control, and wait for the answer. Raises Unreachable without one, CommandRefused for a refusal."""
    if not (run.dir / f"{target}.cmd").exists() and (text := lost_text(run.dir)):
        raise Unreachable(text)
    if not (run.dir / FILE).exists():
        raise Unreachable(f"{target} cannot be reached: no bot has run in {run.dir}")
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
