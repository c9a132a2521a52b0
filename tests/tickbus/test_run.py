"""The default bot from one command: it trades, stops in order, and its orders agree with the exchange's ledger."""

import json
import os
import shutil
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from actors.live.lock import holder
from actors.tap import Tap
from monitor.state import RunState
from tickbus.bot.supervisor_client import Supervisor

pytestmark = pytest.mark.process

DEFAULT = Path(__file__).resolve().parents[2] / "runs" / "default.toml"
WANTED = (
    "ticks", "ticks_skipped", "ticks_late", "tick_hop_us_p50", "orders_sent", "orders_unknown", "fills",
    "lost_messages", "restarts", "own_position_matches_venue", "equity_change", "refused_by_exchange",
    "refused_by_risk_check", "positions", "realized_pnl", "fees",
)  # fmt: skip
SETTINGS = "[actors.binance.settings]\n"
SHORT_RECHECKS = "recv_window_ms = 1000\nnot_placed_margin_ms = 1000\n"


@pytest.fixture
def start(folder):
    """Start `tickbus run` in the background; the process. It is stopped after the test."""
    started = []

    def run(*args, **given):
        command = [sys.executable, "-m", "tickbus.main", "run", *map(str, args)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **given)
        started.append(child)
        return child

    yield run
    for child in started:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=60)


@pytest.fixture
def bot(folder):
    """A run file of the default bot with short intervals, also for confirming that an order is absent."""
    path = folder / "bot.toml"
    text = DEFAULT.read_text().replace("tick_ms = 1000", "tick_ms = 200").replace(SETTINGS, SETTINGS + SHORT_RECHECKS)
    path.write_text(text.replace("order_refresh_ms = 5000", "order_refresh_ms = 1000"))
    return path


def journal_bytes(folder):
    journal = folder / "binance.orders.journal"
    return journal.stat().st_size if journal.exists() else 0


def trading(folder):
    """Returns whether the connector has placed orders, by its journal's size."""
    return journal_bytes(folder) > 2_000


def has_no_unknown_orders(tap, state):
    """Returns whether every order with a lost request was found or confirmed as absent."""
    for tapped in tap.poll(0.1):
        state.update(tapped)
    return not state.in_doubt()


def test_the_default_bot_trades_and_agrees_with_the_exchange(tickbus, folder, processes_of):
    done = tickbus("run", "--for", "20", "--json", timeout=120)
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(WANTED) <= found.keys()
    assert done.returncode == 0, done.stderr
    assert found["own_position_matches_venue"] is True, found["differences"]
    assert found["ticks"] >= 10
    assert found["orders_sent"] >= 6
    assert (found["orders_unknown"], found["orders_open"], found["restarts"], found["invalid_frames"]) == (0, 0, 0, 0)
    assert (found["refused_by_exchange"], found["refused_by_risk_check"]) == (0, 0), found["refusals"]
    assert all(Decimal(one["held"]) >= 0 for one in found["positions"]), "it begins with quote only"
    assert found["processes_running"] == found["processes"] == 4
    assert processes_of(folder) == []
    assert not Path(found["run_dir"]).exists(), "its folder is deleted after a clean end"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_processes_in_order_and_a_second_run_continues(
    start, bot, folder, number, wait_for, processes_of
):
    run_dir = folder / ".tickbus" / "bot"
    size = 0
    for _ in range(2):
        child = start(bot)
        wait_for(lambda size=size: trading(run_dir) and journal_bytes(run_dir) not in (0, size), 40)
        child.send_signal(number)
        out, error = child.communicate(timeout=60)
        assert child.returncode == 0, out + error
        assert "own orders, fills and position agree with the exchange's ledger" in out
        assert " 0 open, 0 unknown" in out
        assert processes_of(run_dir) == []
        log = (run_dir / "logs" / "supervisord.log").read_text().splitlines()
        stopped = [line.split("stopped: ")[1].split()[0] for line in log if "stopped: " in line]
        assert stopped[-4:] == ["maker", "binance", "clockd", "venue"]
        size = journal_bytes(run_dir)


