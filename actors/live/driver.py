"""The live driver: one actor in this process, on the bus; on asyncio (uvloop) if it uses HTTP and websockets."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors import runtime as runtime_module
from actors.actor import Actor
from actors.cancel_only import CancelOnly
from actors.live.async_loop import AsyncLoop, loop_factory
from actors.live.journal import Journal, Sync
from actors.live.journal_sync import JournalSync
from actors.live.kill_switch import KillSwitch
from actors.live.network_port import NetworkPort, NoNetwork
from actors.live.poll import poll
from actors.live.run_time import RunTime
from actors.live.senders import Senders
from actors.live.sockets import Bus
from actors.live.suspend_clock import SuspendClock
from actors.live.transport_choice import transport_class
from actors.log.secret import ApiKey
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link
from actors.run.run_file import Run
from actors.runtime import Runtime
from actors.safe_start import NORMAL, SafeStart
from protocol.message import Settings

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
LOCKSTEP_WAIT_MS = 5_000  # in lockstep, positions always come unless a process has died


def default_network(event: Callable[..., None], folder: Path, log: Any) -> NetworkPort:
    from actors.live.network import Network  # aiohttp: 10 MB that a strategy's process does without

    return Network(event, folder, log)


class Live:
    """One actor, live. `run` returns its exit code.

    `bus`: the run file's. `network(event, folder, log)` makes the network of an actor that has `network = True`.
    """

    real_time = True

    def __init__(
        self,
        name: str,
        kind: type[Actor],
        settings: Settings,
        folder: Path,
        *,
        keys: ApiKey | None = None,
        journal_sync: Sync = "interval",
        bus: str = "ipc",
        network: Callable[[Callable[..., None], Path, Any], NetworkPort] = default_network,
        log: Any = None,
        **options: Any,
    ) -> None:
        self._time = RunTime(folder)
        self._exit_code = 0
        self._make_network = network
        self._network: NetworkPort = NoNetwork(name)  # until the event loop runs, and of an actor that has none
        self._folder = folder
        self._journals = {one: Journal(folder / f"{name}.{one}.journal", journal_sync) for one in kind.journals}
        self._journal_sync = JournalSync(list(self._journals.values())) if journal_sync == "interval" else None
        self._bus = Bus(name, folder, transport_class(bus))
        # Four methods of the Port are the bus's own.
        self.pub = self._bus.publish
        self.send, self.reply, self.subscribe = self._bus.send, self._bus.reply, self._bus.subscribe
        lockstep = options.get("lockstep", False)
        loop = f"{'uvloop' if kind.network else 'poll'}+{self._bus.transport.implementation}"
        self.runtime = Runtime(
            name, kind, settings, self, anchor_ns=self._time.started_ns if lockstep else self._time.anchor_ns,
            keys=keys, kill_switch=KillSwitch(folder), suspended_ns=SuspendClock(), pid=os.getpid(),
            loop=loop, log=log, **options,
        )  # fmt: skip

    def run(self) -> int:
        """Until the actor stops by itself, or by SIGTERM or SIGINT; returns the exit code."""
        runtime = self.runtime
        compiled = "plain" if str(runtime_module.__file__).endswith(".py") else "cython"
        runtime.log.info("actor started", pid=os.getpid(), epoch=runtime.epoch, loop=runtime.loop, runtime=compiled)
        if runtime.actor.network:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._run_async())
        else:
            self._run_poll()
        self._bus.close()
        if self._journal_sync is not None:
            self._journal_sync.close()
        for journal in self._journals.values():
            journal.close()
        runtime.log.info("actor stopped", exit_code=self._exit_code)
        return self._exit_code

    def _run_poll(self) -> None:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._on_signal)
        self._start()
        poll(self.runtime, self._bus.transport)

    def _on_signal(self, *_: Any) -> None:
        self.runtime.stop_requested = True

    async def _run_async(self) -> None:
        loop = AsyncLoop(self.runtime, self._bus.transport)
        self._network = self._make_network(loop.event, self._folder, self.runtime.log)
        self._start()
        await loop.until_stopped()
        await self._network.close()
        loop.raise_bug()

    def _start(self) -> None:
        records = {name: journal.records() for name, journal in self._journals.items()}
        self.runtime.start(time.monotonic_ns(), records)
        gc.collect()
        gc.freeze()  # what exists since the start exists to the end: the collector need not walk it again and again

    # -- the rest of the Port -----------------------------------------------------------------------------

    def rss_bytes(self) -> int:
        return resident_bytes()

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        self._network.http(request, then)

    def ws_connect(self, link: Link) -> None:
        self._network.ws_connect(link)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self._network.ws_send(link, data)

    def ws_close(self, link: Link) -> None:
        self._network.ws_close(link)

    def append(self, journal: str, record: bytes) -> str:
        try:
            self._journals[journal].append(record)
        except OSError as error:
            return str(error)
        if self._journal_sync is not None:
            self._journal_sync.wake()
        return ""

    def rewrite(self, journal: str, records: list[bytes]) -> str:
        try:
            self._journals[journal].rewrite(records)
        except OSError as error:
            return str(error)
        return ""

    def stop(self, reason: str, exit_code: int) -> None:
        self.runtime.log.info("actor is stopping", reason=reason)
        self._exit_code = exit_code


def run_actor(
    run: Run, name: str, epoch: int, *, keys: ApiKey | None = None, log: Any = None, safe_start: SafeStart = NORMAL,
    patience_ms: int | None = None,
) -> int:  # fmt: skip
    """Runs the actor `name` of a run in this process, under the `epoch` that its lock gave; returns its exit code.

    `patience_ms`: how long the clock waits for a turn of it, if not for the time in the run file.
    """
    conf = run.actor(name)
    keep_to(conf.cpu)
    live = Live(
        name, run.actor_class(name), run.actor_settings(name), run.dir, keys=keys, journal_sync=conf.journal_sync,
        bus=run.bus, log=log, epoch=epoch, follows=conf.follows, patience_ms=patience_ms or conf.patience_ms,
        safe_start=safe_start, may_command=Senders(run, name), **lockstep_options(run),
    )  # fmt: skip
    return live.run()


def run_cancel_only(run: Run, name: str, epoch: int, *, log: Any = None, safe_start: SafeStart = NORMAL) -> int:
    """Cancels the orders of the strategy `name` without its own code, for the time of `safe_start`."""
    settings = CancelOnly.Settings(seconds=safe_start.seconds, reason=safe_start.reason)
    follows = run.actor(name).follows
    return Live(name, CancelOnly, settings, run.dir, bus=run.bus, log=log, epoch=epoch, follows=follows).run()


def lockstep_options(run: Run) -> dict[str, Any]:
    """What a lockstep run changes in each actor's runtime."""
    return {"lockstep": True, "position_wait_ms": LOCKSTEP_WAIT_MS} if run.clock.mode == "lockstep" else {}


def resident_bytes() -> int:
    """The resident memory of this process; 0 where the system has no /proc."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def keep_to(cpu: int | None) -> None:
    """Pin this process to one core. Sequential ticks are fastest on one: waking another costs more than the message."""
    if cpu is not None and cpu in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {cpu})
