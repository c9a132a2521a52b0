"""Commands: sent with a deadline and an id, acted on once, answered once."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from protocol import Answer, AnswerCode, Message, topics
from protocol.message import Command

if TYPE_CHECKING:
    from actors.runtime import Runtime

MAX_PENDING = 10_000  # commands without an answer yet; over it, the oldest is given up
MAX_REMEMBERED = 10_000  # answers kept, so that a command that comes twice is answered again and acted on once


class Calls:
    """Both sides of commands: those that this actor sends, and those that it is sent."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._count = 0
        self._pending: dict[int, tuple[Callable[[Answer], None] | None, int]] = {}
        self._acted: OrderedDict[tuple[str, int], Answer] = OrderedDict()

    def new_id(self) -> int:
        self._count += 1
        return self._runtime.epoch << 32 | self._count

    # -- as the sender --------------------------------------------------------------------------------

    def send(self, target: str, command: Command, then: Callable[[Answer], None] | None) -> None:
        """Send now, or answer UNREACHABLE: nothing is kept for a receiver that is not there."""
        runtime = self._runtime
        stream = runtime.outbox.stream(topics.commands(runtime.name, target))
        data = runtime.outbox.pack(stream, runtime.actor.now_ns, command)
        if runtime.port.send(target, data):
            runtime.outbox.commit(stream, data)
            timer = 0
            if command.deadline_ns:
                timer = runtime.timers.add(command.deadline_ns, self._silent, command.cmd_id)
            self._wait(command.cmd_id, then, timer)
        elif then is not None:
            then(Answer(command.cmd_id, AnswerCode.UNREACHABLE, f"{target} is not connected"))

    def _wait(self, cmd_id: int, then: Callable[[Answer], None] | None, timer: int) -> None:
        """For the answer. A command that is sent again under its id has one answer, to whoever sent it last."""
        self._runtime.timers.cancel(self._pending.pop(cmd_id, (None, 0))[1])
        self._pending[cmd_id] = (then, timer)
        if len(self._pending) > MAX_PENDING:  # the oldest had no deadline, and its answer was lost
            self._silent(next(iter(self._pending)))

    def answered(self, target: str, answer: Answer) -> None:
        """An answer came. One for which nobody waits any more is dropped."""
        then, timer = self._pending.pop(answer.cmd_id, (None, 0))
        self._runtime.timers.cancel(timer)
        if then is not None:
            self._runtime.envelope.sender = target
            then(answer)

    def _silent(self, cmd_id: int) -> None:
        then, timer = self._pending.pop(cmd_id, (None, 0))
        self._runtime.timers.cancel(timer)
        if then is not None:
            then(Answer(cmd_id, AnswerCode.SILENT, "no answer came in time"))

    # -- as the receiver ------------------------------------------------------------------------------

    def act(self, peer: str, epoch: int, seq: int, ts_ns: int, message: Message) -> None:
        """Act on a command unless it is late or has been acted on; answer it. Other messages are just handled."""
        runtime = self._runtime
        if not isinstance(message, Command):
            runtime.handle_command(peer, epoch, seq, ts_ns, message)  # type: ignore[arg-type]
            return
        key = (peer, message.cmd_id)
        answer = self._acted.get(key)
        if answer is None:
            answer = self._decide(peer, epoch, seq, ts_ns, message)
            self._acted[key] = answer
            if len(self._acted) > MAX_REMEMBERED:
                self._acted.popitem(last=False)
        runtime.effect("_reply", peer, answer)

    def _decide(self, peer: str, epoch: int, seq: int, ts_ns: int, command: Command) -> Answer:
        now_ns = self._runtime.actor.now_ns
        if command.deadline_ns and now_ns > command.deadline_ns:
            late_ms = (now_ns - command.deadline_ns) / 1e6
            return Answer(command.cmd_id, AnswerCode.EXPIRED, f"{late_ms:.1f} ms after its deadline")
        result = self._runtime.handle_command(peer, epoch, seq, ts_ns, command)
        if result is NotImplemented:
            return Answer(command.cmd_id, AnswerCode.REFUSED, f"{self._runtime.name} takes no {type(command).__name__}")
        return result if isinstance(result, Answer) else Answer(command.cmd_id, AnswerCode.OK)

    def reply(self, peer: str, answer: Answer) -> None:
        """Perform the queued reply; a peer that has gone misses it, and will ask for a snapshot when it is back."""
        runtime = self._runtime
        stream = runtime.outbox.stream(topics.answers(runtime.name, peer))
        data = runtime.outbox.pack(stream, runtime.actor.now_ns, answer)
        if runtime.port.reply(peer, data):
            runtime.outbox.commit(stream, data)
