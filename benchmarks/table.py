"""The results as a table of text."""

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.result import Result

HEADINGS = ("what", "ours", "yardstick", "ratio", "spread", "must", "aim", "verdict")


def table(results: Iterable[Result]) -> str:
    """Returns text with aligned columns and a verdict in each row; notes on rows follow below."""
    results = list(results)
    rows = [HEADINGS, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"{result.row.name}: {result.note}" for result in results if result.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = [cell.ljust(width) if not at else cell.rjust(width)
                    for at, (cell, width) in enumerate(zip(cells, widths, strict=True))]  # fmt: skip
    return "  ".join([first, *rest]).rstrip()


def _cells(result: Result) -> tuple[str, ...]:
    row = result.row
    spread = "" if result.spread is None else f"{result.spread[0]:.2f}-{result.spread[1]:.2f}"
    times = "" if row.aim_is == "ours" else " x"
    return (
        row.what,
        _number(result.ours, row.unit),
        _number(result.yardstick, row.unit),
        "" if result.ratio is None else f"{result.ratio:.2f} x",
        spread,
        "reported" if row.must is None else f"{row.sense} {row.must:g}{times}",
        "" if row.aim is None else f"{row.sense} {row.aim:g}{times}",
        verdict(result),
    )


def _number(rounds: list[float], unit: str) -> str:
    if not rounds:
        return "-"
    value = median(rounds)
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def verdict(result: Result) -> str:
    """Returns "aim met", "must met", "MISSED" or "not measured"."""
    if not result.ours:
        return "not measured"
    if not result.must_met:
        return "MISSED"
    return "aim met" if result.holds(result.row.aim) else "must met"
