"""The loop of an actor that needs the bus alone: a strategy, the clock. Compiled as it stands where a compiler is."""

from actors.live.transport import Transport
from actors.runtime import Runtime

NAP_NS = 1_000_000_000  # the longest sleep, so that a signal that raced with the sleep is seen


def poll(runtime: Runtime, transport: Transport) -> None:
    """Until the actor has stopped: wait, deliver what has arrived, run what is due and perform all effects."""
    while not runtime.stopped:
        transport.wait(min(max(0, runtime.wake_ns() - transport.now_ns()), NAP_NS))
        runtime.begin(transport.now_ns())
        transport.drain(runtime)
        runtime.finish()
