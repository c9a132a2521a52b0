"""A connector without keys serves signals: its markets have data, and no strategy can trade on them."""

from pathlib import Path

from actors.sim.driver import Sim
from protocol import OrdStatus

DEFAULT = (Path(__file__).resolve().parents[2] / "runs" / "default.toml").read_text()


def test_a_market_without_keys_has_data_and_is_not_ready_to_trade(tmp_path):
    path = tmp_path / "signals.toml"
    keys = next(line for line in DEFAULT.splitlines() if line.startswith("keys = "))
    path.write_text(DEFAULT.replace(keys, ""))
    sim = Sim.from_run(path)
    sim.run_for(5)
    maker = sim.actor("maker")
    market = maker.market("binance:BTC-USDT")
    assert market.data_ready, market.why_no_data
    assert market.why_no_data == ""
    assert market.best_bid_ticks > 0
    assert not market.ready
    assert market.why_not_ready != ""

    orders = []
    sim.act(maker, lambda: orders.append(maker.buy(market, price_ticks=market.best_bid_ticks, size_lots=1000)))
    sim.run_for(1)
    assert orders[0].status is OrdStatus.REJECTED
    assert market.why_not_ready in orders[0].reason


def test_a_market_with_keys_has_data_before_it_is_ready_to_trade(tmp_path):
    path = tmp_path / "bot.toml"
    path.write_text(DEFAULT)
    sim = Sim.from_run(path)
    market = sim.actor("maker").market("binance:BTC-USDT")
    assert not market.data_ready
    assert market.why_no_data == "book stale: no book yet from binance"
    sim.run_for(5)
    assert (market.data_ready, market.ready) == (True, True)
    sim.kill("binance")
    sim.run_for(10)
    assert not market.ready
