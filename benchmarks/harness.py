"""Interleaved rounds of the two sides of a row."""

import sys
from collections.abc import Callable

from benchmarks.result import NotMeasured, Result, Row, Side


def measure(row: Row, rounds: int | None = None, progress: Callable[[str], None] | None = None) -> Result:
    """Measures a row: both sides `rounds` times, after warm rounds, and each round in the other order.

    A side that is missing or fails is noted, and the other one is measured alone. `progress` gets a line each round.
    """
    result = Result(row)
    report = progress or (lambda _text: None)
    sides: dict[str, Side] = {}
    try:
        for name, start in (("yardstick", row.yardstick), ("ours", row.ours)):
            if start is not None:
                _start(result, sides, name, start)
        _rounds(result, sides, rounds or row.rounds, report)
    finally:
        for side in sides.values():
            side.close()
    result.detail.update(getattr(sides.get("ours"), "detail", {}))
    result.note = "; ".join(filter(None, [result.note, result.detail.pop("note", "")]))
    _compare_outcomes(result, sides)
    if result.note:
        report(f"{row.name}: {result.note}")
    return result


def _compare_outcomes(result: Result, sides: dict[str, Side]) -> None:
    """Drops the result if the two sides report different outcomes of the same work."""
    outcomes = [getattr(side, "detail", {}).get("outcome") for side in sides.values()]
    if None not in outcomes and any(outcome != outcomes[0] for outcome in outcomes):
        result.ours.clear()
        result.note = f"not measured: the sides have different outcomes: {outcomes}"


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


def _rounds(result: Result, sides: dict[str, Side], rounds: int, report: Callable[[str], None]) -> None:
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
            values = ", ".join(f"{name} {gathered[name][-1]:,.4g}" for name in sorted(sides))
            report(f"{result.row.name}: round {number + 1} of {rounds}: {values} {result.row.unit}")


def to_stderr(text: str) -> None:
    """Prints progress; stdout is for the table."""
    print(text, file=sys.stderr, flush=True)
