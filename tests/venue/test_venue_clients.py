"""The venue with other people's clients: ccxt and python-binance, unchanged, in their own environment."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from venue import demo

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
SCRIPTS = Path(__file__).parent / "clients"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-clients here: make test builds it")


def run(script, *arguments):
    """The JSON object that the script prints last."""
    command = [str(PYTHON), str(SCRIPTS / script), *arguments, demo.MAKER_KEY, demo.MAKER_SECRET]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_ccxt_over_rest(venue):
    one = venue()
    told = run("ccxt_rest.py", one.http)
    assert told["precision"]["price"] == 0.01
    assert told["precision"]["amount"] == 1e-05
    assert told["levels"] == [20, 20]
    assert told["is_crossed"] is False
    assert 50_000 < told["last"] < 70_000
    assert told["free_btc"] == 2
    assert told["taker"] == 0.001
    assert (told["placed"], told["fetched"], told["canceled"]) == ("open", "open", "canceled")
    assert told["open"] == [told["placed_id"]]
    assert told["bought"] == ["closed", 0.002]
    assert told["own"] == pytest.approx(0.002)
    assert "insufficient balance" in told["refusal"]
    assert "-2013" in told["missing"]


def test_ccxt_over_websockets(venue):
    one = venue()
    told = run("ccxt_ws.py", one.http, one.ws)
    nonces = [nonce for nonce, _, _ in told["books"]]
    assert nonces == sorted(nonces)
    assert all(bid < ask for _, bid, ask in told["books"])
    assert told["trades"] > 0
    assert told["orders"] == ["open", "canceled"]


def test_python_binance(venue):
    one = venue()
    told = run("python_binance.py", one.http, one.ws)
    assert {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL"} <= set(told["filters"])
    assert told["levels"] == [20, 20]
    assert "BTC" in told["assets"]
    diffs = told["diffs"]
    assert all(after[0] == before[1] + 1 for before, after in pairwise(diffs))
    assert told["states"] == ["NEW", "NEW", "CANCELED"]
    assert told["events"][0][0] == "executionReport"
    assert ["executionReport", "CANCELED"] in told["events"]
    assert told["second_cancel"] == -2011
