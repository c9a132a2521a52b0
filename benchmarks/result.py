"""A row of the table, and what measuring it gave: medians, their ratio, and whether the bounds hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, Protocol

ROUNDS = 7


class NotMeasured(Exception):
    """This row cannot be measured here; the text says what is missing."""


class Side(Protocol):
    """One of the two things compared: it is started once, measured round by round, and closed."""

    def round(self) -> float:
        """Measure once; the number is in the row's unit."""

    def close(self) -> None:
        """End what was started."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `sense` says how the ratio ours / yardstick is held against `must` and `aim`."""

    name: str
    what: str
    unit: str
    sense: Literal["<=", ">="]
    must: float | None
    aim: float | None
    ours: Callable[[], Side]
    yardstick: Callable[[], Side] | None
    rounds: int = ROUNDS
    warm_rounds: int = 1
    aim_is: Literal["ratio", "ours"] = "ratio"


@dataclass
class Result:
    """What one row gave. A number that was not measured is None, and `note` says why."""

    row: Row
    ours: list[float] = field(default_factory=list)
    yardstick: list[float] = field(default_factory=list)
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def add_note(self, side: str, reason: NotMeasured) -> None:
        """Say why a side has no number."""
        self.note = "; ".join(filter(None, [self.note, f"{side} not measured: {reason}"]))

    @property
    def ratio(self) -> float | None:
        """Median of ours over median of the yardstick."""
        if not self.ours or not self.yardstick:
            return None
        return median(self.ours) / median(self.yardstick)

    @property
    def spread(self) -> tuple[float, float] | None:
        """Smallest and largest ratio of a round of ours to the yardstick's round next to it."""
        ratios = [ours / yardstick for ours, yardstick in zip(self.ours, self.yardstick, strict=False)]
        return (min(ratios), max(ratios)) if ratios else None

    def holds(self, bound: float | None) -> bool | None:
        """Whether `bound` is kept: None if there is no bound, False if nothing was measured."""
        if bound is None:
            return None
        value = self.ratio
        if self.row.aim_is == "ours" and self.ours:
            value = median(self.ours)
        if value is None:
            return False
        return value <= bound if self.row.sense == "<=" else value >= bound

    @property
    def must_met(self) -> bool:
        """Whether the row's must is kept; a row whose must is to be reported keeps it by being measured."""
        held = self.holds(self.row.must)
        return bool(self.ours) if held is None else held

    def as_json(self) -> dict[str, Any]:
        """The row as one JSON object; `spread` is the range of the ratio over the rounds."""
        row = self.row
        return {
            "name": row.name,
            "what": row.what,
            "unit": row.unit,
            "ours": _rounded(median(self.ours)) if self.ours else None,
            "yardstick": _rounded(median(self.yardstick)) if self.yardstick else None,
            "ratio": _rounded(self.ratio),
            "spread": [_rounded(edge) for edge in self.spread] if self.spread else None,
            "sense": row.sense,
            "must": row.must,
            "aim": row.aim,
            "must_met": self.must_met,
            "aim_met": self.holds(row.aim),
            "rounds": len(self.ours),
            "note": self.note,
            **self.detail,
        }


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")
