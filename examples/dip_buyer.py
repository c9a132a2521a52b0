"""Keep one bid below the best bid, sell the purchase above its cost, and begin again.

A bot that trades on the local exchange:    tickbus run examples/dip_buyer.toml
A simulation of the same:                   python examples/simulation.py
Explained in docs/strategy.md.
"""

from protocol import Fill, Side, Tick
from strategies import Strategy


class DipBuyer(Strategy):
    """Buys dips and sells at a profit after the purchase's commission."""

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
        rules = market.rules
        if not market.ready or rules is None:
            self.health("WAITING", market.why_not_ready)
            return
        self.health("TRADING")
        bids = [order for order in market.open_orders if order.side is Side.BUY]
        size_lots = self.settings.size_lots * rules.size_step  # the settings count the exchange's ticks and lots
        bid_ticks = rules.passive_ticks(market.best_bid_ticks - self.settings.below_ticks * rules.price_step, Side.BUY)
        profit_ticks = self.settings.profit_ticks * rules.price_step
        ask_ticks = max(market.position.average_cost_ticks + profit_ticks, market.best_ask_ticks)
        if market.can_place(ask_ticks, market.sellable_lots):  # enough is held for an order
            self.sell(market, price_ticks=ask_ticks, size_lots=market.sellable_lots, post_only=True)
        elif not market.open_orders and market.free_quote >= bid_ticks * size_lots:
            self.buy(market, price_ticks=bid_ticks, size_lots=size_lots, post_only=True)
        elif bids and bids[0].price_ticks < bid_ticks and not bids[0].cancel_wanted:
            self.replace(market, bids[0], price_ticks=bid_ticks, size_lots=size_lots)

    def on_fill(self, fill: Fill) -> None:
        self.log.info("order filled", side=fill.side.name, price_ticks=fill.last_ticks, size_lots=fill.last_lots)
