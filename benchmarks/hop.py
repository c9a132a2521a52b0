"""Our side of the hop rows: actors that run through all rounds, and a new clock in each round."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks.actor_process import ActorProcess

TICK_MS = 1
ROUND_S = 60.0


class HopSide:
    """Microseconds per hop. The clock runs on the first of `cores`; the actors are spread over all of them."""

    def __init__(self, mode: Literal["sequential", "wave"], actors: int, cores: Sequence[int]) -> None:
        names = [f"a{number}" for number in range(actors)]
        self._order = [names] if mode == "wave" else [[name] for name in names]
        self._value = "share_us" if mode == "wave" else "hop_us"
        self._core = cores[0]
        self._epoch = 0
        self.detail: dict[str, Any] = {}
        self._home = tempfile.TemporaryDirectory(prefix="tickbus-hop-")
        self._folder = Path(self._home.name)
        placed = [(name, cores[number % len(cores)]) for number, name in enumerate(names)]
        use = "benchmarks.hop_actors:Ticked"
        self._actors = [ActorProcess(use, name, self._folder, core) for name, core in placed]

    def round(self) -> float:
        """Runs some hundred ticks of a clock that is started for this round."""
        self._epoch += 1
        # lockstep: tick after tick without a pause, as the yardstick sends message after message
        settings = {"tick_ms": TICK_MS, "order": self._order, "mode": "lockstep"}
        clock = ActorProcess(
            "benchmarks.hop_actors:CountingClock", "clockd", self._folder, self._core, settings, self._epoch
        )
        try:
            result = clock.result(ROUND_S)
        finally:
            clock.close()
        self.detail.update(result["detail"])
        return float(result[self._value])

    def close(self) -> None:
        """Stops the actors."""
        for actor in self._actors:
            actor.close()
        self._home.cleanup()
