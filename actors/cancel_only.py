"""CancelOnly: stands in for a strategy that crashes again and again, until its delay is over. It loads no user code."""

from typing import Any

from actors.actor import Actor
from protocol import CancelAll

SECOND_NS = 1_000_000_000
AGAIN_NS = SECOND_NS  # between two rounds: a connector may be starting too


class CancelOnly(Actor):
    """Cancels the strategy's open orders at each actor that it follows, reports SAFE, and ends after `seconds`."""

    ticks = False

    class Settings(Actor.Settings):
        """`reason`: the crashes, for operators."""

        seconds: float
        reason: str

    settings: Any

    def on_start(self) -> None:
        self.health("SAFE", f"cancels its orders only, for {self.settings.seconds:.1f} s: {self.settings.reason}")
        self.after(round(self.settings.seconds * SECOND_NS), self.stop, "the delay is over", 0)
        self._cancel()

    def _cancel(self) -> None:
        for name in self.follows:
            self.send(name, CancelAll(self.new_id(), self.now_ns + SECOND_NS))
        self.after(AGAIN_NS, self._cancel)
