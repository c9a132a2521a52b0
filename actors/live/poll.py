"""The loop of an actor that needs the bus alone: a strategy, the clock. Compiled as it stands where a compiler is."""

from typing import Any

from actors.runtime import Runtime

NAP_NS = 1_000_000_000  # the longest sleep, so that a signal that raced with the sleep is seen


def poll(runtime: Runtime, wires: Any) -> None:
    """Until the actor has stopped: wait, then take in what has arrived, then do what is due and what was decided."""
    while not runtime.stopped:
        wires.wait(min(max(0, runtime.wake_ns() - wires.now_ns()), NAP_NS))
        runtime.begin(wires.now_ns())
        wires.drain()
        runtime.finish()
