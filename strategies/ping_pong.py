"""Quote both sides of one market around its mid price, afresh on every tick."""

from protocol import Fill, Tick
from strategies.strategy import Strategy


class PingPong(Strategy):
    """Keep one bid and one ask resting."""

    class Settings(Strategy.Settings):
        """Sizes in lots, distances in ticks, of the market ("binance:BTC-USDT")."""

        market: str
        size_lots: int
        half_spread_ticks: int

        def __post_init__(self) -> None:
            for name in ("size_lots", "half_spread_ticks"):
                if getattr(self, name) < 1:
                    raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")

    def on_tick(self, tick: Tick) -> None:
        market = self.market(self.settings.market)
        if not market.ready:
            return
        half = self.settings.half_spread_ticks
        self.cancel_all(market)
        self.buy(market, price_ticks=market.mid_ticks - half, size_lots=self.settings.size_lots)
        self.sell(market, price_ticks=market.mid_ticks + half, size_lots=self.settings.size_lots)

    def on_fill(self, fill: Fill) -> None:
        self.log.info("order filled", side=fill.side.name, price_ticks=fill.last_ticks, size_lots=fill.last_lots)
