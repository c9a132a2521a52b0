"""Interleaved rounds of the two sides of a row."""

import sys
from collections.abc import Callable

from benchmarks.result import NotMeasured, Result, Row, Side


def measure(row: Row, rounds: int | None = None, progress: Callable[[str], None] | None = None) -> Result:
    """Measure one row: `rounds` times both sides, turn about who goes first, after a warm round of each.

    A side that is missing or fails is noted, and the other measured alone.
    """
    result = Result(row)
    tell = progress or (lambda _text: None)
    sides: dict[str, Side] = {}
    try:
        for name, start in (("yardstick", row.yardstick), ("ours", row.ours)):
            if start is not None:
                _start(result, sides, name, start)
        _rounds(result, sides, rounds or row.rounds, tell)
    finally:
        for side in sides.values():
            side.close()
    result.detail.update(getattr(sides.get("ours"), "detail", {}))
    result.note = "; ".join(filter(None, [result.note, result.detail.pop("note", "")]))
    _compare_outcomes(result, sides)
    if result.note:
        tell(f"{row.name}: {result.note}")
    return result


def _compare_outcomes(result: Result, sides: dict[str, Side]) -> None:
    """Sides that did the same work say what came out of it: it has to be the same."""
    outcomes = [getattr(side, "detail", {}).get("outcome") for side in sides.values()]
    if None not in outcomes and any(outcome != outcomes[0] for outcome in outcomes):
        result.ours.clear()
        result.note = f"not measured: the sides came to different outcomes: {outcomes}"


def _start(result: Result, sides: dict[str, Side], name: str, start: Callable[[], Side]) -> None:
    try:
        sides[name] = start()
    except NotMeasured as reason:
        result.add_note(name, reason)


def _round(result: Result, sides: dict[str, Side], name: str) -> float | None:
    try:
        return sides[name].round()
    except NotMeasured as reason:
        result.add_note(name, reason)
        sides.pop(name).close()
        return None


def _rounds(result: Result, sides: dict[str, Side], rounds: int, tell: Callable[[str], None]) -> None:
    gathered = {"ours": result.ours, "yardstick": result.yardstick}
    for number in range(-result.row.warm_rounds, rounds):
        names = sorted(sides, reverse=number % 2 == 0)
        for name in names:
            value = _round(result, sides, name)
            if value is None:
                gathered[name].clear()
            elif number >= 0:
                gathered[name].append(value)
        if number >= 0 and sides:
            told = ", ".join(f"{name} {gathered[name][-1]:,.4g}" for name in sorted(sides))
            tell(f"{result.row.name}: round {number + 1} of {rounds}: {told} {result.row.unit}")


def to_stderr(text: str) -> None:
    """Progress for whoever waits; the table itself goes to stdout."""
    print(text, file=sys.stderr, flush=True)
