"""CommandServer: commands that this actor receives, each acted on once and answered as often as it comes."""

from collections import OrderedDict

from actors.actor_clock import ActorClock
from actors.dispatcher import Dispatcher
from actors.effects import Effects
from actors.outbox import Outbox
from actors.sender import Sender
from protocol import Answer, AnswerCode, Message, RefusalCode, topics
from protocol.message import Command

MAX_SENDERS = 10_000  # whose newest incarnation is stored
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
        self._epochs: OrderedDict[str, int] = OrderedDict()  # of each sender, the newest incarnation
        self._answers: OrderedDict[tuple[str, int], Answer] = OrderedDict()

    def act(self, peer: str, epoch: int, seq: int, ts_ns: int, message: Message) -> None:
        """Acts on a command unless it is expired, a repetition, or of an earlier process run of its sender; answers it.

        Other messages are just handled.
        """
        newest = self._epochs.get(peer, 0)
        if epoch > newest:
            newest = self.note_epoch(peer, epoch)
        if not isinstance(message, Command):
            self._dispatcher.handle_command(peer, epoch, seq, ts_ns, message)
            return
        key = (peer, message.cmd_id)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._decide(peer, epoch, seq, ts_ns, message, newest)
            self._answers[key] = answer
            if len(self._answers) > MAX_REMEMBERED:
                self._answers.popitem(last=False)
        # A peer that is gone misses the Answer; it requests a snapshot when it is back.
        stream = self._outbox.stream(topics.answers(self._name, peer))
        self._effects.queue(self._sender.reply, peer, stream, answer)

    def note_epoch(self, peer: str, epoch: int) -> int:
        """Notes the incarnation of a frame of `peer`; returns the newest one."""
        newest = self._epochs.get(peer, 0)
        if epoch > newest:
            self._epochs[peer] = newest = epoch
            if len(self._epochs) > MAX_SENDERS:
                self._epochs.popitem(last=False)
        return newest

    def _decide(self, peer: str, epoch: int, seq: int, ts_ns: int, command: Command, newest: int) -> Answer:
        if epoch < newest:
            text = (
                f"{peer} has had a newer process run ({newest}) than the one that sent this ({epoch}); "
                f"if its lock file was removed, restart {self._name}"
            )
            return Answer(command.cmd_id, AnswerCode.REFUSED, text, RefusalCode.OLD_SENDER)
        now_ns = self._clock.now_ns
        if command.deadline_ns and now_ns > command.deadline_ns:
            late_ms = (now_ns - command.deadline_ns) / 1e6
            return Answer(command.cmd_id, AnswerCode.EXPIRED, f"{late_ms:.1f} ms after its deadline")
        result = self._dispatcher.handle_command(peer, epoch, seq, ts_ns, command)
        if result is NotImplemented:
            text = f"{self._name} does not accept {type(command).__name__}"
            return Answer(command.cmd_id, AnswerCode.REFUSED, text, RefusalCode.NEVER)
        return result if isinstance(result, Answer) else Answer(command.cmd_id, AnswerCode.OK)
