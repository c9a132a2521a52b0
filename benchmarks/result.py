"""A row of the table, and its result: medians, their ratio, and whether the bounds are met."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, Protocol

ROUNDS = 7


class NotMeasured(Exception):
    """A row cannot be measured on this machine; the text names what is missing."""


class Side(Protocol):
    """One of the two things that a row compares: it is started once, measured in rounds, and closed."""

    def round(self) -> float:
        """Measures once; returns a number in the row's unit. Raises NotMeasured."""

    def close(self) -> None:
        """Ends all processes that were started."""


@dataclass(frozen=True)
class Row:
    """One row of the table. `sense`: how the ratio ours / yardstick is compared with `must` and `aim`.

    With `aim_is` "ours" the aim is compared with our number instead of the ratio.
    """

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
    """The result of a row. A number that was not measured is None, and `note` has the reason."""

    row: Row
    ours: list[float] = field(default_factory=list)
    yardstick: list[float] = field(default_factory=list)
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def add_note(self, side: str, reason: NotMeasured) -> None:
        """Notes why a side has no number."""
        self.note = "; ".join(filter(None, [self.note, f"{side} not measured: {reason}"]))

    @property
    def ratio(self) -> float | None:
        """The median of ours divided by the median of the yardstick."""
        if not self.ours or not self.yardstick:
            return None
        return median(self.ours) / median(self.yardstick)

    @property
    def spread(self) -> tuple[float, float] | None:
        """The smallest and the largest ratio of our round to the yardstick's round beside it."""
        ratios = [ours / yardstick for ours, yardstick in zip(self.ours, self.yardstick, strict=False)]
        return (min(ratios), max(ratios)) if ratios else None

    def holds(self, bound: float | None) -> bool | None:
        """Returns whether `bound` is met: None if there is no bound, False if nothing was measured."""
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
        """Whether the row's must is met; a row without one meets it by being measured."""
        held = self.holds(self.row.must)
        return bool(self.ours) if held is None else held

    def as_json(self) -> dict[str, Any]:
        """Returns the row as one JSON object; `spread` is the range of the ratio over the rounds."""
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
