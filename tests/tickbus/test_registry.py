"""A bot is found without an argument: by the list of running bots, or by its process where the list is lost."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from actors.live.lock import holder
from protocol.errors import Unreachable
from tickbus.bot import registry
from tickbus.cli.options import named_run
from tickbus.main import main

COMMANDS = (
    ("status",), ("tap", "-n", "1"), ("pause", "source"), ("cancel-all", "source"), ("restart", "follower"),
    ("remove", "follower"), ("add", "more", "--use", "own_actors:Source"),
)  # fmt: skip


def test_without_any_bot_one_line_states_it(folder, monkeypatch, capsys):
    monkeypatch.setattr(registry, "PROC", folder)
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    assert ended.value.code == 69
    line = "tickbus: no bot of yours runs on this machine: start one (tickbus run), or name its run file\n"
    assert capsys.readouterr().err == line


@pytest.fixture
def up(tickbus, run_file, wait_for):
    """A running bot; its run folder."""
    done = tickbus("up", run_file)
    assert done.returncode == 0, done.stderr
    folder = run_file.parent / ".tickbus" / "h"
    wait_for(lambda: all((folder / f"{name}.cmd").exists() for name in ("source", "follower", "clockd")))
    return folder


@pytest.fixture
def only_ours(folder, monkeypatch):
    """The table of processes without those of other tests."""

    def supervisords(found=registry.supervisords):
        return {one: pid for one, pid in found().items() if folder in one.parents}

    monkeypatch.setattr(registry, "supervisords", supervisords)


@pytest.mark.process
@pytest.mark.parametrize("named", ["/nonexistent", "elsewhere", None])
def test_a_bot_is_found_with_another_xdg_runtime_dir(up, folder, monkeypatch, only_ours, named):
    (folder / "elsewhere").mkdir()
    if named is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "elsewhere"))
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / named))
    assert named_run(None).dir == up


@pytest.mark.process
def test_a_bot_is_found_after_its_list_was_removed(up, folder, only_ours):
    shutil.rmtree(folder / f"tickbus-runs-{os.getuid()}")
    assert named_run(None).dir == up


@pytest.mark.process
def test_a_bot_starts_where_no_list_can_be_kept(tickbus, run_file, folder):
    done = tickbus("up", run_file, env=os.environ | {"XDG_RUNTIME_DIR": "/nonexistent"})
    assert (done.returncode, done.stderr) == (0, "")
    assert tickbus("down", run_file).stdout.endswith("down\n")


@pytest.mark.process
def test_a_bot_whose_folder_was_removed_is_reported_by_every_command_and_ends_in_order(
    tickbus, run_file, up, folder, wait_for, processes_of
):
    pid = holder(up, "supervisord")
    removed = up.rename(folder / "removed")  # for the processes as if it were deleted: none of their paths exists
    for command in COMMANDS:
        named = (run_file,) if command[0] == "status" else ("--run", run_file)
        done = tickbus(*command, *named)
        assert (done.returncode, done.stderr.count("\n")) == (69, 1), (command, done)
        assert f"the bot runs (supervisord pid {pid}), but {up}/supervisord.sock is missing" in done.stderr
    again = tickbus("up", run_file)
    assert (again.returncode, f"already running (supervisord pid {pid}" in again.stderr) == (75, True)
    assert tickbus("down", run_file).stdout.endswith("stopping all processes in order\ndown\n")
    assert not processes_of(folder)
    stopped = (removed / "logs" / "supervisord.log").read_text().split("stopped: ")[1:]
    assert [line.split()[0] for line in stopped] == ["follower", "source", "clockd"]


@pytest.mark.process
def test_a_bot_that_is_being_stopped_is_reported_in_one_line(tickbus, run_file, up, wait_for):
    pid = holder(up, "follower") or wait_for(lambda: holder(up, "follower"))
    os.kill(pid, signal.SIGSTOP)  # it takes the whole time that an actor has to stop
    os.kill(holder(up, "supervisord"), signal.SIGTERM)
    for command in (("down", run_file), ("status", run_file), ("restart", "source", "--run", run_file)):
        done = tickbus(*command)
        assert (done.returncode, done.stderr.count("\n")) == (69, 1), done
        assert f"the bot in {up} starts or stops just now" in done.stderr
    os.kill(pid, signal.SIGCONT)


def test_a_removed_folder_of_no_bot_is_reported(folder):
    with pytest.raises(Unreachable, match="no bot has run in"):
        named_run(Path(folder))
