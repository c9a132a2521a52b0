"""The venue with third-party clients, unchanged, each in its own environment: their trades and their final view."""

import json
import subprocess
from pathlib import Path

import pytest

from venue.api.dispatch import BY_ROUTE
from venue.base import demo

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = ROOT / ".venv-clients"
SCRIPTS = Path(__file__).parent
KEYS = (demo.MAKER_KEY, demo.MAKER_SECRET, demo.EXTERNAL_KEY, demo.EXTERNAL_SECRET)
STILL = [{"history_days": 0, "flow": {"limit_rate": 0, "market_rate": 0}}]
HAS_LISTS = ("POST", "/api/v3/orderList/oco") in BY_ROUTE  # then each client places two pairs of orders, too
CLIENTS = {
    "ccxt": "ccxt_client.py",
    "python-binance": "python_binance_client.py",
    "binance-sdk-spot": "binance_sdk_client.py",
}


@pytest.fixture
def report_of(tmp_path):
    """`report_of(client, venue)` runs a client and returns its report."""

    def play(client, venue):
        python = ENVIRONMENTS / client / "bin" / "python"
        if not python.exists():
            pytest.skip(f"{python} is missing: `make clients`")
        lists = "lists" if HAS_LISTS else "-"
        command = [str(python), str(SCRIPTS / CLIENTS[client]), venue.http, venue.ws, lists, *KEYS]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr[-3000:]
        return json.loads(ended.stdout.splitlines()[-1])

    return play


def view_of(ledger):
    """The venue's true state of an account, in the form of the clients' reports."""
    return {
        "balances": {asset: [float(row["free"]), float(row["locked"])] for asset, row in ledger["balances"].items()},
        "open_orders": sorted(
            [one["orderId"], one["status"], float(one["executedQty"]), float(one["price"]), float(one["origQty"]),
             one["side"]]
            for one in ledger["open_orders"]
        ),
        "trades": sorted(
            [one["id"], one["orderId"], float(one["price"]), float(one["qty"]), float(one["commission"]),
             one["commissionAsset"], one["side"] == "BUY"]
            for one in ledger["trades"]
        ),
    }  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_trades_and_its_view_is_the_ledger_of_the_venue(client, venue, report_of):
    one = venue(markets=STILL)
    reported = report_of(client, one)
    assert reported["market"] == [0.01, 0.00001]
    assert reported["book"] == [[[59900, 0.5]], [[60100, 0.5]]]
    assert reported["trade"]["states"] == ["NEW", "PARTIALLY_FILLED", "CANCELED", "NEW", "CANCELED"]
    assert reported["trade"]["filled"] == [0, 0.004, 0.004, 0, 0]
    assert reported["trade"]["refused"] == [-2010, -2011]
    if HAS_LISTS:
        assert reported["lists"]["states"] == [["NEW", "NEW"], ["CANCELED", "CANCELED"], ["EXPIRED", "FILLED"]]
    assert reported["bought"] == ["FILLED", 0.002]
    assert reported["klines"] == pytest.approx(0.009 if HAS_LISTS else 0.006)
    assert reported["last_book"] == [[[59900, 0.5], [59000, 0.003]], [[60100, 0.498]]]
    assert reported["watched"] == ["CANCELED", *(["EXPIRED"] if HAS_LISTS else []), "FILLED", "NEW", "PARTIALLY_FILLED"]
    assert reported["view"] == view_of(one.call("GET", "/control/ledger?account=maker"))
