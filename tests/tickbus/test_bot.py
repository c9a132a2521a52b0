"""A bot of real processes: started, inspected, changed while it runs, stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actors.live.lock import holder
from actors.tap import Tap
from protocol import TickReport
from tickbus.bot.supervisor_client import Supervisor

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]


def hops(folder):
    """Returns the actors of the latest tick, in order."""
    with Tap(folder, TickReport) as tap:
        return [name for name, _ in next(iter(tap)).body.hops]


def pids(folder):
    return {one.name: one.pid for one in Supervisor(folder).processes()}


@pytest.fixture
def up(tickbus, run_file, wait_for):
    """A running bot; its run folder."""
    done = tickbus("up", run_file)
    assert done.returncode == 0, done.stderr
    folder = run_file.parent / ".tickbus" / "h"
    wait_for(lambda: hops(folder) == ["source", "follower"])
    return folder


def test_up_status_down_and_no_process_is_left(tickbus, run_file, up, wait_for, processes_of):
    found = json.loads(tickbus("status", "--json").stdout)
    assert found["up"]
    assert {one["name"]: one["state"] for one in found["processes"]} == dict.fromkeys(
        ("clockd", "source", "follower"), "RUNNING"
    )
    assert {"epoch", "ticks", "lost", "actor_state"} <= found["processes"][1].keys()
    assert "follower" in tickbus("status", run_file).stdout
    done = tickbus("down")
    assert done.stdout == "stopping follower\nstopping source\nstopping clockd\ndown\n"
    wait_for(lambda: not processes_of(run_file.parent))
    gone = tickbus("status", run_file, "--json")
    assert (json.loads(gone.stdout)["up"], gone.returncode) == (False, 69)


def test_an_actor_is_added_and_removed_and_no_process_is_restarted(tickbus, run_file, up, wait_for):
    elsewhere = run_file.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "late_actor.py").write_text(
        '"""One Python file anywhere."""\nfrom actors.actor import Actor\n\n\nclass Late(Actor):\n    """Late."""\n'
    )
    before = pids(up)
    done = tickbus("add", "late", "--use", "late_actor:Late", "--follows", "source", cwd=elsewhere)
    assert (done.stdout, done.returncode) == ("late: started\n", 0), done.stderr
    wait_for(lambda: hops(up) == ["source", "late", "follower"])
    assert {name: pid for name, pid in pids(up).items() if name != "late"} == before
    assert tickbus("remove", "late").stdout == "late: removed\n"
    wait_for(lambda: hops(up) == ["source", "follower"])
    assert pids(up) == before
    assert "late" not in json.loads(tickbus("status", "--json").stdout)["processes"]


def test_an_added_actor_runs_again_after_a_restart_of_the_bot(tickbus, run_file, up, wait_for):
    extra = run_file.parent / "extra.toml"
    extra.write_text('[actors.more]\nuse = "own_actors:Follower"\nfollows = ["source"]\nsettings = { size_lots = 2 }\n')
    assert tickbus("add", extra).stdout == "more: started\n"
    wait_for(lambda: "more" in hops(up))
    assert tickbus("down").returncode == 0
    assert tickbus("up", run_file).returncode == 0
    wait_for(lambda: "more" in hops(up))


def test_up_applies_a_changed_run_file_to_a_running_bot(tickbus, run_file, up, wait_for):
    before = pids(up)
    text = run_file.read_text()
    run_file.write_text(text + '[actors.third]\nuse = "own_actors:Source"\n')
    assert tickbus("up", run_file).stdout == "added third\n"
    wait_for(lambda: "third" in hops(up))
    run_file.write_text(text)
    assert tickbus("up", run_file).stdout == "removed third\n"
    wait_for(lambda: hops(up) == ["source", "follower"])
    assert pids(up) == before
    assert tickbus("up", run_file).stdout == "up already, and nothing has changed\n"


def test_adding_by_hand_one_file_one_table_one_program_one_update(run_file, up, wait_for):
    (run_file.parent / "by_hand.py").write_text("from actors.actor import Actor\n\n\nclass ByHand(Actor):\n    pass\n")
    run_file.write_text(run_file.read_text() + '[actors.hand]\nuse = "by_hand:ByHand"\nfollows = ["follower"]\n')
    before, conf = pids(up), up / "supervisord.conf"
    command = f"{sys.executable} -m tickbus.main actor hand --run {run_file}"
    conf.write_text(conf.read_text() + f"\n[program:hand]\ncommand = {command}\nautorestart = true\nstartsecs = 0\n")
    update = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(conf), "update"]
    done = subprocess.run(update, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "hand: added process group\n", done.stderr
    wait_for(lambda: hops(up) == ["source", "follower", "hand"])
    assert {name: pid for name, pid in pids(up).items() if name != "hand"} == before


@pytest.mark.parametrize("name", ["source", "follower", "clockd"])
def test_a_killed_process_is_restarted_and_no_other(up, name, wait_for):
    before = pids(up)
    os.kill(before[name], signal.SIGKILL)
    wait_for(lambda: pids(up)[name] not in (0, before[name]))
    wait_for(lambda: hops(up) == ["source", "follower"])
    assert {one: pid for one, pid in pids(up).items() if one != name} == {
        one: pid for one, pid in before.items() if one != name
    }
    assert (up / f"{name}.lock").read_text().split()[0] == "0000000002"


def test_no_process_survives_a_killed_supervisord(up, run_file, wait_for, processes_of):
    found = processes_of(run_file.parent)
    assert len(found) == 4
    os.kill(holder(up, "supervisord"), signal.SIGKILL)
    wait_for(lambda: not processes_of(run_file.parent))
    assert '"event":"actor stopped"' in (up / "logs" / "follower.log").read_text(), (
        "by SIGTERM first, so that it shuts down"
    )


def test_the_tap_prints_lines_json_and_its_losses(tickbus, up):
    lines = tickbus("tap", "-n", "3", "sys.clockd.")
    assert all("sys.clockd." in line for line in lines.stdout.splitlines())
    assert len(lines.stdout.splitlines()) == 3
    assert lines.stderr.startswith("-- 3 msgs")
    assert "lost 0  lag p50" in lines.stderr
    found = [json.loads(line) for line in tickbus("tap", "TickReport", "--json", "-n", "2").stdout.splitlines()]
    assert [one["seq"] for one in found] == [found[0]["seq"], found[0]["seq"] + 1]
    assert found[0]["type"] == "TickReport"
    assert found[0]["body"]["hops"][0][0] == "source"
    assert "TickReport(n=" in tickbus("tap", "TickReport", "--raw", "-n", "1").stdout
    assert tickbus("tap", "--for", "300ms", "Fill").stdout == ""


def test_a_tap_whose_reader_ends_ends_without_a_traceback(up, run_file):
    command = f"{sys.executable} -m tickbus.main tap --run {run_file} | head -2"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr


def test_a_supervisord_of_the_user_runs_the_default_bot(folder, wait_for, processes_of):
    (folder / "runs").mkdir()
    shutil.copy(ROOT / "runs" / "default.toml", folder / "runs")
    shutil.copy(ROOT / "supervisord.conf", folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    script = folder / ".venv" / "bin" / "tickbus"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m tickbus.main "$@"\n')
    script.chmod(0o755)
    command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-s", "-c", str(folder / "supervisord.conf")]
    with subprocess.Popen(command) as supervisord:
        journal = folder / "runs" / ".tickbus" / "default" / "binance.orders.journal"
        wait_for(lambda: journal.exists() and journal.stat().st_size > 2_000, 40)
        supervisord.terminate()
        assert supervisord.wait(60) == 0
    wait_for(lambda: not processes_of(folder))
    stopped = (folder / ".supervisord.log").read_text().split("stopped: ")[1:]
    assert [line.split()[0] for line in stopped] == ["maker", "binance", "clockd", "venue"]


def edit(folder, old, new):
    """As a user edits the file with the bot's own actors."""
    path = folder / "own_actors.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_up_names_the_actors_whose_code_has_changed_and_reload_restarts_them_alone(tickbus, run_file, up, wait_for):
    before = pids(up)
    assert tickbus("up", run_file).stdout == "up already, and nothing has changed\n"
    edit(run_file.parent, "Publishes nothing.", "Publishes nothing at all.")
    told = tickbus("up", run_file).stdout
    assert "the code of source has changed (own_actors.py); the code of follower has changed (own_actors.py)" in told
    assert "tickbus up --reload" in told
    assert pids(up) == before, "an edit alone restarts nothing"
    done = json.loads(tickbus("up", run_file, "--reload", "--json").stdout)
    assert done["restarted"] == ["source", "follower"]
    wait_for(lambda: hops(up) == ["source", "follower"])
    after = pids(up)
    assert after["clockd"] == before["clockd"]
    assert after["source"] != before["source"]
    assert tickbus("up", run_file).stdout == "up already, and nothing has changed\n"


