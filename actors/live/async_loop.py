"""The loop of an actor that uses HTTP and websockets (a connector): the steps of `poll`, run by asyncio on uvloop."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from actors.live.transport import Transport
from actors.runtime import Runtime
from actors.timers import NEVER_NS

BURST_NS = 200_000  # events that follow sooner on the last flush leave with all that was read with them
MAX_ROUNDS = 8  # of one cycle; then the network has its turn


class AsyncLoop:
    """To be made inside the running event loop. `event` is how HTTP answers and websocket frames reach the actor."""

    def __init__(self, runtime: Runtime, transport: Transport) -> None:
        self._runtime, self._transport = runtime, transport
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._bug: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = NEVER_NS
        self._has_cycle = False  # one is due with the next turn of the event loop
        self._flushed_ns = 0
        self._loop.set_exception_handler(self._crash)
        for one in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(one, self.event, runtime.request_stop)
        self._loop.add_reader(transport.fd, self._cycle)

    async def until_stopped(self) -> None:
        """Run until the actor has stopped, or a bug has ended it (see `raise_bug`)."""
        self._cycle()
        await self._done.wait()

    def raise_bug(self) -> None:
        """Raises the exception that left a handler, if one did."""
        if self._bug is not None:
            raise self._bug

    def event(self, call: Callable[..., None], *args: Any) -> None:
        """Run `call(*args)` in the actor: an HTTP answer, a websocket frame, a signal."""
        runtime, now_ns = self._runtime, time.monotonic_ns()
        runtime.begin(now_ns)
        runtime.call(call, *args)
        runtime.finish()
        if now_ns - self._flushed_ns > BURST_NS:
            self._flushed_ns = now_ns
            self._transport.flush()
        if runtime.stopped:
            self._done.set()
        elif self._transport.is_idle():
            self._set_timer()
        else:
            self._cycle_soon()

    def _crash(self, _: Any, context: dict[str, Any]) -> None:
        """An exception left a handler: a bug. This process ends; its supervisor starts it again, from its journal."""
        self._bug = context.get("exception") or RuntimeError(context["message"])
        self._done.set()

    def _cycle(self) -> None:
        """Frames may have arrived, or a timer is due. Repeats while there is more."""
        self._has_cycle = False
        transport, runtime = self._transport, self._runtime
        for _ in range(MAX_ROUNDS):
            more = transport.wait(0)
            runtime.begin(time.monotonic_ns())
            if more:
                transport.drain(runtime)
            runtime.finish()
            transport.flush()
            if runtime.stopped or self._bug is not None:
                self._done.set()
                return
            if transport.is_idle():
                break
        else:
            self._cycle_soon()
        self._set_timer()

    def _cycle_soon(self) -> None:
        if not self._has_cycle:
            self._has_cycle = True
            self._loop.call_soon(self._cycle)

    def _set_timer(self) -> None:
        """A timer that rings too early costs less than to set it again after every event."""
        wake_ns = self._runtime.wake_ns()
        if wake_ns < self._timer_ns:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_ns = wake_ns
            self._timer = self._loop.call_later(max(0, wake_ns - time.monotonic_ns()) / 1e9, self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_ns = None, NEVER_NS
        self._cycle()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop, where it exists."""
    if sys.platform == "win32":
        return None
    import uvloop  # processes of strategies never load it

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
