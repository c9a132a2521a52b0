"""Quote one market around its mid price: buy, sell what was bought, and begin again.

A bot that trades on the local exchange: tickbus run examples/ping_pong.toml
"""

from protocol import Side, Tick
from strategies import Market, Strategy


class PingPong(Strategy):
    """Keeps one bid open, and one ask while something is held."""

    class Settings(Strategy.Settings):
        """`market`: "connector:symbol". `size_lots`: size of each order. `half_spread_ticks`: distance from the mid."""

        market: str
        size_lots: int
        half_spread_ticks: int

    def on_tick(self, tick: Tick) -> None:
        market = self.market(self.settings.market)
        rules = market.rules
        if not market.ready or rules is None:
            self.health("WAITING", market.why_not_ready)
            return
        self.health("QUOTING")
        half = self.settings.half_spread_ticks * rules.price_step
        size_lots = self.settings.size_lots * rules.size_step
        wanted_lots = size_lots if market.position.held_lots < size_lots else 0
        self.quote(market, Side.BUY, rules.passive_ticks(market.mid_ticks - half, Side.BUY), wanted_lots)
        self.quote(market, Side.SELL, rules.passive_ticks(market.mid_ticks + half, Side.SELL), market.sellable_lots)

    def quote(self, market: Market, side: Side, price_ticks: int, size_lots: int) -> None:
        """Move the order of one side to a price, or place it if its size is valid."""
        for order in market.open_orders:
            if order.side is side:
                if order.price_ticks != price_ticks and not order.cancel_wanted:
                    self.replace(market, order, price_ticks=price_ticks, size_lots=order.leaves_lots)
                return
        if market.can_place(price_ticks, size_lots):
            send = self.buy if side is Side.BUY else self.sell
            send(market, price_ticks=price_ticks, size_lots=size_lots)
