"""Thirty seconds of the strategy in dip_buyer.py, simulated: one thread, virtual time, no network.

Run it: python examples/simulation.py
The same seed gives the same run. Explained in docs/strategy.md.
"""

from pathlib import Path

from actors.sim.driver import Sim
from strategies import Strategy

RUN_FILE = Path(__file__).with_name("dip_buyer.toml")


def simulate(seconds: float) -> Strategy:
    """Returns the strategy after a run against the local exchange."""
    sim = Sim.from_run(RUN_FILE)
    sim.run_for(seconds)
    strategy = sim.actor("dips")
    assert isinstance(strategy, Strategy)
    return strategy


def main() -> None:
    market = simulate(30).market("binance:BTC-USDT")
    print(f"best prices {market.best_bid_ticks} | {market.best_ask_ticks} ticks")
    for order in market.open_orders:
        print(f"open: {order.side.name} {order.leaves_lots} lots at {order.price_ticks} ticks")
    position = market.position
    print(f"held: {position.held} {position.base}, profit {position.pnl(market.mid_ticks):.2f} {position.quote}")


if __name__ == "__main__":
    main()
