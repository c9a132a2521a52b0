"""The number of functions that an event enters may not grow: it decides how long an order takes to leave."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

# The code before the order manager, with the same counter: 63, 35, 151 and 94, 51, 79. One call more of the strategy
# is EffectQueue.perform, a C call where it is compiled.
MOST = {
    "connector: depth frame": (62, 62),
    "strategy: depth frame": (35, 35),
    "connector: PlaceOrder": (150, 95),  # two of them notice that the machine was suspended
    "connector: answer to the placement": (46, 46),
    "connector: executionReport": (75, 75),
}


@pytest.fixture(scope="module")
def counts():
    counter = Path(__file__).with_name("call_counter.py")
    out = subprocess.run(
        [sys.executable, str(counter)], env={**os.environ, "TICKBUS_PLAIN": "1"}, capture_output=True, check=True
    ).stdout
    return json.loads(out)


@pytest.mark.parametrize("event", MOST)
def test_an_event_enters_no_more_functions_than_before(counts, event):
    """The first event of its kind, which fills caches, and the usual one."""
    first, usual = MOST[event]
    assert counts[event]["events"] >= 5
    assert counts[event]["first"] <= first
    assert counts[event]["usual"] <= usual
