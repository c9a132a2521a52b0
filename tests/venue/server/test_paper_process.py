"""Paper trading with real processes: one exchange is the live market, another matches the orders, and may die."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tickbus.bot.supervisor_client import Supervisor

pytestmark = pytest.mark.process

PAPER = Path(__file__).resolve().parents[3] / "runs" / "paper.toml"
QUICKER = {
    "tick_ms = 1000": "tick_ms = 200",
    "order_refresh_ms = 5000": "order_refresh_ms = 1500",
    "filled_order_delay_ms = 2000": "filled_order_delay_ms = 200",
    "spread_bps = 0.8": "spread_bps = 0.15",
    "latency_ms = 20": "latency_ms = 5",
    "maker_fee = 0.001 ": "maker_fee = 0.00001 ",  # the maker adds its fees to its spread
    "[actors.binance.settings]\n": "[actors.binance.settings]\nrecv_window_ms = 1000\nnot_placed_margin_ms = 1000\n",
}
ORDERS = [("POST", "order"), ("DELETE", "order"), ("POST", "order/cancelReplace"), ("GET", "account")]
WAIT_S = 40.0


class Bot:
    """The bot of runs/paper.toml, quick, on the market data of another exchange."""

    def __init__(self, folder: Path, live) -> None:
        self.run_dir = folder / "r"
        text = PAPER.read_text().replace("http://127.0.0.1:9100", live.http).replace("ws://127.0.0.1:9100", live.ws)
        for slow, quick in QUICKER.items():
            assert slow in text
            text = text.replace(slow, quick)
        (folder / "paper.toml").write_text(text)
        self.supervisor = Supervisor(self.run_dir)
        command = [sys.executable, "-m", "tickbus.main", "run", folder / "paper.toml", "--dir", self.run_dir, "--json"]
        homes = dict.fromkeys(("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "TMPDIR"), str(folder))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | homes)

    def get(self, path: str) -> dict:
        base = json.loads((self.run_dir / "venue.address").read_text())["http"]
        with urllib.request.urlopen(base + path, timeout=5) as answer:
            return json.load(answer)

    def ledger(self) -> dict:
        try:
            return self.get("/control/ledger?account=maker")
        except OSError:
            return {"open_orders": [], "orders": [], "trades": []}

    def wait(self, what):
        """Until `what(ledger)` is true; the ledger then."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            assert self.process.poll() is None, "the bot has ended"
            ledger = self.ledger()
            if what(ledger):
                return ledger
            time.sleep(0.1)
        reported = [(one["side"], one["price"], one["status"]) for one in ledger["orders"][-8:]]
        raise AssertionError(f"did not come true in {WAIT_S} s: {len(ledger['trades'])} trades, {reported}")

    def kill(self, name: str) -> None:
        pid = next(one.pid for one in self.supervisor.processes() if one.name == name)
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> dict:
        """End it as Ctrl-C does; its summary."""
        self.process.send_signal(signal.SIGINT)
        reported, _ = self.process.communicate(timeout=60)
        return json.loads(reported.splitlines()[-1])


@pytest.fixture
def bot(tmp_path_factory, venue):
    started = []

    def start(live):
        started.append(Bot(tmp_path_factory.mktemp("b"), live))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(60)


def test_a_bot_trades_on_paper_and_the_live_exchange_gets_no_order(venue, bot):
    live = venue(accounts=[], seed=5)
    watched = [{"error_next": {"method": method, "path": f"/api/v3/{path}", "count": 1000}} for method, path in ORDERS]
    for one in watched:
        live.call("POST", "/control/faults", one)  # would be counted off by any request, signed or not
    paper = bot(live)
    before = paper.wait(lambda ledger: len(ledger["trades"]) >= 3 and ledger["open_orders"])
    sent_ms = time.time_ns() // 1_000_000
    assert paper.get("/api/v3/time")["serverTime"] >= sent_ms + 5, "latency_ms: so long is a request on its way"
    paper.kill("venue")
    known = {order["orderId"] for order in before["orders"]}
    after = paper.wait(lambda ledger: ledger["orders"])
    assert known <= {order["orderId"] for order in after["orders"]}
    kept = {order["orderId"]: order for order in after["orders"]}
    assert all(float(kept[one["orderId"]]["executedQty"]) >= float(one["executedQty"]) for one in before["open_orders"])
    paper.wait(lambda ledger: len(ledger["trades"]) > len(after["trades"]) and ledger["open_orders"])
    summary = paper.stop()
    assert summary["own_position_matches_venue"] is True, summary["differences"]
    assert (summary["orders_open"], summary["orders_unknown"], summary["restarts"]) == (0, 0, 1)
    assert summary["fills"] > 3
    left = [one["left"] for one in live.call("GET", "/control/faults")["errors"]]
    assert left == [1000] * len(ORDERS), "only market data was requested from the live exchange"
    assert live.call("GET", "/control/accounts") == {"accounts": [], "outside": {}, "deposited": {}}
