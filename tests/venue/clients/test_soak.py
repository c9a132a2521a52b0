"""Third-party clients trade at random, with order lists, on a local exchange under the profile `storm`.

TICKBUS_SOAK_S sets the duration (`make soak` takes half an hour); the short form is part of the suite.
"""

import os
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from venue.base import demo

pytestmark = [pytest.mark.process, pytest.mark.slow]

ENVIRONMENTS = Path(__file__).resolve().parents[3] / ".venv-clients"
SECONDS = float(os.environ.get("TICKBUS_SOAK_S", "15"))
TRADERS = {
    "ccxt": ("maker", demo.MAKER_KEY, demo.MAKER_SECRET),
    "python-binance": ("external", demo.EXTERNAL_KEY, demo.EXTERNAL_SECRET),
}
MARKETS = [{"history_days": 0}]
# Beside the profile's own, whose delisting begins after 80 s: order lists are open when the market goes.
DELISTED = {"name": "delisted", "after_s": SECONDS / 3, "every_s": max(60.0, SECONDS / 2), "for_s": 1.5}


@pytest.fixture
def traders():
    """`traders(venue)` starts one process of each client; all end with the test."""
    started = []

    def start(venue):
        for seed, (client, (_, key, secret)) in enumerate(TRADERS.items()):
            python = ENVIRONMENTS / client / "bin" / "python"
            if not python.exists():
                pytest.skip(f"{python} is missing: `make clients`")
            script = Path(__file__).with_name("soak.py")
            command = [python, script, client, venue.http, venue.ws, SECONDS, seed, key, secret]
            pipe = subprocess.PIPE
            started.append(
                subprocess.Popen([str(one) for one in command], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
            )
        return dict(zip(TRADERS, started, strict=True))

    yield start
    for child in started:
        child.kill()
        child.communicate()


def send(child, line):
    child.stdin.write(line + "\n")
    child.stdin.flush()


def answer(child):
    """The next line of a client."""
    found = child.stdout.readline().strip()
    assert found, child.stderr.read()[-3000:]
    return found


def exact(number):
    return Decimal(str(number)).normalize()


def view_of(ledger):
    """Balances and trades of an account in the exchange's ledger, numbers as Decimal."""
    balances = {asset: (exact(row["free"]), exact(row["locked"])) for asset, row in ledger["balances"].items()}
    trades = {
        one["id"]: (
            one["orderId"], exact(one["price"]), exact(one["qty"]), exact(one["commission"]), one["commissionAsset"],
            one["side"] == "BUY",
        )
        for one in ledger["trades"]
    }  # fmt: skip
    return balances, trades


def sums(venue):
    """By asset: what the accounts hold and what is outside them, less deposits. Zero: nothing is made or lost."""
    held = venue.call("GET", "/control/accounts")
    totals = Counter({asset: Decimal(amount) for asset, amount in held["outside"].items()})
    totals.subtract({asset: Decimal(amount) for asset, amount in held["deposited"].items()})
    for account in held["accounts"]:
        for asset, row in venue.call("GET", f"/control/ledger?account={account}")["balances"].items():
            totals[asset] += Decimal(row["free"]) + Decimal(row["locked"])
    return {asset: total for asset, total in totals.items() if total}


def test_clients_with_order_lists_survive_a_storm_and_agree_with_the_ledger(venue, traders):
    one = venue(markets=MARKETS)
    children = traders(one)
    assert [answer(child) for child in children.values()] == ["ready"] * len(children)
    one.call("POST", "/control/faults", {"profile": "storm", "add": [DELISTED]})
    for child in children.values():
        send(child, "trade")
    assert [answer(child) for child in children.values()] == ["traded"] * len(children)
    one.call("POST", "/control/faults", {"clear": True})

    for client, (account, *_) in TRADERS.items():
        send(children[client], "settle")
        reported = msgspec.json.decode(answer(children[client]))
        done = Counter(reported["done"])
        assert done["list"] > 0, reported
        assert done["limit"] > 0, reported
        assert sum(reported["errors"].values()) > 0, "no fault reached the client: this was no storm"
        ledger = one.call("GET", f"/control/ledger?account={account}")
        balances, trades = view_of(ledger)
        view = reported["view"]
        assert view["open_orders"] == []
        assert [row for row in ledger["open_orders"] if row["symbol"] == "BTCUSDT"] == []
        seen = {asset: tuple(map(exact, amounts)) for asset, amounts in view["balances"].items() if any(amounts)}
        assert seen == {asset: amounts for asset, amounts in balances.items() if any(amounts)}
        assert len(view["trades"]) > 0
        for trade_id, order_id, price, size, fee, fee_asset, is_buy in view["trades"]:
            theirs = order_id, exact(price), exact(size), exact(fee), fee_asset, is_buy
            assert theirs == trades[trade_id]
        assert len(view["trades"]) == min(len(trades), 500), "a page of the exchange has 500 trades"

    assert sums(one) == {}
    one.kill()
    one.start()
    assert sums(one) == {}
