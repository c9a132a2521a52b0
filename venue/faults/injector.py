"""FaultInjector: everything that makes the exchange misbehave, composed; what the exchange and its control use."""

from collections.abc import Callable, Iterable
from typing import Any

from venue.api.dispatch import RequestDispatcher
from venue.base.wire import Signal
from venue.engine.engine import Engine
from venue.faults.active_fault import ActiveFault, Transition
from venue.faults.clock_skew import ClockSkew
from venue.faults.exchange_faults import ExchangeFaults
from venue.faults.kinds.exchange_kinds import Maintenance
from venue.faults.kinds.fault import Fault
from venue.faults.kinds.request_kinds import PresetAnswer, StaleReads
from venue.faults.kinds.stream_kinds import ConnectionRefused, Silence
from venue.faults.request_faults import RequestFaults
from venue.faults.scheduler import FaultScheduler
from venue.faults.stale_reads import StaleReadFaults
from venue.faults.stream_faults import StreamFaults
from venue.streams.connections import Connection, Connections


class FaultInjector:
    """Carries out the windows of the scheduled faults. `close` closes a websocket for the exchange."""

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        dispatcher: RequestDispatcher,
        seed: int,
        close: Callable[[Connection, Signal], None],
    ) -> None:
        self.clock = ClockSkew()
        self.scheduler = FaultScheduler(seed)
        self.stale_reads = StaleReadFaults(engine.accounts, engine.records, self.clock)
        self.streams = StreamFaults(self.scheduler, connections, close)
        self.exchange = ExchangeFaults(self.scheduler, self.clock, engine)
        self.requests = RequestFaults(
            self.scheduler, self.streams, self.exchange, self.stale_reads, engine.accounts, connections, dispatcher
        )

    @property
    def next_ns(self) -> int:
        """When `advance` must be called next, by the exchange's clock."""
        return min(self.scheduler.next_ns, self.streams.next_ns, self.exchange.next_ns)

    def advance(self, now_ns: int) -> None:
        """Does what is due by now."""
        for active, transition in self.scheduler.transitions(now_ns):
            (self._opened if transition is Transition.OPENED else self._closed)(active, now_ns)
        self.exchange.advance(now_ns)

    def add(self, faults: Iterable[Fault], now_ns: int) -> list[int]:
        """Starts faults now; returns their numbers. Raises BadFault for a fault that does not fit this exchange."""
        added = list(faults)
        for fault in added:
            self.exchange.check(fault)
        numbers = self.scheduler.add(added, now_ns)
        self.advance(now_ns)
        return numbers

    def remove(self, numbers: Iterable[int], now_ns: int) -> None:
        """Ends faults by their numbers."""
        for active in self.scheduler.remove(numbers):
            self._closed(active, now_ns)

    def clear(self, now_ns: int) -> None:
        """Ends every fault and sends the frames that were held back."""
        self.remove([active.number for active in self.scheduler.active], now_ns)
        self.streams.release()

    def silence(self, kind: str, seconds: float, now_ns: int) -> None:
        """Streams of `kind` (market or user) send nothing for `seconds` from now; replaces an earlier silence."""
        earlier = [one.number for one in self.scheduler.of_kind(Silence) if one.fault.kind == kind]  # type: ignore[attr-defined]
        self.remove(earlier, now_ns)
        if seconds > 0:
            self.add([Silence(kind=kind, for_s=seconds)], now_ns)  # type: ignore[arg-type]

    @property
    def is_refusing(self) -> bool:
        """Whether new connections are refused now."""
        return self.requests.is_refusing

    def shown(self) -> dict[str, Any]:
        """The state of all faults, as the control endpoint shows it."""
        preset = [one for one in self.scheduler.active if isinstance(one.fault, PresetAnswer)]
        return {
            "errors": [
                {"fault": one.fault.shown(), "left": one.fault.count - one.hits}  # type: ignore[attr-defined]
                for one in preset
            ],
            "silent_until_ns": self.streams.silent_until_ns,
            **self.scheduler.shown(),
        }

    def _opened(self, active: ActiveFault, now_ns: int) -> None:
        fault = active.fault
        if isinstance(fault, StaleReads):
            self.stale_reads.begin(active.number, fault)
        elif isinstance(fault, ConnectionRefused):
            self.scheduler.count_hit(active)
        elif isinstance(fault, Maintenance):
            self.scheduler.count_hit(active)
            self.streams.close_all()
        elif not self.streams.begin(active):
            self.exchange.begin(active, now_ns)

    def _closed(self, active: ActiveFault, now_ns: int) -> None:
        self.stale_reads.end(active.number)
        self.streams.end(active, now_ns)
        self.exchange.end(active, now_ns)
