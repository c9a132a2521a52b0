"""The arithmetic of the table, its yardsticks, and its output."""

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.frames import recorded_frames
from benchmarks.harness import measure
from benchmarks.pingpong import build, pingpong
from benchmarks.placement import on_cores
from benchmarks.result import NotMeasured, Result, Row
from benchmarks.rows import ROWS
from benchmarks.table import table, verdict
from benchmarks.worker import Worker, WorkerFailed

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]


class ScriptedSide:
    """A side that returns given numbers, and records its calls."""

    def __init__(self, name, numbers, calls):
        self.name, self.numbers, self.calls = name, list(numbers), calls

    def round(self):
        self.calls.append(self.name)
        if not self.numbers:
            raise NotMeasured("it broke")
        return self.numbers.pop(0)

    def close(self):
        self.calls.append(f"close {self.name}")


def row(ours, yardstick, sense="<=", must=2.0, aim=1.0, calls=None, **more):
    """Returns a row whose sides give these numbers; the first of each is for the warm round."""
    calls = [] if calls is None else calls
    other = None if yardstick is None else lambda: ScriptedSide("yardstick", yardstick, calls)
    return Row("row", "what", "us", sense, must, aim, lambda: ScriptedSide("ours", ours, calls), other, **more)


def test_the_ratio_is_that_of_the_medians_and_the_warm_round_does_not_count():
    result = measure(row(ours=[99, 3, 5, 100], yardstick=[77, 2, 4, 6]), rounds=3)
    assert (result.ours, result.yardstick) == ([3, 5, 100], [2, 4, 6])
    assert result.ratio == 5 / 4
    assert result.spread == (1.25, 100 / 6)


def test_the_sides_alternate_in_order():
    calls = []
    measure(row(ours=[1] * 5, yardstick=[1] * 5, calls=calls), rounds=4)
    pairs = [tuple(calls[at : at + 2]) for at in range(2, 10, 2)]
    assert pairs == [("yardstick", "ours"), ("ours", "yardstick")] * 2
    assert calls[10:] == ["close yardstick", "close ours"]


@pytest.mark.parametrize(
    ("sense", "ratio", "word"),
    [("<=", 0.9, "aim met"), ("<=", 1.5, "must met"), ("<=", 2.1, "MISSED"),
     (">=", 31, "aim met"), (">=", 11, "must met"), (">=", 9, "MISSED")],
)  # fmt: skip
def test_a_bound_is_compared_in_its_own_sense(sense, ratio, word):
    must, aim = (2.0, 1.0) if sense == "<=" else (10, 30)
    result = Result(row([], [], sense=sense, must=must, aim=aim), ours=[ratio], yardstick=[1])
    assert verdict(result) == word
    assert result.must_met == (word != "MISSED")


def test_a_missing_side_is_noted_and_its_yardstick_is_still_measured():
    def missing():
        raise NotMeasured("no such part")

    whole = row(ours=[], yardstick=[1, 2, 3, 4])
    result = measure(Row(**{**vars(whole), "ours": missing}), rounds=3)
    found = result.as_json()
    assert (found["ours"], found["ratio"], found["must_met"]) == (None, None, False)
    assert found["yardstick"] == 3
    assert "ours not measured: no such part" in table([result])


def test_a_side_that_fails_half_way_has_no_number():
    calls = []
    result = measure(row(ours=[1, 1], yardstick=[1] * 4, calls=calls), rounds=3)
    assert result.ours == []
    assert len(result.yardstick) == 3
    assert calls.count("close ours") == 1
    assert verdict(result) == "not measured"


def test_sides_with_different_outcomes_are_not_compared():
    def ends_with(outcome):
        side = ScriptedSide("side", [1, 2], [])
        side.detail = {"outcome": outcome}
        return lambda: side

    whole = row(ours=[], yardstick=[])
    same = Row(**{**vars(whole), "ours": ends_with([7, [1.0]]), "yardstick": ends_with([7, [1.0]])})
    different = Row(**{**vars(whole), "ours": ends_with([7, [1.0]]), "yardstick": ends_with([7, [1.5]])})
    assert measure(same, rounds=1).ratio == 1
    assert measure(different, rounds=1).ratio is None


