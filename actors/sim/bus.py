"""SimBus: carries frames between the processes of a simulation."""

from collections.abc import Callable
from typing import Any, Protocol

from actors.sim.events import Events


class Inputs(Protocol):
    """The inputs of an actor's runtime that the bus uses."""

    def frame_in(self, data: bytes) -> None: ...

    def command_in(self, peer: str, data: bytes) -> None: ...

    def answer_in(self, target: str, data: bytes) -> None: ...


class BusMember(Protocol):
    """A process of the simulation, as the bus sees it."""

    @property
    def runtime(self) -> Inputs: ...

    @property
    def subscriptions(self) -> dict[str, list[bytes]]:
        """Publisher -> topic prefixes."""


Deliver = Callable[..., None]
"""`deliver(receiver, runtime_input, *args)`."""


class SimBus:
    """Each frame takes `latency_ns`; then `deliver` hands it to the receiver. `deliver` also carries callbacks."""

    def __init__(self, events: Events, latency_ns: int, deliver: Deliver) -> None:
        self.receivers: dict[str, Any] = {}
        self._events = events
        self._latency_ns = latency_ns
        self.deliver = deliver

    def publish(self, publisher: str, frame: bytes) -> None:
        """Sends a frame to all processes that have subscribed to its topic."""
        receiver: BusMember
        for receiver in self.receivers.values():
            prefixes = receiver.subscriptions.get(publisher)
            if prefixes is not None and frame.startswith(tuple(prefixes)):
                self._events.after(self._latency_ns, self.deliver, receiver, receiver.runtime.frame_in, frame)

    def send(self, sender: str, target: str, frame: bytes) -> bool:
        """Sends a frame to the command socket of `target`; False if it does not run."""
        receiver: BusMember | None = self.receivers.get(target)
        if receiver is None:
            return False
        self._events.after(self._latency_ns, self.deliver, receiver, receiver.runtime.command_in, sender, frame)
        return True

    def reply(self, sender: str, peer: str, frame: bytes) -> bool:
        """Sends a frame back to an actor that has sent to `sender`; False if it does not run."""
        receiver: BusMember | None = self.receivers.get(peer)
        if receiver is None:
            return False
        self._events.after(self._latency_ns, self.deliver, receiver, receiver.runtime.answer_in, sender, frame)
        return True
