"""Keep one bid below the best bid, and sell each purchase at a small profit.

A bot that trades on the local exchange:    tickbus run examples/dip_buyer.toml
A simulation of the same:                   python examples/simulation.py
Explained in docs/strategy.md.
"""

from market.instrument import Rounding
from protocol import Fill, Side, Tick
from strategies import Strategy


class DipBuyer(Strategy):
    """Buys dips and sells at a profit."""

    class Settings(Strategy.Settings):
        market: str
        size_lots: int
        below_ticks: int
        profit_ticks: int

        def __post_init__(self) -> None:
            if self.profit_ticks < 1:
                raise ValueError(f"profit_ticks must be 1 or more, not {self.profit_ticks}")

    def on_tick(self, tick: Tick) -> None:
        market = self.market(self.settings.market)
        if not market.ready:
            self.health("WAITING", market.why_not_ready)
            return
        self.health("TRADING")
        bids = [order for order in market.open_orders if order.side is Side.BUY]
        asks = [order for order in market.open_orders if order.side is Side.SELL]
        price_ticks = market.best_bid_ticks - self.settings.below_ticks
        if not bids and market.free_quote >= price_ticks * self.settings.size_lots:
            self.buy(market, price_ticks=price_ticks, size_lots=self.settings.size_lots, post_only=True)
        elif bids and bids[0].price_ticks < price_ticks and not bids[0].cancel_wanted:
            self.replace(market, bids[0], price_ticks=price_ticks, size_lots=self.settings.size_lots)
        held_lots = market.position.net_lots - sum(order.leaves_lots for order in asks)
        if held_lots > 0:
            cost_ticks = market.rules.price_ticks(market.position.average_price(Side.BUY), Rounding.UP)
            price_ticks = max(cost_ticks + self.settings.profit_ticks, market.best_ask_ticks)
            self.sell(market, price_ticks=price_ticks, size_lots=held_lots, post_only=True)

    def on_fill(self, fill: Fill) -> None:
        self.log.info("order filled", side=fill.side.name, price_ticks=fill.last_ticks, size_lots=fill.last_lots)
