"""The code blocks of docs/strategy.md run as printed."""

import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from actors.log.secret import ApiKey, Secret
from actors.run.run_file import problems
from actors.sim.driver import Sim
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from venue.base import demo
from venue.base.settings import VenueSettings
from venue.sim_service import SimVenue

DOC = Path(__file__).resolve().parents[2] / "docs" / "strategy.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", DOC.read_text(), re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]


@pytest.fixture
def binance_settings():
    limits = Limits(
        max_order_notional=Decimal(5_000),
        max_position=Decimal("0.5"),
        max_open_orders=20,
        max_orders_per_s=20,
        price_collar_bps=500,
        max_book_age_ms=5_000,
        duplicate_ms=0,
    )
    urls = {"rest_url": "local://venue", "ws_url": "local://venue", "ws_api_url": "local://venue"}
    return BinanceSpot.Settings(markets=["BTC-USDT"], limits={"BTC-USDT": limits}, **urls)


@pytest.mark.slow
def test_the_strategy_trades_in_the_simulation_as_shown(tmp_path, monkeypatch):
    strategy, simulation, doing, _ = PYTHON
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("dip_buyer.py").write_text(strategy)
    Path("dips.toml").write_text(next(text for language, text in BLOCKS if language == "toml"))
    scope: dict = {}
    exec(compile(simulation, "simulation", "exec"), scope)
    exec(compile(doing, "doing", "exec"), scope)
    sim, dips, market = scope["sim"], scope["dips"], scope["market"]
    sim.run_for(120)
    assert market.position.bought_lots > 0
    port = sim.processes["dips"]
    port.runtime.begin(sim.now_ns)
    scope["trade"](dips, market)
    port.settle()
    sim.request_stop("dips")
    sim.run_for(10)
    assert market.open_orders == []
    assert market.position.sold_lots > 0
    assert market.position.held_lots == 0


def test_the_reacting_strategy_acts_without_a_tick(binance_settings):
    scope: dict = {"__name__": "chaser"}
    exec(compile(PYTHON[3], "reacting", "exec"), scope)
    sim = Sim()
    sim.serve("venue", SimVenue(VenueSettings(seed=3), sim.now_ns))
    sim.add("binance", BinanceSpot, binance_settings, keys=ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET)))
    kind = scope["Chaser"]
    chaser = sim.add("chaser", kind, kind.Settings(market="binance:BTC-USDT"))
    sim.run_for(10)
    finished = chaser.market("binance:BTC-USDT").account.orders.finished
    assert len(finished) > 5, "an IOC is over at once, and the next follows"


def test_the_run_file_is_a_good_one(tmp_path):
    (toml,) = [text for language, text in BLOCKS if language == "toml"]
    (tmp_path / "dip_buyer.py").write_text(PYTHON[0])
    run = tmp_path / "run.toml"
    run.write_text(toml)
    assert problems(run) == []
