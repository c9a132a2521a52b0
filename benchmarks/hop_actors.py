"""The ticked actor of the hop rows, and a clock that measures its own hops."""

from statistics import median, quantiles
from typing import Any

from actors import Actor
from actors.live.transport_choice import IMPLEMENTATION
from clockd.clock import Clock
from protocol import Message, Tick, TickReport

WARM_TICKS = 100
TICKS = 500


class Ticked(Actor):
    """Does as little as a strategy can do in Python."""

    ticked = 0

    def on_tick(self, tick: Tick) -> None:
        self.ticked = tick.n


class CountingClock(Clock):
    """The clock; stops after enough ticks to which all actors responded, and has their times in `result`."""

    result: dict[str, Any] | None = None

    def on_start(self) -> None:
        self._reports: list[TickReport] = []
        self._expected = sum(len(wave) for wave in self.settings.order)
        super().on_start()

    def publish(self, topic: str, message: Message) -> int:
        if isinstance(message, TickReport) and len(message.hops) == self._expected:
            self._reports.append(message)
            if len(self._reports) == WARM_TICKS + TICKS:
                self.result = summary(self._reports[WARM_TICKS:])
                self.stop("measured enough")
        return super().publish(topic, message)


def summary(reports: list[TickReport]) -> dict[str, Any]:
    """Returns microseconds: of each hop, and of whole ticks divided by their hops (in a wave hops overlap)."""
    hops_us = [took_us for report in reports for _name, took_us in report.hops]
    shares_us = [report.took_ns / 1000 / len(report.hops) for report in reports]
    hundredths = quantiles(hops_us, n=100)
    return {
        "hop_us": median(hops_us),
        "share_us": median(shares_us),
        "detail": {
            "transport": IMPLEMENTATION,
            "ours_p10": round(hundredths[9], 1),
            "ours_p90": round(hundredths[89], 1),
            "ours_p99": round(hundredths[98], 1),
        },
    }
