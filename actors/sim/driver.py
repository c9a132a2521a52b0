"""The sim driver: every actor of a run in one thread, in virtual time, on one heap of events.

The same seed and the same actors give the same trace. Nothing here waits; nothing reads a clock.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from actors.actor import Actor
from actors.log.secret import ApiKey
from actors.sim.bus import SimBus
from actors.sim.events import Events
from actors.sim.process import SimProcess
from actors.sim.run_parts import actor_parts, clock_part, load_run, local_exchange
from actors.sim.service import Service, ServiceNode
from protocol.message import Settings

DAY_NS = 86_400_000_000_000
START_NS = 1_700_000_000_000_000_000
POSITION_WAIT_MS = 100
LOCKSTEP_POSITION_WAIT_MS = 2_000


class Sim:
    """A whole run. `latency_ns`: the delay of a frame on the bus; `net_ns`: of a message to a service, one way.

    `lockstep`: actors act on their turns alone, as in a lockstep run over ZeroMQ: such a run gives the same trace.
    """

    def __init__(
        self, start_ns: int = START_NS, *, latency_ns: int = 50_000, net_ns: int = 1_000_000, lockstep: bool = False,
        trace: bool = True, log: Any = None,
    ) -> None:  # fmt: skip
        self.start_ns = start_ns
        self.net_ns = net_ns
        self.lockstep = lockstep
        self.trace = trace
        self.log: Any = log if log is not None else structlog.get_logger()
        self.events = Events(start_ns)
        self.bus = SimBus(self.events, latency_ns, self.deliver)
        self.processes: dict[str, SimProcess] = self.bus.receivers
        self.services: dict[str, ServiceNode] = {}
        self.journals: dict[tuple[str, str], list[bytes]] = {}
        self.disk_troubles: dict[str, str] = {}  # by actor: the reason why nothing can be written ("disk full")
        self.epochs: dict[str, int] = {}

    @classmethod
    def from_run(cls, path: str | Path, **options: Any) -> "Sim":
        """Returns the simulation of a run file: its clock, its actors and its local exchange. `options`: see Sim.

        The key file is not read, and nothing is written. Raises BadRunFile, also for an actor that needs the network.
        """
        run = load_run(path)
        sim = cls(**options)
        exchange = local_exchange(run, sim.now_ns)
        if exchange is not None:
            sim.serve("venue", exchange)
        for part in (clock_part(run, sim.now_ns), *actor_parts(run)):
            sim.add(part.name, part.kind, part.settings, follows=part.follows, keys=part.keys)
        return sim

    def actor(self, name: str) -> Actor:
        """Returns an actor by its name. Raises KeyError."""
        return self.processes[name].actor

    # -- processes and services -----------------------------------------------------------------------

    def add(
        self, name: str, kind: type[Actor], settings: Settings | None = None, *, follows: list[str] | None = None,
        keys: ApiKey | None = None, **options: Any,
    ) -> Actor:  # fmt: skip
        """Starts an actor now; also again after `kill`, with the journals of its earlier process runs."""
        assert name not in self.processes, f"{name} runs already"
        self.epochs[name] = self.epochs.get(name, 0) + 1
        options.setdefault("position_wait_ms", LOCKSTEP_POSITION_WAIT_MS if self.lockstep else POSITION_WAIT_MS)
        lockstep = self.lockstep and kind.ticks
        process = SimProcess(
            name, kind, settings if settings is not None else kind.Settings(), events=self.events, bus=self.bus,
            services=self.services, journals=self.journals, disk_troubles=self.disk_troubles, net_ns=self.net_ns,
            epoch=self.epochs[name], follows=follows, keys=keys, trace=self.trace, log=self.log.bind(actor=name),
            lockstep=lockstep, anchor_ns=self.start_ns if lockstep else 0, **options,
        )  # fmt: skip
        return process.actor

    def serve(self, name: str, service: Service) -> None:
        """Makes `local://name/...` lead to a service (a local exchange)."""
        self.services[name] = ServiceNode(self.events, service, self.net_ns)

    def kill(self, name: str) -> None:
        """Ends a process as kill -9 does."""
        self.processes[name].die()

    def request_stop(self, name: str) -> None:
        """Requests an orderly stop, as SIGTERM does."""
        process = self.processes[name]
        process.deliver(process.runtime.request_stop)

    def act(self, actor: Actor, call: Callable[..., Any], *args: Any) -> None:
        """Runs `call(*args)` now as if it were one of the actor's own handlers."""
        process = self.processes[actor.name]
        process.deliver(process.runtime.call, call, *args)

    def deliver(self, process: SimProcess, runtime_input: Callable[..., None], *args: Any) -> None:
        """Hands over a frame or a callback. A test's subclass may count, delay, drop or repeat frames here."""
        process.deliver(runtime_input, *args)

    # -- time (the loop is Events.run_until) ----------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The virtual time, UTC."""
        return self.events.now_ns

    def at(self, when_ns: int, call: Callable[..., None], *args: Any) -> None:
        """Adds an event."""
        self.events.at(when_ns, call, *args)

    def run_until(self, end_ns: int, stop: Callable[[], bool] | None = None) -> None:
        """Lets time pass until `end_ns`, or until `stop()` is True after an event."""
        self.events.run_until(end_ns, stop)

    def run_for(self, seconds: float, stop: Callable[[], bool] | None = None) -> None:
        """Lets `seconds` pass."""
        self.run_until(self.now_ns + round(seconds * 1e9), stop)
