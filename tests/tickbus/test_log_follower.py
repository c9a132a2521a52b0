"""Logs of all actors, followed."""

import io

import pytest

from actors.log.log import make_log
from actors.log.log_file import LogFile
from tickbus.watch.log_follower import LogFollower


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "logs").mkdir()

    def log(actor, now_ns=1_700_000_000_000_000_000, **given):
        return make_log(actor, LogFile(tmp_path / "logs" / f"{actor}.log", **given).write, now_ns=lambda: now_ns)

    return log


def test_new_lines_of_all_actors_are_printed_by_time_and_old_ones_are_not(tmp_path, logs):
    logs("maker").info("of before")
    out = io.StringIO()
    tail = LogFollower(tmp_path, out)
    logs("maker", 1_700_000_002_000_000_000).info("second", price=5)
    logs("binance", 1_700_000_001_000_000_000).warning("first")
    (tmp_path / "logs" / "supervisord.log").write_text("2026-01-01 INFO spawned\n")
    tail.show()
    tail.show()
    assert out.getvalue() == ("22:13:21.000 binance    warning first\n22:13:22.000 maker      info    second price=5\n")


def test_an_unfinished_line_is_printed_when_complete_and_a_rotated_log_is_followed(tmp_path, logs):
    out = io.StringIO()
    tail = LogFollower(tmp_path, out)
    path = tmp_path / "logs" / "maker.log"
    path.write_text('{"time":"2026-01-01T00:00:00.000000Z","actor":"maker",')
    tail.show()
    assert out.getvalue() == ""
    with path.open("a") as file:
        file.write('"level":"info","event":"whole"}\n')
    tail.show()
    path.rename(tmp_path / "logs" / "maker.log.1")
    logs("maker").info("in the new file")
    tail.show()
    assert [line.split("info    ")[1] for line in out.getvalue().splitlines()] == ["whole", "in the new file"]
