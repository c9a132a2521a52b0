"""A venue process that is killed with kill -9 right after its answers: what was prevented, amended and paid is kept."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from venue.base import demo

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
VENUE = f"""
[venue]
address_file = "FOLDER/address.json"
ledger_file = "FOLDER/venue.log"

[[venue.markets]]
symbol = "BTC-USDT"
flow = {{ limit_rate = 0.0, market_rate = 0.0 }}
commission = {{ special = {{ taker = 0.0005 }}, tax = {{ seller = 0.0002 }} }}

[[venue.markets]]
symbol = "BNB-USDT"
start_price = 260
lot_size = 0.001
min_size = 0.001
flow = {{ limit_rate = 0.0, market_rate = 0.0 }}

[[venue.accounts]]
name = "maker"
keys = [{{ api_key = "{demo.MAKER_KEY}", secret = "{demo.MAKER_SECRET}" }}]
balances = {{ BTC = 2, USDT = 120000, BNB = 10 }}
has_discount = true
trade_group_id = 7
"""


@pytest.fixture
def house(tmp_path, venue_client):
    """`house()` starts the venue on its folder."""
    file = tmp_path / "venue.toml"
    file.write_text(VENUE.replace("FOLDER", str(tmp_path)))
    started = []

    def start():
        before = (tmp_path / "address.json").stat().st_ino if started else 0
        started.append(subprocess.Popen([sys.executable, "-m", "venue.server.main", file], cwd=ROOT))
        return venue_client(tmp_path, started[-1], before)

    yield start
    for process in started:
        process.kill()
        process.wait()


def requested(one, order_id):
    """All that is kept of an order, of what was prevented of it, and of what was paid."""
    params = {"symbol": "BTCUSDT", "orderId": order_id}
    paths = ("order", "order/amendments", "myPreventedMatches", "myTrades")
    return {path: one.signed("GET", path, **params) for path in paths} | {"account": one.signed("GET", "account")}


def test_a_killed_venue_keeps_amendments_prevented_matches_and_commissions(house):
    one = house()
    order = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "price": "60000"}
    sell = one.signed("POST", "order", side="SELL", quantity="1", **order)[1]["orderId"]
    assert one.signed("PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=sell, newQty="0.8")[0] == 200
    buy = {**order, "side": "BUY", "quantity": "0.1"}
    assert one.signed("POST", "order", selfTradePreventionMode="DECREMENT", **buy)[1]["status"] == "EXPIRED_IN_MATCH"
    assert one.signed("POST", "order", selfTradePreventionMode="NONE", **buy)[1]["status"] == "FILLED"
    before = requested(one, sell)
    one.process.kill()
    one.process.wait()
    again = house()
    assert requested(again, sell) == before
    assert all(status == 200 for status, _ in before.values())
    shown = before["order"][1]
    assert (shown["origQty"], shown["preventedQuantity"], shown["executedQty"]) == (
        "0.80000000",
        "0.10000000",
        "0.10000000",
    )
    assert len(before["order/amendments"][1]) == len(before["myPreventedMatches"][1]) == 1
    (made,) = before["myTrades"][1]
    assert made["commissionAsset"] == "BNB"
    maker, seller_tax = Decimal("0.001") * Decimal("0.75"), Decimal("0.0002")
    assert Decimal(made["commission"]) == round(6000 * (maker + seller_tax) / 260, 8)
    assert again.signed("PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=sell, newQty="0.5")[0] == 200
    book = again.call("GET", "/api/v3/depth?symbol=BTCUSDT")
    assert book["asks"] == [["60000.00000000", "0.30000000"]]
