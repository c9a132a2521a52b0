"""The table's own arithmetic, its yardsticks, and the shape of what it prints."""

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
from benchmarks.table import table, verdict
from benchmarks.worker import Worker, WorkerFailed

ROOT = Path(__file__).resolve().parents[2]


class Told:
    """A side that gives the numbers it was told, and keeps a diary."""

    def __init__(self, name, numbers, diary):
        self.name, self.numbers, self.diary = name, list(numbers), diary

    def round(self):
        self.diary.append(self.name)
        if not self.numbers:
            raise NotMeasured("it broke")
        return self.numbers.pop(0)

    def close(self):
        self.diary.append(f"close {self.name}")


def row(ours, yardstick, sense="<=", must=2.0, aim=1.0, diary=None, **more):
    """A row whose sides give these numbers; the first of each is the warm round's."""
    diary = [] if diary is None else diary
    other = None if yardstick is None else lambda: Told("yardstick", yardstick, diary)
    return Row("row", "what", "us", sense, must, aim, lambda: Told("ours", ours, diary), other, **more)


def test_the_ratio_is_that_of_the_medians_and_the_warm_round_does_not_count():
    result = measure(row(ours=[99, 3, 5, 100], yardstick=[77, 2, 4, 6]), rounds=3)
    assert (result.ours, result.yardstick) == ([3, 5, 100], [2, 4, 6])
    assert result.ratio == 5 / 4
    assert result.spread == (1.25, 100 / 6)


def test_the_sides_take_turns_in_going_first():
    diary = []
    measure(row(ours=[1] * 5, yardstick=[1] * 5, diary=diary), rounds=4)
    pairs = [tuple(diary[at : at + 2]) for at in range(2, 10, 2)]
    assert pairs == [("yardstick", "ours"), ("ours", "yardstick")] * 2
    assert diary[10:] == ["close yardstick", "close ours"]


@pytest.mark.parametrize(
    ("sense", "ratio", "word"),
    [("<=", 0.9, "aim met"), ("<=", 1.5, "must met"), ("<=", 2.1, "MISSED"),
     (">=", 31, "aim met"), (">=", 11, "must met"), (">=", 9, "MISSED")],
)  # fmt: skip
def test_a_bound_is_held_in_its_own_sense(sense, ratio, word):
    must, aim = (2.0, 1.0) if sense == "<=" else (10, 30)
    result = Result(row([], [], sense=sense, must=must, aim=aim), ours=[ratio], yardstick=[1])
    assert verdict(result) == word
    assert result.must_met == (word != "MISSED")


def test_a_part_that_is_missing_is_said_and_its_yardstick_still_measured():
    def missing():
        raise NotMeasured("no such part")

    whole = row(ours=[], yardstick=[1, 2, 3, 4])
    result = measure(Row(**{**vars(whole), "ours": missing}), rounds=3)
    said = result.as_json()
    assert (said["ours"], said["ratio"], said["must_met"]) == (None, None, False)
    assert said["yardstick"] == 3
    assert "ours not measured: no such part" in table([result])


def test_a_side_that_breaks_half_way_gives_no_number():
    diary = []
    result = measure(row(ours=[1, 1], yardstick=[1] * 4, diary=diary), rounds=3)
    assert result.ours == []
    assert len(result.yardstick) == 3
    assert diary.count("close ours") == 1
    assert verdict(result) == "not measured"


def test_sides_that_come_to_different_outcomes_are_not_compared():
    def ends_with(outcome):
        side = Told("side", [1, 2], [])
        side.detail = {"outcome": outcome}
        return lambda: side

    whole = row(ours=[], yardstick=[])
    same = Row(**{**vars(whole), "ours": ends_with([7, [1.0]]), "yardstick": ends_with([7, [1.0]])})
    different = Row(**{**vars(whole), "ours": ends_with([7, [1.0]]), "yardstick": ends_with([7, [1.5]])})
    assert measure(same, rounds=1).ratio == 1
    assert measure(different, rounds=1).ratio is None


def test_a_row_that_is_only_reported_keeps_its_must_by_being_measured():
    light = measure(row(ours=[0, 150.0], yardstick=None, must=None, aim=200, aim_is="ours"), rounds=1)
    heavy = measure(row(ours=[0, 250.0], yardstick=None, must=None, aim=200, aim_is="ours"), rounds=1)
    assert (light.must_met, verdict(light)) == (True, "aim met")
    assert (heavy.must_met, verdict(heavy)) == (True, "must met")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.parametrize(("mode", "peers"), [("sequential", 1), ("sequential", 3), ("wave", 3)])
def test_the_c_program_builds_and_answers(mode, peers):
    core = min(os.sched_getaffinity(0))
    assert build().exists()
    answer = pingpong(mode, core, core, peers=peers, ops=50)
    assert answer["ops"] == 50
    assert 0 < answer["p10_ns"] <= answer["p50_ns"] <= answer["p99_ns"]


def test_a_process_started_on_a_core_stays_there_and_ours_has_its_own_back():
    before = os.sched_getaffinity(0)
    core = max(before)
    with on_cores(core):
        code = "import os; print(*os.sched_getaffinity(0))"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(core)]
    assert os.sched_getaffinity(0) == before


def test_a_worker_answers_round_by_round(tmp_path):
    code = "from benchmarks.worker import serve; n = iter('01'); serve(lambda: {'n': next(n)}, detail=[1])"
    worker = Worker([sys.executable, "-c", code], tmp_path / "stderr")
    assert worker.ready["detail"] == [1]
    assert [worker.round()["n"], worker.round()["n"]] == ["0", "1"]
    worker.close()


def test_a_worker_that_dies_leaves_its_last_words(tmp_path):
    with pytest.raises(WorkerFailed, match="ended: the last word"):
        Worker([sys.executable, "-c", "raise SystemExit('the last word')"], tmp_path / "stderr")


def test_the_recorded_frames_follow_the_snapshot_without_a_hole(recorded):
    snapshot, frames = recorded_frames(recorded("binance_spot/btcusdt_20240808.gz"))
    last_update_id = json.loads(snapshot)["lastUpdateId"]
    spans = [(data["U"], data["u"]) for data in (json.loads(frame)["data"] for frame in frames)]
    assert spans[0][0] <= last_update_id + 1 <= spans[0][1]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(spans))


def test_numpy_and_our_book_agree_on_the_price_they_are_raced_for():
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


def test_json_gives_one_object_a_row_and_progress_stays_out_of_it():
    pytest.importorskip("numpy")
    told = run_benchmarks("--json", "--rounds", "2", "book_vwap")
    assert told.returncode == 0, told.stderr
    (line,) = told.stdout.splitlines()
    said = json.loads(line)
    assert {"name", "ours", "yardstick", "ratio", "must", "aim", "must_met"} <= set(said)
    assert said["ratio"] == pytest.approx(said["ours"] / said["yardstick"], rel=0.01)
    assert said["must_met"] == (said["ratio"] >= said["must"])
    assert "round 2 of 2" in told.stderr


def test_an_unknown_row_is_refused_with_the_names_that_are_known():
    told = run_benchmarks("no_such_row")
    assert told.returncode == 2
    assert "book_vwap" in told.stderr
    assert told.stdout == ""
