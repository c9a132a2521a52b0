"""A bot whose surroundings change or are poor: it trades on, or it ends in order with no order left open."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Bot, end_of

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def made():
    """A bot that was not started yet."""
    built = Bot(Path(tempfile.mkdtemp(prefix="tb-")))
    yield built
    end_of(built)


@pytest.fixture
def trading(made):
    made.up()
    made.wait(lambda: made.is_ticked() and made.is_trading(), 60)
    return made


def wait_until_gone(bot, timeout_s=15.0):
    until = time.monotonic() + timeout_s
    while bot.processes():
        assert time.monotonic() < until, "a process has not ended"
        time.sleep(0.1)


def orders_left(bot):
    """Returns the orders that the exchange of a bot that has ended still contains."""
    command = [sys.executable, "-m", "tickbus.main", "venue", "--run", str(bot.run_file)]
    (bot.run_dir / "venue.address").unlink()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as venue:
        until = time.monotonic() + 30
        while not (bot.run_dir / "venue.address").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        ledger = bot.call("GET", "/control/ledger?account=maker")
        venue.terminate()
    assert ledger["orders"], "the bot has placed orders"
    return ledger["open_orders"]


def test_sigterm_to_all_processes_at_once_leaves_no_order_open(trading):
    for pid in trading.processes():
        os.kill(pid, signal.SIGTERM)
    wait_until_gone(trading)
    assert orders_left(trading) == []


def test_sigterm_to_all_processes_of_a_bot_in_the_foreground_ends_with_its_summary(made):
    names = dict.fromkeys(("XDG_RUNTIME_DIR", "TMPDIR"), str(made.folder))
    command = [sys.executable, "-m", "tickbus.main", "run", str(made.run_file), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | names
    ) as child:
        until = time.monotonic() + 60
        while not made.ledger_of_file()["open_orders"]:
            assert time.monotonic() < until
            time.sleep(0.2)
        for pid in made.processes():
            os.kill(pid, signal.SIGTERM)
        out, err = child.communicate(timeout=30)
    assert "Traceback" not in err
    assert json.loads(out.splitlines()[-1])["orders_open"] == 0
    wait_until_gone(made)
    assert orders_left(made) == []


def test_a_bot_whose_folder_was_removed_trades_on_and_ends_in_order(trading):
    gone = trading.run_dir.with_name("removed")
    trading.run_dir.rename(gone)  # as a removal for the processes: no path of theirs exists
    before = (gone / "binance.orders.journal").stat().st_size
    until = time.monotonic() + 20
    while (gone / "binance.orders.journal").stat().st_size == before:
        assert time.monotonic() < until, "no order was placed or cancelled"
        time.sleep(0.1)
    assert "in order" in trading.tickbus("down", trading.run_file)
    wait_until_gone(trading)
    shutil.rmtree(trading.run_dir, ignore_errors=True)
    gone.rename(trading.run_dir)
    assert orders_left(trading) == []


def test_a_bot_runs_as_pid_1_and_ends_in_order(made):
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-m", "tickbus.main", "run"]
    command += [str(made.run_file), "--for", "5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"a namespace of processes is not permitted here: {done.stderr.strip()}")
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["differences"], summary["processes_running"]) == ([], 4)
    assert orders_left(made) == []