def test_one_actor_is_restarted_and_no_other(tickbus, run_file, up, wait_for):
    before = pids(up)
    assert tickbus("restart", "follower").stdout == "follower: restarted\n"
    wait_for(lambda: hops(up) == ["source", "follower"])
    after = pids(up)
    assert after.pop("follower") != before.pop("follower")
    assert after == before
    unknown = tickbus("restart", "folower")
    assert (unknown.returncode, "did you mean `follower`" in unknown.stderr) == (2, True)


def test_a_restart_that_is_interrupted_leaves_no_actor_stopped(tickbus, run_file, up, wait_for):
    pid = pids(up)["follower"]

    def is_told_to_stop():
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return int(fields["ShdPnd"], 16) >> (signal.SIGTERM - 1) & 1

    os.kill(pid, signal.SIGSTOP)
    command = [sys.executable, "-m", "tickbus.main", "restart", "follower", "--run", str(run_file)]
    with subprocess.Popen(command) as restart:
        wait_for(is_told_to_stop)
        restart.kill()
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: pids(up)["follower"] not in (0, pid))


def test_a_debugger_in_an_actor_that_runs_by_hand_does_not_make_it_late(tickbus, run_file, up, wait_for):
    edit(
        run_file.parent,
        '"""Follows the source."""',
        '"""Follows the source."""\n\n    on_tick = lambda self, tick: tick.n % 5 or breakpoint()',
    )
    Supervisor(up).stop("follower")
    wait_for(lambda: hops(up) == ["source"])
    command = [sys.executable, "-m", "tickbus.main", "actor", "follower", "--run", str(run_file), "--debug"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        read = b""
        while b"(Pdb)" not in read:
            read += os.read(child.stdout.fileno(), 4096)
        time.sleep(1.5)  # three times the patience of the clock
        child.stdin.write(b"import pdb; pdb.set_trace = lambda **_: None\nimport sys; sys.breakpointhook = int\nc\n")
        child.stdin.flush()
        wait_for(lambda: hops(up) == ["source", "follower"])
        with Tap(up, TickReport) as tap:
            report = next(iter(tap)).body
        child.terminate()
    assert (report.late, report.ticks_late) == ([], 0)


def test_a_bot_runs_in_a_folder_with_blanks_brackets_and_signs_in_its_name(tickbus, run_file, wait_for, processes_of):
    folder = run_file.parent / "my [1] 50%(x)s;é#"
    folder.mkdir()
    for name in ("own_actors.py", "h.toml"):
        (run_file.parent / name).rename(folder / name)
    run_file, run_dir = folder / "h.toml", folder / ".tickbus" / "h"
    assert tickbus("up", run_file).returncode == 0
    wait_for(lambda: hops(run_dir) == ["source", "follower"])
    added = folder / "third.toml"
    added.write_text('[actors.third]\nuse = "own_actors:Source"\n')
    assert tickbus("add", added).stdout == "third: started\n"
    wait_for(lambda: "third" in hops(run_dir))
    assert tickbus("down").stdout.endswith("down\n")
    wait_for(lambda: not processes_of(folder))


@pytest.mark.parametrize("name", ["a ;b", "a #b"])
def test_a_folder_whose_name_supervisord_cannot_read_is_refused_in_one_line(tickbus, run_file, name):
    folder = run_file.parent / name
    folder.mkdir()
    run_file.rename(folder / "h.toml")
    (run_file.parent / "own_actors.py").rename(folder / "own_actors.py")
    done = tickbus("up", folder / "h.toml")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"supervisord's configuration cannot contain {name[1:3]!r} in a path: rename the folder" in done.stderr
