"""CommandGate: who may command an actor. All others may request snapshots, and the rest of their frames is refused."""

from collections.abc import Callable

from actors.dispatcher import Dispatcher
from actors.effects import Log
from actors.identity import READER
from actors.outbox import Outbox
from actors.sender import Sender
from actors.snapshot_server import SnapshotServer
from protocol import Answer, AnswerCode, Command, RefusalCode, SnapshotRequest, topics
from protocol.errors import BadMessage
from protocol.frame import split
from protocol.message import decode

SENDERS_KEPT = 1_000  # above it, all are checked anew
REFUSED_LOGGED = 10  # log this many refused frames one by one, then every thousandth


def anyone_of_the_run(_: str) -> bool:
    """Allows every sender that has shown the run's token: for an actor without a run file, and in a simulation."""
    return True


class CommandGate:
    """`senders`: the peers that `may_command` has allowed; it is called once for each. `refused` counts frames."""

    def __init__(
        self,
        name: str,
        may_command: Callable[[str], bool],
        outbox: Outbox,
        sender: Sender,
        snapshots: SnapshotServer,
        dispatcher: Dispatcher,
        log: Log,
    ) -> None:
        self.senders: set[str] = set()
        self.refused = 0
        self._name = name
        self._may_command = may_command
        self._answers = outbox.stream(f"ans.{name}.refused.", False)
        self._sender = sender
        self._snapshots = snapshots
        self._dispatcher = dispatcher
        self._log = log

    def admit(self, peer: str) -> bool:
        """Whether `peer` may command this actor."""
        if peer.startswith(READER) or not self._may_command(peer):
            return False
        if len(self.senders) >= SENDERS_KEPT:
            self.senders.clear()
        self.senders.add(peer)
        return True

    def refuse(self, peer: str, data: bytes) -> None:
        """Takes a frame of a peer that may only read: answers a request for snapshots, and refuses everything else."""
        try:
            *_, offset = split(data)
            message = decode(data[offset:])
            topics.peer(peer)
        except BadMessage as error:
            self._dispatcher.dead_letter(peer, data, error)
            return
        if isinstance(message, SnapshotRequest):
            self._snapshots.answer(peer, message)
            return
        self.refused += 1
        if self.refused <= REFUSED_LOGGED or self.refused % 1000 == 0:
            self._log.warning("sender refused", sender=peer, message=type(message).__name__, count=self.refused)
        if isinstance(message, Command):
            text = f"{peer} may not command {self._name}: the run does not list it, or it has not shown the run's token"
            answer = Answer(message.cmd_id, AnswerCode.REFUSED, text, RefusalCode.NEVER)
            self._sender.reply(peer, self._answers, answer)
