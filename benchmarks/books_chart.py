"""Draws a recorded book and a simulated one side by side: depth over time, and the mean profile.

python -m benchmarks.books_chart RECORDING OUT.svg [PROFILE]
"""

import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from venue.base.settings import FlowSettings, MarketSettings
from venue.calibration.recording import RecordedDelta, RecordedFrame, RecordedSnapshot, RecordedTop, frames, read
from venue.calibration.simulated_recording import simulated_lines

mpl.use("Agg")
from matplotlib import pyplot as plt

SECONDS = 300
REACH_BPS = 12.0
SHOWN_BPS = 45.0
BIN_BPS = 0.5
ATOMS = 1e8
COLORS = ("#2a6f97", "#b5523b")


class Picture:
    """A book over time: the open notional by second and distance from the first mid price, and the mid price."""

    def __init__(self, found: Iterable[RecordedFrame]) -> None:
        edges = np.arange(-SHOWN_BPS, SHOWN_BPS + BIN_BPS, BIN_BPS)
        self.edges = edges
        self.depth = np.zeros((SECONDS, len(edges) - 1))
        self.mids: list[tuple[float, float]] = []
        self.profile = np.zeros((2, int(REACH_BPS / BIN_BPS)))
        self.samples = 0
        self._follow(found)

    def _follow(self, found: Iterable[RecordedFrame]) -> None:
        books: tuple[dict[int, int], dict[int, int]] = ({}, {})
        start_ns, first_mid, second = 0, 0.0, 0
        for frame in found:
            if isinstance(frame, RecordedSnapshot):
                books = (dict(frame.bids), dict(frame.asks))
                first_mid = first_mid or (frame.bids[0][0] + frame.asks[0][0]) / 2
                start_ns = start_ns or frame.ts_ns
            if not start_ns:
                continue
            at_s = (frame.ts_ns - start_ns) / 1e9
            if at_s >= SECONDS:
                return
            if isinstance(frame, RecordedTop):
                self.mids.append((at_s, ((frame.bid + frame.ask) / 2 / first_mid - 1) * 1e4))
            elif isinstance(frame, RecordedDelta):
                for book, changed in zip(books, (frame.bids, frame.asks), strict=True):
                    book.update(changed)
                if at_s >= second:
                    self._sample(int(at_s), books, first_mid)
                    second = int(at_s) + 1

    def _sample(self, second: int, books: tuple[dict[int, int], dict[int, int]], first_mid: float) -> None:
        live = [np.array([(p, q) for p, q in book.items() if q], dtype=float) for book in books]
        best = (live[0][:, 0].max(), live[1][:, 0].min())
        for index, book in enumerate(live):
            notional = book[:, 0] / ATOMS * book[:, 1] / ATOMS
            away = (book[:, 0] / first_mid - 1) * 1e4
            self.depth[second] += np.histogram(away, self.edges, weights=notional)[0]
            distance = np.abs(book[:, 0] - best[index]) / best[index] * 1e4
            bins = np.arange(0, REACH_BPS + BIN_BPS / 2, BIN_BPS)
            self.profile[index] += np.histogram(distance, bins, weights=notional)[0]
        self.samples += 1


def draw(pictures: dict[str, Picture], out: Path) -> None:
    """Draws two maps of depth over time with one scale, and the mean profiles, into `out`."""
    figure = plt.figure(figsize=(11, 7.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.35, 1))
    reach = max(6.0, *(max(abs(away) for _, away in one.mids) + 3 for one in pictures.values()))
    highest = np.quantile(np.concatenate([one.depth.ravel() for one in pictures.values()]), 0.99) / 1e3
    shared: Any = None
    for column, (name, one) in enumerate(pictures.items()):
        shared = axes = figure.add_subplot(grid[0, column], sharey=shared)
        shown = axes.pcolormesh(
            np.arange(SECONDS + 1), one.edges, one.depth.T / 1e3, cmap="Blues", vmin=0, vmax=highest, rasterized=True
        )
        axes.plot(*zip(*one.mids, strict=True), color="#b5523b", linewidth=0.9, label="mid price")
        axes.set(title=name, xlabel="seconds", ylim=(-reach, reach))
        axes.legend(loc="upper right")
        if column == 0:
            axes.set_ylabel("bps from the first mid price")
    figure.colorbar(shown, ax=figure.axes, label=f"open, thousand USDT per {BIN_BPS:g} bps")
    axes = figure.add_subplot(grid[1, :])
    steps = np.arange(0, REACH_BPS, BIN_BPS) + BIN_BPS / 2
    for color, (name, one) in zip(COLORS, pictures.items(), strict=True):
        bids, asks = one.profile / one.samples / 1e3
        axes.plot(-steps, bids, color=color, marker="o", markersize=3, label=name)
        axes.plot(steps, asks, color=color, marker="o", markersize=3)
    axes.axvline(0, color="#999999", linewidth=0.8)
    axes.set(
        xlabel="bps from the best price of the side (bids left, asks right)",
        ylabel=f"open, thousand USDT\nper {BIN_BPS:g} bps, mean",
        ylim=(0, None),
    )
    axes.legend(loc="upper left")
    figure.savefig(out, dpi=110)


def main() -> None:
    recording, out = Path(sys.argv[1]), Path(sys.argv[2])
    profile = sys.argv[3] if len(sys.argv) > 3 else "btcusdt_spot"
    recorded = Picture(read(recording))
    market = MarketSettings(start_price=Decimal(61740), flow=FlowSettings(profile=profile))
    run = Picture(frames(simulated_lines(market, SECONDS + 2)))
    draw({f"recording: {recording.name}": recorded, f"order flow: {profile}": run}, out)


if __name__ == "__main__":
    main()
