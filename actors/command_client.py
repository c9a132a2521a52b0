"""CommandClient: commands that this actor sends, each with an id, a deadline and exactly one Answer."""

from collections.abc import Callable

from actors.envelope import Envelope
from actors.outbox import Outbox
from actors.sender import Sender
from actors.timers import Timers
from protocol import Answer, AnswerCode, topics
from protocol.message import Command

MAX_PENDING = 10_000  # commands without an Answer yet; above it, the oldest is reported SILENT


class CommandClient:
    """Sends commands and matches the Answers. A command is not kept for a receiver that is not connected."""

    def __init__(self, name: str, outbox: Outbox, sender: Sender, timers: Timers, envelope: Envelope) -> None:
        self._name = name
        self._outbox = outbox
        self._sender = sender
        self._timers = timers
        self._envelope = envelope
        self._count = 0
        self._pending: dict[int, tuple[Callable[[Answer], None] | None, int]] = {}

    def new_id(self) -> int:
        """A command id: epoch << 32 | counter, unique over restarts."""
        self._count += 1
        return self._outbox.epoch << 32 | self._count

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None) -> None:
        """Sends now. `then` receives UNREACHABLE at once if `target` is not connected."""
        stream = self._outbox.stream(topics.commands(self._name, target))
        if self._sender.send(target, stream, command):
            timer = 0
            if command.deadline_ns:
                timer = self._timers.add(command.deadline_ns, self._expire, command.cmd_id)
            self._await(command.cmd_id, then, timer)
        elif then is not None:
            then(Answer(command.cmd_id, AnswerCode.UNREACHABLE, f"{target} is not connected"))

    def _await(self, cmd_id: int, then: Callable[[Answer], None] | None, timer: int) -> None:
        """A command that is sent again under its id has one Answer, which goes to the latest `then`."""
        self._timers.cancel(self._pending.pop(cmd_id, (None, 0))[1])
        self._pending[cmd_id] = (then, timer)
        if len(self._pending) > MAX_PENDING:  # the oldest had no deadline, and its Answer was lost
            self._expire(next(iter(self._pending)))

    def answered(self, target: str, answer: Answer) -> None:
        """Hands an Answer to its `then`; one that no command is waiting for is dropped."""
        then, timer = self._pending.pop(answer.cmd_id, (None, 0))
        self._timers.cancel(timer)
        if then is not None:
            self._envelope.sender = target
            then(answer)

    def _expire(self, cmd_id: int) -> None:
        then, timer = self._pending.pop(cmd_id, (None, 0))
        self._timers.cancel(timer)
        if then is not None:
            then(Answer(cmd_id, AnswerCode.SILENT, "no answer came in time"))
