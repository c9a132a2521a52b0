"""The number of Python functions that an event enters, counted over a whole bot in virtual time.

The count, more than the time of each function, decides how long an event takes (docs/decisions/order-path.md).
"""

import json
import os
import subprocess
import sys
from functools import cache

from benchmarks.result import NotMeasured
from benchmarks.worker import ROOT

COUNTER = ROOT / "tests" / "connectors" / "call_counter.py"  # also used by tests/connectors/test_call_counts.py
TIMEOUT_S = 300.0
BEFORE = {  # counted in the same way before the connector had an order manager
    "connector: PlaceOrder": 151,
    "connector: depth frame": 63,
    "strategy: depth frame": 35,
}


@cache
def counts() -> dict[str, dict[str, int]]:
    """Returns {event: {"first": calls of the first such event, "usual": ...}}. Raises NotMeasured."""
    environment = {**os.environ, "TICKBUS_PLAIN": "1"}  # calls of compiled functions are not seen
    command = [sys.executable, str(COUNTER)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise NotMeasured(f"the counter failed: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


class CallsSide:
    """The functions that the first event of a kind enters; `detail` has those of the usual one."""

    def __init__(self, event: str) -> None:
        self._event = event
        self.detail: dict[str, int] = {}

    def round(self) -> float:
        found = counts()[self._event]
        self.detail["usual"] = found["usual"]
        return found["first"]

    def close(self) -> None:
        """Does nothing: the counting process has ended."""


class BeforeSide:
    """The same number as it was before."""

    def __init__(self, event: str) -> None:
        self._calls = BEFORE[event]

    def round(self) -> float:
        return self._calls

    def close(self) -> None:
        """Does nothing."""
