"""Weather: the faults that are at work, when they turn, which of them meets whom, and how often each has struck."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from venue.accounts.accounts import Accounts
from venue.base.wire import Signal
from venue.engine.engine import Engine
from venue.faults.active_fault import NEVER_NS, Running, Turn
from venue.faults.clock_skew import Skew
from venue.faults.exchange_faults import Deeds
from venue.faults.kinds.catalogue import KINDS, BadFault, shown
from venue.faults.kinds.exchange import Maintenance
from venue.faults.kinds.fault import Fault
from venue.faults.kinds.requests import StaleReads
from venue.faults.kinds.streams import ConnectionRefused
from venue.faults.stale_reads import Replicas
from venue.faults.stream_faults import Pushes
from venue.streams.connections import Connection, Connections

MAX_RUNNING = 1_000
MS_NS = 1_000_000
F = TypeVar("F", bound=Fault)


class Weather:
    """`add` and `remove` faults; `advance` as time goes on; `meet` where one may strike.

    The same faults, seed and requests give the same strikes. `cut` closes a websocket for the exchange.
    """

    def __init__(
        self, engine: Engine, connections: Connections, seed: int, cut: Callable[[Connection, Signal], None]
    ) -> None:
        self.seed = seed
        self.running: list[Running] = []
        self.counters = dict.fromkeys(KINDS, 0)
        self.skew = Skew()
        self.now_ns = self.world_ns = 0
        self.accounts: Accounts = engine.accounts
        self.records = engine.records
        self.pushes = Pushes(self, connections, cut)
        self.deeds = Deeds(self, engine)
        self.replicas: dict[int, Replicas] = {}
        self._numbers = 0
        self._turn_ns = NEVER_NS

    # -- time -----------------------------------------------------------------------------------------

    def time(self, world_ns: int) -> int:
        """The exchange's time at a moment of the world."""
        self.world_ns = world_ns
        self.now_ns = self.skew.at(world_ns)
        return self.now_ns

    @property
    def next_ns(self) -> int:
        """When `advance` wants to be called next, by the exchange's clock."""
        return min(self._turn_ns, self.pushes.next_ns, self.deeds.next_ns)

    def advance(self, now_ns: int) -> None:
        """Do what is due by now."""
        if now_ns >= self._turn_ns:
            for one in list(self.running):
                while (turn := one.turn(now_ns)) is not None:
                    (self._began if turn is Turn.BEGAN else self._ended)(one, now_ns)
            self._keep([one for one in self.running if not one.is_spent])
        self.deeds.advance(now_ns)

    def _keep(self, running: list[Running]) -> None:
        self.running = running
        self._turn_ns = min((one.next_ns for one in running), default=NEVER_NS)

    # -- what is at work ------------------------------------------------------------------------------

    def add(self, faults: Iterable[Fault], now_ns: int) -> list[int]:
        """Let these begin now; their numbers. Raises BadFault for what cannot be here."""
        wanted = list(faults)
        if len(self.running) + len(wanted) > MAX_RUNNING:
            raise BadFault(f"more than {MAX_RUNNING} faults at once: remove some first")
        for fault in wanted:
            self.deeds.check(fault)
        numbers = []
        for fault in wanted:
            self._numbers += 1
            self.running.append(Running(self._numbers, fault, self.seed, now_ns))
            numbers.append(self._numbers)
        self._keep(self.running)
        self.advance(now_ns)
        return numbers

    def remove(self, numbers: Iterable[int], now_ns: int) -> int:
        """End these; how many there were."""
        wanted = set(numbers)
        gone = [one for one in self.running if one.number in wanted]
        self._keep([one for one in self.running if one.number not in wanted])
        for one in gone:
            if one.is_on:
                one.is_on = False
                self._ended(one, now_ns)
        return len(gone)

    def clear(self, now_ns: int) -> None:
        """Fair weather: every fault ends, and what was held back is sent."""
        self.remove([one.number for one in self.running], now_ns)
        self.pushes.release()

    def of(self, kind: type[F]) -> list[Running]:
        """Those of a kind whose window is open."""
        return [one for one in self.running if one.is_on and isinstance(one.fault, kind)]

    def meet(self, kind: type[F], meets: Callable[[Any], bool]) -> Running | None:
        """The first of a kind that is about this one and strikes; counted."""
        for one in self.running:
            if one.is_on and isinstance(one.fault, kind) and meets(one.fault) and one.strikes():
                self.counters[one.name] += 1
                return one
        return None

    @property
    def is_refusing(self) -> bool:
        """Nobody listens."""
        return bool(self.running) and bool(self.of(ConnectionRefused))

    @property
    def maintenance(self) -> Maintenance | None:
        found = self.of(Maintenance) if self.running else []
        return found[0].fault if found else None  # type: ignore[return-value]

    def shown(self) -> dict[str, Any]:
        """For the control endpoint: what is at work, and how often everything has struck."""
        return {
            "active": [
                {"number": one.number, "is_on": one.is_on, "hits": one.hits, **shown(one.fault)} for one in self.running
            ],
            "counters": self.counters,
        }

    # -- windows --------------------------------------------------------------------------------------

    def struck(self, one: Running) -> None:
        """A fault has struck that is not met but happens; counted."""
        one.hits += 1
        self.counters[one.name] += 1

    def _began(self, one: Running, now_ns: int) -> None:
        fault = one.fault
        if isinstance(fault, StaleReads):
            self.replicas[one.number] = Replicas(self.accounts, [round(lag * MS_NS) for lag in fault.lags_ms])
            self.records.mirror = self._mirror
        elif isinstance(fault, ConnectionRefused):
            self.struck(one)
        elif isinstance(fault, Maintenance):
            self.struck(one)
            self.pushes.cut_all()
        elif not self.pushes.began(one):
            self.deeds.began(one, now_ns)

    def _ended(self, one: Running, now_ns: int) -> None:
        if self.replicas.pop(one.number, None) is not None and not self.replicas:
            self.records.mirror = None
        self.pushes.ended(one)
        self.deeds.ended(one, now_ns)

    def _mirror(self, orders: Any, executions: Any, balances: Any) -> None:
        for replicas in self.replicas.values():
            replicas.note(self.now_ns, orders, executions, balances)
