"""`python -m benchmarks [--json] [--rounds N] [NAME...]`: measures all rows, or the rows with these name prefixes."""

import argparse
import json
import os
import sys

from benchmarks.harness import measure, to_stderr
from benchmarks.result import Result, Row
from benchmarks.rows import ROWS
from benchmarks.table import table


def chosen(names: list[str]) -> list[Row]:
    """Returns the rows whose names begin with one of `names`, in the order of the table; exits for an unknown name."""
    for name in names:
        if not any(row.name.startswith(name) for row in ROWS):
            print(f"no row {name!r}; the rows are {', '.join(row.name for row in ROWS)}", file=sys.stderr)
            raise SystemExit(2)
    return [row for row in ROWS if not names or any(row.name.startswith(name) for name in names)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to measure (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each row")
    parser.add_argument("--rounds", type=int, help="number of rounds, instead of each row's own")
    options = parser.parse_args(arguments)
    rows = chosen(options.names)
    busy = os.getloadavg()[0]
    if busy > 0.5:
        to_stderr(f"the machine is not idle (load {busy:.1f}): numbers are worse, ratios a little")
    results: list[Result] = []
    for row in rows:
        results.append(measure(row, options.rounds, to_stderr))
        if options.json:
            print(json.dumps(results[-1].as_json()), flush=True)
    if not options.json:
        print(table(results))


if __name__ == "__main__":
    main()