def test_a_row_without_a_must_meets_it_by_being_measured():
    light = measure(row(ours=[0, 150.0], yardstick=None, must=None, aim=200, aim_is="ours"), rounds=1)
    heavy = measure(row(ours=[0, 250.0], yardstick=None, must=None, aim=200, aim_is="ours"), rounds=1)
    assert (light.must_met, verdict(light)) == (True, "aim met")
    assert (heavy.must_met, verdict(heavy)) == (True, "must met")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.parametrize(("mode", "peers"), [("sequential", 1), ("sequential", 3), ("wave", 3)])
def test_the_c_program_builds_and_runs(mode, peers):
    core = min(os.sched_getaffinity(0))
    assert build().exists()
    result = pingpong(mode, core, core, peers=peers, ops=50)
    assert result["ops"] == 50
    assert 0 < result["p10_ns"] <= result["p50_ns"] <= result["p99_ns"]


def test_a_process_runs_on_its_core_and_ours_has_its_cores_again():
    before = os.sched_getaffinity(0)
    core = max(before)
    with on_cores(core):
        code = "import os; print(*os.sched_getaffinity(0))"
        output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.split() == [str(core)]
    assert os.sched_getaffinity(0) == before


def test_a_worker_measures_round_by_round(tmp_path):
    code = "from benchmarks.worker import serve; n = iter('01'); serve(lambda: {'n': next(n)}, detail=[1])"
    worker = Worker([sys.executable, "-c", code], tmp_path / "stderr")
    assert worker.ready["detail"] == [1]
    assert [worker.round()["n"], worker.round()["n"]] == ["0", "1"]
    worker.close()


def test_a_worker_that_ends_is_reported_with_its_last_line(tmp_path):
    with pytest.raises(WorkerFailed, match="ended: the last line"):
        Worker([sys.executable, "-c", "raise SystemExit('the last line')"], tmp_path / "stderr")


def test_the_recorded_frames_follow_the_snapshot_without_a_gap(recorded):
    snapshot, frames = recorded_frames(recorded("binance_spot/btcusdt_20240808.gz"))
    last_update_id = json.loads(snapshot)["lastUpdateId"]
    spans = [(data["U"], data["u"]) for data in (json.loads(frame)["data"] for frame in frames)]
    assert spans[0][0] <= last_update_id + 1 <= spans[0][1]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(spans))


def test_numpy_and_our_book_compute_the_same_price():
    np = pytest.importorskip("numpy")
    from benchmarks.vwap import LEVELS, asks, lots_of_levels, numpy_vwap
    from market.book import Book
    from protocol import Side

    packed = asks()
    lots = lots_of_levels(packed)
    prices_ticks, sizes_lots = np.frombuffer(packed, dtype="<i8").reshape(-1, 2)[:LEVELS].T.copy()
    book = Book()
    book.apply_snapshot(b"", packed)
    assert numpy_vwap(prices_ticks, sizes_lots, lots) == pytest.approx(book.vwap(Side.BUY, lots), rel=1e-12)
    assert book.price_for_volume(Side.BUY, lots) == prices_ticks[-1]


def run_benchmarks(*arguments) -> SimpleNamespace:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_json_prints_one_object_for_each_row_and_progress_goes_to_stderr():
    pytest.importorskip("numpy")
    done = run_benchmarks("--json", "--rounds", "2", "book_vwap")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert {"name", "ours", "yardstick", "ratio", "must", "aim", "must_met"} <= set(found)
    assert found["ratio"] == pytest.approx(found["ours"] / found["yardstick"], rel=0.01)
    assert found["must_met"] == (found["ratio"] >= found["must"])
    assert "round 2 of 2" in done.stderr


def test_an_unknown_row_is_refused_with_the_known_names():
    done = run_benchmarks("no_such_row")
    assert done.returncode == 2
    assert "book_vwap" in done.stderr
    assert done.stdout == ""


def test_every_row_has_a_name_of_its_own_and_bounds_that_agree():
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        if row.must is not None and row.aim is not None:
            assert row.aim <= row.must if row.sense == "<=" else row.aim >= row.must, row.name


def test_the_calls_of_an_event_are_counted_and_compared_with_those_before():
    done = run_benchmarks("--json", "calls_")
    assert done.returncode == 0, done.stderr
    rows = {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}
    assert rows.keys() == {"calls_order", "calls_depth", "calls_depth_strategy"}
    for name, found in rows.items():
        assert found["must_met"], (name, found)
        assert found["ours"] == int(found["ours"]) > 0
        assert found["yardstick"] == {"calls_order": 151, "calls_depth": 63, "calls_depth_strategy": 35}[name]
