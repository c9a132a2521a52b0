"""`tickbus venue --faults`: a profile for the local exchange of a run, instead of the one in its run file."""

import json
import subprocess
import sys
import time
import urllib.request

import pytest

pytestmark = pytest.mark.process

RUN = """
[actors.binance]
use = "connectors.binance:BinanceSpot"
keys = "venue/maker"
[actors.binance.settings]
markets = ["BTC-USDT"]
limits = {}
[venue]
faults = "drizzle"
"""


@pytest.fixture
def venue(tmp_path):
    """`venue(*args)` starts the process; it is killed when the test ends."""
    file = tmp_path / "run.toml"
    file.write_text(RUN)
    started = []

    def start(*args):
        command = [sys.executable, "-m", "tickbus.main", "venue", "--run", str(file), "--dir", str(tmp_path / "run")]
        process = subprocess.Popen([*command, *args], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def names(tmp_path):
    """Returns the names of the active faults, once the exchange has written its address."""
    address = tmp_path / "run" / "venue.address"
    end = time.monotonic() + 20
    while not address.exists():
        assert time.monotonic() < end, "no address was written"
        time.sleep(0.05)
    with urllib.request.urlopen(json.loads(address.read_text())["http"] + "/control/faults", timeout=5) as answer:
        return {one["name"] for one in json.load(answer)["active"]}


def test_the_setting_of_the_run_file_is_used(venue, tmp_path):
    venue()
    assert "timeout" in names(tmp_path)
    assert "maintenance" not in names(tmp_path)


def test_the_option_replaces_it_and_a_file_adds_to_it(venue, tmp_path):
    file = tmp_path / "more.json"
    file.write_text('{"faults": [{"name": "maintenance", "after_s": 600}]}')
    venue("--faults", "none", "--faults-file", str(file))
    assert names(tmp_path) == {"maintenance"}


def test_an_unknown_profile_is_one_clear_line(venue):
    _, error = venue("--faults", "strom").communicate(timeout=20)
    assert error.splitlines()[-1] == "tickbus: --faults: unknown fault profile `strom`, did you mean `storm`?"
