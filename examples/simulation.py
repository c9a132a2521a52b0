"""Thirty seconds of the strategy in dip_buyer.py, simulated: one thread, virtual time, no network.

Run it: python examples/simulation.py
The same seed gives the same run. Explained in docs/strategy.md.
"""

from decimal import Decimal

from dip_buyer import DipBuyer

from actors.log.secret import ApiKey, Secret
from actors.sim.driver import Sim
from clockd.clock import Clock
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from venue.base import demo
from venue.base.settings import VenueSettings
from venue.sim_service import SimVenue

LIMITS = Limits(
    max_order_notional=Decimal(5000),
    max_position=Decimal(1),
    max_open_orders=20,
    max_orders_per_s=20,
    price_collar_bps=500,
    max_book_age_ms=5000,
    duplicate_ms=0,
)


def simulate(seconds: float, seed: int) -> DipBuyer:
    """Returns the strategy after a run against the local exchange."""
    sim = Sim()
    sim.serve("venue", SimVenue(VenueSettings(seed=seed), sim.now_ns))
    sim.add("clockd", Clock, Clock.Settings(tick_ms=500, order=[["binance"], ["dips"]]))
    limits, url = {"BTC-USDT": LIMITS}, "local://venue"
    connector = BinanceSpot.Settings(markets=["BTC-USDT"], limits=limits, rest_url=url, ws_url=url, ws_api_url=url)
    sim.add("binance", BinanceSpot, connector, keys=ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET)))
    settings = DipBuyer.Settings(market="binance:BTC-USDT", size_lots=1000, below_ticks=50, profit_ticks=100)
    strategy = sim.add("dips", DipBuyer, settings, follows=["binance"])
    sim.run_for(seconds)
    assert isinstance(strategy, DipBuyer)
    return strategy


def main() -> None:
    market = simulate(30, seed=3).market("binance:BTC-USDT")
    print(f"best prices {market.best_bid_ticks} | {market.best_ask_ticks} ticks")
    for order in market.open_orders:
        print(f"open: {order.side.name} {order.leaves_lots} lots at {order.price_ticks} ticks")
    print(f"position: {market.position.net_lots} lots, {market.position.pnl(market.mid_ticks)} quote units")


if __name__ == "__main__":
    main()
