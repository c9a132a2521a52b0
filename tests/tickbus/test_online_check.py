"""`tickbus check --online`: what only the exchange knows. The exchange is a local one in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DEFAULT = (Path(__file__).resolve().parents[2] / "runs" / "default.toml").read_text()

pytestmark = pytest.mark.process


@pytest.fixture
def exchange_url(folder, wait_until):
    """The address of a local exchange with BTC-USDT alone."""
    (folder / "exchange.toml").write_text(DEFAULT)
    command = [sys.executable, "-m", "tickbus", "venue", "--run", folder / "exchange.toml", "--dir", folder / "x"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = folder / "x" / "venue.address"
    try:
        wait_until(address.exists, 20)
        yield json.loads(address.read_text())["http"]
    finally:
        process.terminate()
        process.wait(10)


def run_file(folder, url, *changes):
    text = DEFAULT.replace('rest_url = "local://venue"', f'rest_url = "{url}"')
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "bot.toml"
    path.write_text(text)
    return path


def problems(tickbus, path):
    done = tickbus("check", path, "--online", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 2)
    return found["problems"]


def test_an_exchange_that_serves_the_run_has_no_problems(folder, exchange_url, tickbus):
    assert problems(tickbus, run_file(folder, exchange_url)) == []


def test_an_unknown_market_and_orders_that_are_too_small_or_too_large_are_found(folder, exchange_url, tickbus):
    more = 'markets = ["BTC-USDT"]', 'markets = ["BTC-USDT", "ETH-USDT"]'
    small = run_file(folder, exchange_url, more, ("size = 0.01 ", "size = 0.000001 "))
    assert problems(tickbus, small) == [
        "the exchange has no market ETH-USDT - at `$.actors.binance.settings.markets[1]`",
        "`maker`: an order of 0.000001 BTC is too small: BTC-USDT takes 0.00001 or more - at `$.actors.maker.settings`",
    ]
    cheap = problems(tickbus, run_file(folder, exchange_url, ("size = 0.01 ", "size = 0.00001 ")))
    assert len(cheap) == 1
    assert cheap[0].startswith("`maker`: an order of 0.00001 BTC is worth 0.")
    large = problems(tickbus, run_file(folder, exchange_url, ("size = 0.01 ", "size = 0.2 ")))
    assert len(large) == 1
    assert "and the limit max_order_notional is 5000 - at" in large[0]


def test_a_host_that_cannot_be_reached_is_named(folder, tickbus):
    found = problems(tickbus, run_file(folder, "http://127.0.0.1:1"))
    assert len(found) == 1
    assert found[0].startswith("127.0.0.1:1 cannot be reached: ")
