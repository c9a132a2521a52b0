"""Quote both sides of one market around its mid price, with new orders on every tick.

A bot that trades on the local exchange: tickbus run examples/ping_pong.toml
"""

from protocol import Fill, Tick
from strategies import Strategy


class PingPong(Strategy):
    """Keeps one bid and one ask open."""

    class Settings(Strategy.Settings):
        """`market`: "connector:symbol". `size_lots`: size of each order. `half_spread_ticks`: distance from the mid."""

        market: str
        size_lots: int
        half_spread_ticks: int

    def on_tick(self, tick: Tick) -> None:
        market = self.market(self.settings.market)
        if not market.ready:
            self.health("WAITING", market.why_not_ready)
            return
        self.health("QUOTING")
        half = self.settings.half_spread_ticks
        self.cancel_all(market)
        self.buy(market, price_ticks=market.mid_ticks - half, size_lots=self.settings.size_lots)
        self.sell(market, price_ticks=market.mid_ticks + half, size_lots=self.settings.size_lots)

    def on_fill(self, fill: Fill) -> None:
        self.log.info("order filled", side=fill.side.name, price_ticks=fill.last_ticks, size_lots=fill.last_lots)