def test_two_bots_run_side_by_side_and_one_folder_has_one_bot(start, tickbus, bot, folder, wait_for):
    run_dir = folder / ".tickbus" / "bot"
    one, two = start(bot, "--json"), start("--json")
    wait_for(lambda: trading(run_dir), 40)
    other = wait_for(lambda: next((one for one in folder.glob("tickbus-*/") if trading(one)), None), 40)
    second = tickbus("run", bot)
    assert second.returncode == 75
    assert second.stderr.startswith("tickbus: this bot is already running (supervisord pid ")
    assert "Traceback" not in second.stderr
    assert (run_dir / "venue.address").read_text() != (other / "venue.address").read_text()
    for child in (one, two):
        child.send_signal(signal.SIGINT)
    for child in (one, two):
        out, error = child.communicate(timeout=60)
        assert json.loads(out.splitlines()[-1])["own_position_matches_venue"] is True, error


@pytest.mark.parametrize("name", ["maker", "binance", "clockd", "venue"])
def test_each_process_can_be_killed_while_the_bot_trades(start, bot, folder, name, wait_for):
    run_dir = folder / ".tickbus" / "bot"
    child = start(bot, "--json")
    wait_for(lambda: trading(run_dir), 40)
    size = journal_bytes(run_dir)
    pid = {one.name: one.pid for one in Supervisor(run_dir).processes()}[name]
    with Tap(run_dir) as tap:
        state = RunState(tap.request_snapshots)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: journal_bytes(run_dir) > size + 4_000, 60)
        wait_for(lambda: has_no_unknown_orders(tap, state), 60)
    child.send_signal(signal.SIGINT)
    out, error = child.communicate(timeout=60)
    found = json.loads(out.splitlines()[-1])
    assert found["own_position_matches_venue"] is True, found["differences"]
    assert (found["restarts"], found["orders_open"], found["orders_unknown"]) == (1, 0, 0), error
    assert child.returncode == 0


def test_killing_the_foreground_process_ends_the_bot_and_its_orders_are_cancelled(
    start, bot, folder, wait_for, processes_of, tickbus
):
    run_dir = folder / ".tickbus" / "bot"
    child = start(bot)
    wait_for(lambda: trading(run_dir), 40)
    child.kill()
    child.communicate()
    wait_for(lambda: not processes_of(run_dir), 40)
    wait_for(lambda: holder(run_dir, "supervisord") == 0)
    done = tickbus("run", bot, "--for", "3", "--json")
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["own_position_matches_venue"], found["orders_open"]) == (True, 0), found


def test_without_a_terminal_a_status_line_is_printed_every_few_seconds(start, bot, folder, wait_for):
    child = start(bot, "--for", "7")
    out, _ = child.communicate(timeout=60)
    lines = [line for line in out.splitlines() if " running  " in line]
    assert len(lines) >= 2
    assert "\x1b" not in out


def test_on_a_terminal_the_view_is_painted_in_place_and_the_terminal_is_restored(bot, folder):
    script = shutil.which("script")
    if script is None:
        pytest.skip("needs the program `script` for a terminal")
    command = f"{sys.executable} -m tickbus.main run {bot} --for 9"
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    done = subprocess.run(
        [script, "-qec", command, "/dev/null"], capture_output=True, text=True, timeout=90, check=False, env=environment
    )
    assert done.stdout.count("\x1b[?1049h") == done.stdout.count("\x1b[?1049l") == 1
    assert done.stdout.count("\x1b[H") > 5
    for word in ("actor", "binance", "maker", "tick p50", "book binance:BTC-USDT", "open orders", "fills", "equity"):
        assert word in done.stdout
    assert done.stdout.rindex("agree with the exchange") > done.stdout.rindex("\x1b[?1049l")
