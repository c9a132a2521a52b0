"""`tickbus calibrate` as a user calls it: a recording is measured, a profile is made from it, mistakes are one line."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest

from venue.base.settings import MarketSettings
from venue.calibration.simulated_recording import simulated_lines

pytestmark = pytest.mark.process

MARKET = MarketSettings(tick_size=Decimal("0.01"), lot_size=Decimal("0.00001"), start_price=Decimal(60000))


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Eight seconds of the local exchange's streams, in the format of a recording."""
    path = tmp_path_factory.mktemp("recordings") / "small.txt"
    path.write_bytes(b"\n".join(simulated_lines(MARKET, 8)))
    return path


@pytest.fixture
def calibrate():
    """Call `tickbus calibrate`; the finished process."""

    def call(*args):
        command = [sys.executable, "-m", "tickbus.main", "calibrate", *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return call


def test_a_recording_is_measured_as_a_table_and_as_json(calibrate, recording):
    done = calibrate(recording)
    assert (done.returncode, done.stderr) == (0, "")
    assert "recording" in done.stdout.splitlines()[0]
    assert "order flow" not in done.stdout
    found = json.loads(calibrate(recording, "--json").stdout)
    assert found["run"] is None
    assert found["recording"]["seconds"] == pytest.approx(8, abs=1)


def test_a_profile_is_simulated_alone_or_beside_a_recording(calibrate, recording):
    alone = json.loads(calibrate("--profile", "btcusdt_spot", "--seconds", "5", "--json").stdout)
    assert alone["recording"] is None
    assert alone["run"]["seconds"] == pytest.approx(5, abs=1)
    beside = calibrate(recording, "--profile", "btcusdt_spot", "--seconds", "5").stdout.splitlines()[0]
    assert beside.index("recording") < beside.index("order flow")


def test_the_same_seed_gives_the_same_run(calibrate):
    runs = [calibrate("--profile", "btcusdt_spot", "--seconds", "3", "--seed", seed, "--json").stdout for seed in "778"]
    assert runs[0] == runs[1] != runs[2]


def test_a_profile_made_from_a_recording_can_be_simulated(calibrate, recording, tmp_path):
    target = tmp_path / "mine.toml"
    done = calibrate(recording, "--write", target, "--rounds", "0", "--seconds", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert {"recording", "run"} == {name for name, found in json.loads(done.stdout).items() if found}
    again = calibrate("--profile", target, "--seconds", "3", "--json")
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ([], "name a RECORDING to measure, or a --profile to simulate, or both (tickbus calibrate --help)"),
        (["--write", "x.toml"], "name a RECORDING to measure, or a --profile to simulate, or both"),
        (["{recording}", "--write", "x.txt", "--rounds", "0"], "--write: the file's name must end in .toml"),
        (["{recording}", "--write", "/proc/x.toml", "--rounds", "0"], "/proc/x.toml: "),
        (["/nowhere.gz"], "No such file"),
        (["--profile", "btcusdt_spto"], "flow profile btcusdt_spto: "),
        (["--profile", "btcusdt_spot", "--seconds", "0"], "--seconds"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2(calibrate, recording, args, text):
    done = calibrate(*(one.format(recording=recording) for one in args))
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.stderr
    assert done.stderr.startswith("tickbus: ")
    assert text in done.stderr
