"""SimProcess: one run of one actor in a simulation, from its start to its end."""

from collections.abc import Callable
from typing import Any

from actors.actor import Actor
from actors.runtime import Runtime
from actors.sim.bus import SimBus
from actors.sim.events import Events
from actors.sim.port import SimPort
from actors.sim.service import ServiceNode
from actors.timers import NEVER_NS
from protocol.message import Settings


class SimProcess:
    """An actor's runtime on its SimPort. Nothing reaches it after its end. `options`: see Runtime."""

    def __init__(
        self,
        name: str,
        kind: type[Actor],
        settings: Settings,
        *,
        events: Events,
        bus: SimBus,
        services: dict[str, ServiceNode],
        journals: dict[tuple[str, str], list[bytes]],
        disk_troubles: dict[str, str],
        net_ns: int,
        **options: Any,
    ) -> None:
        self.name = name
        self.alive = True
        self.exit_code: int | None = None
        self._events = events
        self._bus = bus
        self._wake_ns: int | None = None
        self._records = {one: list(journals.get((name, one), [])) for one in kind.journals}
        self.port = SimPort(
            name, events=events, bus=bus, services=services, journals=journals, disk_troubles=disk_troubles,
            net_ns=net_ns, deliver=self._call, stopped=self._stopped,
        )  # fmt: skip
        self.subscriptions = self.port.subscriptions
        self.runtime = Runtime(name, kind, settings, self.port, loop="sim", **options)
        self.actor = self.runtime.actor
        bus.receivers[name] = self
        events.after(0, self._start)

    def die(self) -> None:
        """Ends it as kill -9 does: what it has queued is lost, and its websockets break."""
        self._leave()
        self.port.cut()

    def deliver(self, runtime_input: Callable[..., None], *args: Any) -> None:
        """Calls an input of the runtime with what has arrived, then performs the effects."""
        if self.alive:
            self.runtime.begin(self._events.now_ns)
            runtime_input(*args)
            self.settle()

    def settle(self) -> None:
        """Performs the effects, and sets a timer for the time when the runtime has something to do next."""
        self.runtime.finish()
        wake_ns = self.runtime.wake_ns()
        if self.alive and wake_ns != NEVER_NS and (self._wake_ns is None or wake_ns < self._wake_ns):
            self._wake_ns = max(wake_ns, self._events.now_ns)
            self._events.at(self._wake_ns, self._wake, self._wake_ns)

    def _call(self, call: Callable[..., None], *args: Any) -> None:
        self._bus.deliver(self, self.runtime.call, call, *args)

    def _start(self) -> None:
        if self.alive:
            self.runtime.start(self._events.now_ns, self._records)
            self.settle()

    def _wake(self, wake_ns: int) -> None:
        if self.alive and self._wake_ns == wake_ns:
            self._wake_ns = None
            self.runtime.begin(self._events.now_ns)
            self.settle()

    def _stopped(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.die()

    def _leave(self) -> None:
        self.alive = False
        if self._bus.receivers.get(self.name) is self:
            del self._bus.receivers[self.name]
