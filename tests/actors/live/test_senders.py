"""Senders: who may command an actor, by the run file, also after the run has changed."""

import os

import pytest

from actors.live.senders import Senders
from actors.run.run_file import CLOCK, load

RUN = """
[actors.binance]
use = "actors.actor:Actor"
[actors.maker]
use = "actors.actor:Actor"
follows = ["binance"]
[actors.other]
use = "actors.actor:Actor"
"""
ADDED = """
[actors.late]
use = "actors.actor:Actor"
follows = ["binance"]
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "bot.toml").write_text(RUN)
    (tmp_path / "run" / "actors.d").mkdir(parents=True)
    return load(tmp_path / "bot.toml", tmp_path / "run")


def test_followers_the_clock_and_operators_may_command(run):
    senders = Senders(run, "binance")
    assert all(senders(name) for name in ("maker", CLOCK, "operator-12"))
    assert not any(senders(name) for name in ("other", "binance", "late", "operator", "operator-", "operator-1x", ""))


def test_every_actor_may_join_the_clock(run):
    senders = Senders(run, CLOCK)
    assert all(senders(name) for name in ("binance", "maker", "other"))
    assert not senders("late")


def test_an_actor_that_is_added_later_may_command_without_a_restart(run):
    senders = Senders(run, "binance")
    assert not senders("late")
    (run.dir / "actors.d" / "late.toml").write_text(ADDED)
    assert senders("late")


def test_a_run_file_that_is_being_edited_changes_nothing(run):
    senders = Senders(run, "binance")
    run.path.write_text("[actors.")
    assert senders("maker")
    assert not senders("late")


def test_an_edit_that_was_read_half_done_is_read_again_also_within_the_same_instant(run):
    senders = Senders(run, "binance")
    run.path.write_text("[actors.")
    written_ns = run.path.stat().st_mtime_ns
    assert not senders("late")
    run.path.write_text(RUN + ADDED)
    os.utime(run.path, ns=(written_ns, written_ns))
    assert senders("late")


def test_a_run_file_that_is_gone_for_a_moment_changes_nothing(run):
    senders = Senders(run, "binance")
    run.path.rename(run.path.with_name("aside"))
    assert senders("maker")
    assert not senders("late")
    run.path.write_text(RUN + ADDED)
    assert senders("late")
