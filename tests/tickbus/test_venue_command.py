"""`tickbus venue` with a recording, and `tickbus check` of paper trading."""

import gzip
import json
from pathlib import Path

import pytest

from actors.run.run_file import load
from tickbus.run_files.check import all_problems, paper_problems
from venue.run_table import venue_settings

PAPER = Path(__file__).resolve().parents[2] / "runs" / "paper.toml"


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "rec" / "small.gz"
    path.parent.mkdir()
    rows = [
        {"lastUpdateId": 1, "bids": [["100.00", "1"]], "asks": [["101.00", "1"]]},
        {"data": {"s": "BTCUSDT", "u": 2, "b": "100.00", "B": "1", "a": "101.00", "A": "2"}},
    ]
    with gzip.open(path, "wb") as file:
        for n, row in enumerate(rows):
            file.write(b"%d %s\n" % (1_723_000_000_000_000_000 + n * 1_000_000_000, json.dumps(row).encode()))
    return path


@pytest.mark.process
def test_a_recording_is_served_by_an_exchange_that_ends_with_it(recording, tickbus):
    done = tickbus("venue", "--replay", recording, "--speed", "20", "--at-end", "stop")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("venue listens on http://127.0.0.1:")


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "words"), [([], "--replay"), (["--speed", "2"], "--replay"), (["--replay", "nowhere.gz"], "No such")]
)
def test_a_mistake_in_the_options_is_one_line(arguments, words, tickbus):
    done = tickbus("venue", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_path_of_a_recording_is_relative_to_the_run_file(tmp_path):
    (tmp_path / "run.toml").write_text('[venue.replay]\nfile = "rec/small.gz"\nspeed = 3\n')
    replay = venue_settings(load(tmp_path / "run.toml")).replay
    assert (replay.file, replay.speed) == (str(tmp_path / "rec" / "small.gz"), 3)


def changed(tmp_path, *changes):
    text = PAPER.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "run.toml").write_text(text)
    return load(tmp_path / "run.toml", tmp_path / "r")


def test_the_paper_run_is_valid_and_connects_to_this_machine_only(tmp_path):
    run = changed(tmp_path)
    assert all_problems(run) == []
    settings = run.actor_settings("binance")
    assert {settings.rest_url.split(":")[1], settings.ws_url.split(":")[1]} == {"//127.0.0.1"}
    assert [market.symbol for market in venue_settings(run).markets] == ["BTC-USDT"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('connector = "binance"', 'connector = "binanze"'), "did you mean `binance`"),
        (('venue = "paper" ', 'venue = "live"  '), 'set venue = "paper"'),
        (("[venue.paper]\nconnector", "# [venue.paper]\n# connector"), "add [venue.paper]"),
        (('keys = "venue/maker"', 'keys = "mine"'), "of a live account"),
    ],
)
def test_half_of_a_paper_run_is_refused(tmp_path, change, words):
    extra = () if "# [venue" not in change[1] else (("latency_ms", "# latency_ms"), ("cancels =", "# cancels ="))
    assert any(words in text for text in paper_problems(changed(tmp_path, change, *extra)))
