"""CommandServer: commands that this actor receives, each acted on once and answered as often as it comes."""

from collections import OrderedDict

from actors.actor_clock import ActorClock
from actors.dispatcher import Dispatcher
from actors.effects import Effects
from actors.outbox import Outbox
from actors.sender import Sender
from protocol import Answer, AnswerCode, Message, topics
from protocol.message import Command

MAX_REMEMBERED = 10_000  # Answers kept, so that a command that comes twice is answered again but acted on once


class CommandServer:
    """Acts on commands by the actor's handlers; the Answer is an effect, sent after what the handler has queued."""

    def __init__(
        self, effects: Effects, outbox: Outbox, sender: Sender, dispatcher: Dispatcher, clock: ActorClock
    ) -> None:
        self._effects = effects
        self._name = effects.name
        self._outbox = outbox
        self._sender = sender
        self._dispatcher = dispatcher
        self._clock = clock
        self._answers: OrderedDict[tuple[str, int], Answer] = OrderedDict()

    def act(self, peer: str, epoch: int, seq: int, ts_ns: int, message: Message) -> None:
        """Acts on a command unless it is expired or a repetition, and answers it. Other messages are just handled."""
        if not isinstance(message, Command):
            self._dispatcher.handle_command(peer, epoch, seq, ts_ns, message)
            return
        key = (peer, message.cmd_id)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._decide(peer, epoch, seq, ts_ns, message)
            self._answers[key] = answer
            if len(self._answers) > MAX_REMEMBERED:
                self._answers.popitem(last=False)
        # A peer that is gone misses the Answer; it requests a snapshot when it is back.
        stream = self._outbox.stream(topics.answers(self._name, peer))
        self._effects.queue(self._sender.reply, peer, stream, answer)

    def _decide(self, peer: str, epoch: int, seq: int, ts_ns: int, command: Command) -> Answer:
        now_ns = self._clock.now_ns
        if command.deadline_ns and now_ns > command.deadline_ns:
            late_ms = (now_ns - command.deadline_ns) / 1e6
            return Answer(command.cmd_id, AnswerCode.EXPIRED, f"{late_ms:.1f} ms after its deadline")
        result = self._dispatcher.handle_command(peer, epoch, seq, ts_ns, command)
        if result is NotImplemented:
            text = f"{self._name} does not accept {type(command).__name__}"
            return Answer(command.cmd_id, AnswerCode.REFUSED, text)
        return result if isinstance(result, Answer) else Answer(command.cmd_id, AnswerCode.OK)
