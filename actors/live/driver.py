"""The live driver: one actor in this process, on ZeroMQ; with uvloop if it wants HTTP and websockets."""

import asyncio
import gc
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors import runtime as runtime_module
from actors.actor import Actor
from actors.live.journal import Journal, Sync
from actors.live.journal_sync import Syncer
from actors.live.kill_switch import KillSwitch
from actors.live.poll import poll
from actors.live.run_time import RunTime
from actors.live.sockets import Bus
from actors.live.transport import IMPLEMENTATION
from actors.net import HttpRequest, Link
from actors.run.run_file import Run
from actors.runtime import Runtime
from actors.timers import NEVER_NS
from protocol.message import Settings

if TYPE_CHECKING:
    from actors.live.http import LiveNet

BURST_NS = 200_000  # what comes sooner after the last frame leaves with all that was read with it
LOCKSTEP_WAIT_MS = 5_000  # marks always come in lockstep, unless somebody has died


class Live:
    """One actor, live. `run` returns its exit code."""

    def __init__(
        self,
        name: str,
        kind: type[Actor],
        settings: Settings,
        folder: Path,
        *,
        keys: Any = None,
        journal_sync: Sync = "interval",
        log: Any = None,
        **options: Any,
    ) -> None:
        self._time = RunTime(folder)
        self._ended = False
        self._exit_code = 0
        self._bug: BaseException | None = None
        self._net: LiveNet | None = None
        self._folder = folder
        self._journals = {one: Journal(folder / f"{name}.{one}.journal", journal_sync) for one in kind.journals}
        self._syncer = Syncer(list(self._journals.values())) if journal_sync == "interval" else None
        lockstep = options.get("lockstep", False)
        self.runtime = Runtime(
            name, kind, settings, self, anchor_ns=self._time.born_ns if lockstep else self._time.anchor_ns,
            pid=os.getpid(), loop=f"{'uvloop' if kind.network else 'poll'}+{IMPLEMENTATION}", log=log, **options,
        )  # fmt: skip
        self.runtime.actor.keys = keys
        self.runtime.actor.kill_switch = KillSwitch(folder)
        self._bus = Bus(name, folder, self.runtime)
        # The Port of this driver: the bus does its share itself.
        self.pub = self._bus.pub  # type: ignore[assignment,method-assign]
        self.send, self.reply, self.subscribe = self._bus.send, self._bus.reply, self._bus.subscribe

    def run(self) -> int:
        """Until the actor stops, or SIGTERM or SIGINT asks it to; the exit code."""
        runtime = self.runtime
        compiled = "plain" if str(runtime_module.__file__).endswith(".py") else "cython"
        runtime.log.info("up", pid=os.getpid(), epoch=runtime.epoch, loop=runtime.loop, runtime=compiled)
        if runtime.actor.network:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._on_uvloop())
        else:
            self._on_poll()
        self._bus.close()
        if self._syncer is not None:
            self._syncer.close()
        for journal in self._journals.values():
            journal.close()
        runtime.log.info("down", exit_code=self._exit_code)
        return self._exit_code

    # -- an actor that needs the bus alone: its loop is in actors/live/poll.py ------------------------------------

    def _on_poll(self) -> None:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._signal)
        self.runtime.start(time.monotonic_ns(), self._records())
        _settle_memory()
        poll(self.runtime, self._bus.wires)

    def _signal(self, *_: Any) -> None:
        self.runtime.stop_asked = True

    # -- and this one an actor that talks to the world ----------------------------------------------------

    async def _on_uvloop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = NEVER_NS
        self._soon = False
        self._flushed_ns = 0
        self._loop.set_exception_handler(self._crash)
        for one in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(one, self.event, self.runtime.request_stop)
        self._loop.add_reader(self._bus.wires.fd, self._cycle)
        from actors.live.http import LiveNet  # aiohttp: 10 MB that a strategy's process does without

        self._net = LiveNet(self.event, self._folder, self.runtime.log)
        self.runtime.start(time.monotonic_ns(), self._records())
        _settle_memory()
        self._cycle()
        await self._done.wait()
        await self._net.close()
        if self._bug is not None:
            raise self._bug

    def _crash(self, _: Any, context: dict[str, Any]) -> None:
        """An exception left a handler: a bug. This process ends; its supervisor starts it afresh, from its journal."""
        self._bug = context.get("exception") or RuntimeError(context["message"])
        self._ended = True
        self._done.set()

    def _cycle(self) -> None:
        """Something may have arrived, or is due. Goes on while there is more."""
        self._soon = False
        wires, runtime = self._bus.wires, self.runtime
        for _ in range(8):
            more = wires.wait(0)
            runtime.begin(time.monotonic_ns())
            if more:
                wires.drain()
            runtime.finish()
            wires.flush()
            if self._ended:
                self._done.set()
                return
            if wires.settled():
                break
        else:
            self._again()
        self._set_timer()

    def event(self, call: Any, *args: Any) -> None:
        """Something came from the world: an HTTP answer, a websocket frame, a signal."""
        runtime, now_ns = self.runtime, time.monotonic_ns()
        runtime.begin(now_ns)
        runtime.call(call, *args)
        runtime.finish()
        if now_ns - self._flushed_ns > BURST_NS:
            self._flushed_ns = now_ns
            self._bus.wires.flush()
        if self._ended:
            self._done.set()
        elif self._bus.wires.settled():
            self._set_timer()
        else:
            self._again()

    def _again(self) -> None:
        if not self._soon:
            self._soon = True
            self._loop.call_soon(self._cycle)

    def _set_timer(self) -> None:
        """One that rings too early costs less than to set it anew after every event."""
        wake_ns = self.runtime.wake_ns()
        if wake_ns < self._timer_ns:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_ns = wake_ns
            self._timer = self._loop.call_later(max(0, wake_ns - time.monotonic_ns()) / 1e9, self._ring)

    def _ring(self) -> None:
        self._timer, self._timer_ns = None, NEVER_NS
        self._cycle()

    def pub(self, frame: bytes) -> None:
        self._bus.pub(frame)

    # -- the rest of the Port -------------------------------------------------------------------------

    def http(self, request: HttpRequest, then: Any) -> None:
        assert self._net is not None, f"{self.runtime.name}: an actor that uses HTTP needs `network = True`"
        self._net.http(request, then)

    def ws_connect(self, link: Link) -> None:
        assert self._net is not None, f"{self.runtime.name}: an actor that uses websockets needs `network = True`"
        self._net.ws_connect(link)

    def ws_send(self, link: Link, data: str | bytes) -> None:
        assert self._net is not None
        self._net.ws_send(link, data)

    def ws_close(self, link: Link) -> None:
        assert self._net is not None
        self._net.ws_close(link)

    def append(self, journal: str, record: bytes) -> str:
        try:
            self._journals[journal].append(record)
        except OSError as error:
            return str(error)
        if self._syncer is not None:
            self._syncer.wake()
        return ""

    def rewrite(self, journal: str, records: list[bytes]) -> None:
        self._journals[journal].rewrite(records)

    def stop(self, reason: str, exit_code: int) -> None:
        self.runtime.log.info("stopping", reason=reason)
        self._ended, self._exit_code = True, exit_code

    def _records(self) -> dict[str, list[bytes]]:
        return {name: journal.records() for name, journal in self._journals.items()}


def run_actor(run: Run, name: str, epoch: int, *, keys: Any = None, log: Any = None) -> int:
    """The actor `name` of a run, here, under the `epoch` that its lock gave; its exit code."""
    conf = run.actor(name)
    keep_to(conf.cpu)
    live = Live(
        name, run.actor_class(name), run.actor_settings(name), run.dir, keys=keys, journal_sync=conf.journal_sync,
        log=log, epoch=epoch, follows=conf.follows, patience_ms=conf.patience_ms, **lockstep_options(run),
    )  # fmt: skip
    return live.run()


def lockstep_options(run: Run) -> dict[str, Any]:
    """What a lockstep run changes in each actor's runtime."""
    return {"lockstep": True, "mark_wait_ms": LOCKSTEP_WAIT_MS} if run.clock.mode == "lockstep" else {}


def keep_to(cpu: int | None) -> None:
    """Sequential ticks are fastest on one core: waking another costs more than the message."""
    if cpu is not None and cpu in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {cpu})


def _settle_memory() -> None:
    """What lives since the start lives on: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop  # the strategies' processes do without it

    return uvloop.new_event_loop
