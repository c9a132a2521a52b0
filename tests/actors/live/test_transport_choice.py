"""Which transport a process uses: by what is compiled, by the environment, and by the run file's `bus`."""

import os
import subprocess
import sys

import pytest

from actors.live import driver
from actors.live.transport_choice import FAST, IMPLEMENTATION, LIBZMQ, transport_class
from actors.live.transport_zmq import ZmqTransport
from actors.run.run_file import load, problems
from clockd import main as clock_main
from protocol.errors import BadRunFile

RUN = """
{bus}
[clock]
order = ["maker"]
[actors.maker]
use = "strategies.ping_pong:PingPong"
settings = {{ market = "binance:BTC-USDT", size_lots = 1, half_spread_ticks = 1 }}
"""


@pytest.fixture
def run_file(tmp_path):
    def write(bus):
        path = tmp_path / "run.toml"
        path.write_text(RUN.format(bus=bus))
        return path

    return write


def test_the_compiled_transport_is_used_where_there_is_one_unless_the_run_chooses_libzmq():
    fast = FAST or ZmqTransport
    assert transport_class() is transport_class("ipc") is fast
    assert ("libzmq" if FAST is None else "cython") == IMPLEMENTATION
    assert transport_class(LIBZMQ) is ZmqTransport


@pytest.mark.process
def test_without_compiled_modules_the_transport_is_libzmqs():
    code = (
        "import sys; from actors.live.transport_choice import IMPLEMENTATION, transport_class;"
        "print(IMPLEMENTATION, transport_class().__name__, 'actors.live._transport' in sys.modules)"
    )
    environment = os.environ | {"TICKBUS_PLAIN": "1"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["libzmq", "ZmqTransport", "False"]


@pytest.mark.process
@pytest.mark.skipif(FAST is None, reason="nothing is compiled")
def test_a_process_on_the_compiled_transport_does_not_load_libzmq():
    code = "import sys, actors.live.driver as d; d.transport_class(); print('zmq' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != "TICKBUS_PLAIN"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False"]


@pytest.mark.parametrize(("line", "bus"), [("", "ipc"), ('bus = "ipc"', "ipc"), (f'bus = "{LIBZMQ}"', LIBZMQ)])
def test_the_run_files_bus_reaches_every_actor_and_the_clock(run_file, monkeypatch, line, bus):
    chosen = []

    class Started:
        def __init__(self, *_, bus, **__):
            chosen.append(bus)

        def run(self):
            return 0

    monkeypatch.setattr(driver, "Live", Started)
    monkeypatch.setattr(clock_main, "Live", Started)
    run = load(run_file(line))
    run.dir.mkdir(parents=True)
    driver.run_actor(run, "maker", 1)
    clock_main.run_clock(run, 1)
    assert chosen == [bus, bus]


def test_another_bus_is_refused_with_the_possible_ones(run_file):
    path = run_file('bus = "tcp"')
    assert len(problems(path)) == 1
    assert "$.bus" in problems(path)[0]
    with pytest.raises(BadRunFile, match=r"\$\.bus"):
        load(path)
