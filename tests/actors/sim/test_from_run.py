"""`Sim.from_run`: one line from a run file to a simulation."""

from pathlib import Path

import pytest

from actors.sim.driver import Sim
from protocol.errors import BadRunFile

RUNS = Path(__file__).resolve().parents[3] / "runs"


def position_after(seconds, run_file=RUNS / "default.toml"):
    sim = Sim.from_run(run_file)
    sim.run_for(seconds)
    market = sim.actor("maker").market("binance:BTC-USDT")
    assert market.ready, market.why_not_ready
    return market.position.bought_lots, market.position.sold_lots, market.best_bid_ticks, market.open_orders


def test_the_default_bot_trades_in_virtual_time_and_twice_the_same():
    first = position_after(20)
    assert first[3]
    again = position_after(20)
    assert first[:3] == again[:3]


def test_a_lockstep_run_file_is_simulated_in_virtual_time(tmp_path):
    path = tmp_path / "lockstep.toml"
    path.write_text((RUNS / "default.toml").read_text().replace("tick_ms = 1000", 'tick_ms = 500\nmode = "lockstep"'))
    assert position_after(5, path)[3]


def test_an_actor_that_needs_the_network_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "live.toml"
    path.write_text((RUNS / "default.toml").read_text().replace('ws_url = "local://venue"\n', "", 1))
    with pytest.raises(BadRunFile) as refused:
        Sim.from_run(path)
    assert str(refused.value).endswith(
        "ws_url = 'wss://stream.binance.com:9443': a simulation has no network; use local://venue and a [venue] table "
        "- at `$.actors.binance.settings.ws_url`"
    )


def test_paper_trading_is_refused_since_a_simulation_has_no_live_market():
    with pytest.raises(BadRunFile, match="a simulation has no network"):
        Sim.from_run(RUNS / "paper.toml")


def test_an_unknown_account_is_refused(tmp_path):
    path = tmp_path / "account.toml"
    path.write_text((RUNS / "default.toml").read_text().replace("venue/maker", "venue/mker"))
    with pytest.raises(BadRunFile, match="has no account `mker`, did you mean `maker`"):
        Sim.from_run(path)
