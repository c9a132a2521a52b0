"""The sim driver: every actor of a run in one thread, in virtual time, on one heap of events.

The same seed and the same actors give the same trace. Nothing here waits; nothing reads a clock.
"""

import heapq
from collections.abc import Callable
from typing import Any

import structlog

from actors.actor import Actor
from actors.runtime import Runtime
from actors.sim.port import SimPort
from actors.sim.service import Service, ServiceNode
from actors.timers import NEVER_NS
from protocol.message import Settings

DAY_NS = 86_400_000_000_000


class Sim:
    """A house of actors. `latency_ns`: how long a frame takes on the bus; `net_ns`: on the way to a service.

    `lockstep`: actors act on their turns alone, as in a lockstep run over ZeroMQ: such a run gives the same trace.
    """

    def __init__(
        self, start_ns: int = 1_700_000_000_000_000_000, *, latency_ns: int = 50_000, net_ns: int = 1_000_000,
        lockstep: bool = False, trace: bool = True, log: Any = None,
    ) -> None:  # fmt: skip
        self.now_ns = self.start_ns = start_ns
        self.latency_ns = latency_ns
        self.net_ns = net_ns
        self.lockstep = lockstep
        self.trace = trace
        self.log = log if log is not None else structlog.get_logger()
        self.nodes: dict[str, SimPort] = {}
        self.services: dict[str, ServiceNode] = {}
        self.journals: dict[tuple[str, str], list[bytes]] = {}
        self.epochs: dict[str, int] = {}
        self.events = 0
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    # -- the house ------------------------------------------------------------------------------------

    def add(
        self, name: str, kind: type[Actor], settings: Settings | None = None, *, follows: list[str] | None = None,
        keys: Any = None, **options: Any,
    ) -> Actor:  # fmt: skip
        """Bring an actor to life, now; also again after `kill`, with the journals of its earlier life."""
        assert name not in self.nodes, f"{name} is alive already"
        self.epochs[name] = self.epochs.get(name, 0) + 1
        port = SimPort(self, name)
        options.setdefault("mark_wait_ms", 2_000 if self.lockstep else 100)
        runtime = Runtime(
            name, kind, settings if settings is not None else kind.Settings(), port,
            epoch=self.epochs[name], follows=follows, trace=self.trace, log=self.log.bind(actor=name), loop="sim",
            lockstep=self.lockstep and kind.ticks, anchor_ns=self.start_ns if self.lockstep and kind.ticks else 0,
            **options,
        )  # fmt: skip
        port.runtime = runtime
        runtime.actor.keys = keys
        self.nodes[name] = port
        journals = {one: list(self.journals.get((name, one), [])) for one in kind.journals}
        self.at(self.now_ns, self._start, port, journals)
        return runtime.actor

    def serve(self, name: str, service: Service) -> None:
        """Make `local://name/...` lead to a service (a venue's exchange)."""
        self.services[name] = ServiceNode(self, service)

    def kill(self, name: str) -> None:
        """As kill -9: what it had queued and not yet sent is gone; its connections break."""
        self.nodes.pop(name).die()

    def request_stop(self, name: str) -> None:
        """As SIGTERM."""
        port = self.nodes[name]
        port.runtime.begin(self.now_ns)
        port.runtime.request_stop()
        self.settle(port)

    # -- time: this `while` loop is the whole simulation ---------------------------------------------------

    def at(self, when_ns: int, call: Callable[..., None], *args: Any) -> None:
        """Do something at a time; things of one time happen in the order they were asked for."""
        self._count += 1
        heapq.heappush(self._heap, (when_ns, self._count, call, args))

    def run_until(self, end_ns: int, stop: Callable[[], bool] | None = None) -> None:
        """Let time pass until `end_ns`, or until `stop()` says so after an event."""
        heap = self._heap
        while heap and heap[0][0] <= end_ns:
            self.now_ns, _, call, args = heapq.heappop(heap)
            self.events += 1
            call(*args)
            if stop is not None and stop():
                return
        self.now_ns = max(self.now_ns, end_ns)

    def run_for(self, seconds: float, stop: Callable[[], bool] | None = None) -> None:
        self.run_until(self.now_ns + round(seconds * 1e9), stop)

    # -- what ports call --------------------------------------------------------------------------------

    def deliver(self, port: SimPort, method: str, *args: Any) -> None:
        """Hand something that arrived to an actor's runtime, if that life of it has not ended."""
        if port.alive:
            runtime = port.runtime
            runtime.begin(self.now_ns)
            getattr(runtime, method)(*args)
            self.settle(port)

    def settle(self, port: SimPort) -> None:
        """Perform effects, and see that the runtime is woken when it next has something to do."""
        runtime = port.runtime
        runtime.finish()
        wake_ns = runtime.wake_ns()
        if port.alive and wake_ns != NEVER_NS and (port.wake_ns is None or wake_ns < port.wake_ns):
            port.wake_ns = max(wake_ns, self.now_ns)
            self.at(port.wake_ns, self._wake, port, port.wake_ns)

    def _wake(self, port: SimPort, wake_ns: int) -> None:
        if port.alive and port.wake_ns == wake_ns:
            port.wake_ns = None
            port.runtime.begin(self.now_ns)
            self.settle(port)

    def _start(self, port: SimPort, journals: dict[str, list[bytes]]) -> None:
        if port.alive:
            port.runtime.start(self.now_ns, journals)
            self.settle(port)
