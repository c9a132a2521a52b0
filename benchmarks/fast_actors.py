"""The bot of the fast-path rows: a connector with a key, and a strategy that answers each book update with an order."""

from decimal import Decimal
from typing import Any

from actors.secret import ApiKey, Secret
from connectors.binance import BinanceSpot
from connectors.gate import Limits
from protocol import BookDelta, Settings, TimeInForce
from strategies import Strategy

AWAY_PART = 100  # an order stands a hundredth below the best bid: it never trades
SIZE_LOTS = 1_000
LIMITS = Limits(
    max_order_notional=Decimal(10**9), max_position=Decimal(10**9), max_open_orders=10**6, max_orders_per_s=10**6,
    price_collar_bps=5_000, max_book_age_ms=10**9, duplicate_ms=0,
)  # fmt: skip


class KeyedSpot(BinanceSpot):
    """The Binance connector as it is; its key is made up."""

    ticks = False

    def on_start(self) -> None:
        self.keys = ApiKey("bench", Secret("bench"))
        super().on_start()


class Reactor(Strategy):
    """One order for each change of the book."""

    ticks = False
    cancel_on_stop = False

    class Settings(Settings):
        """Where."""

        market: str

    def on_book_delta(self, delta: BookDelta) -> None:
        market = self.market(self.settings.market)
        if market.ready:
            price_ticks = market.best_bid_ticks - market.best_bid_ticks // AWAY_PART
            self.buy(market, price_ticks=price_ticks, size_lots=SIZE_LOTS, time_in_force=TimeInForce.IOC)


def connector_settings(base: str, names: list[str]) -> dict[str, Any]:
    """Settings of KeyedSpot on a feeder at `base` ("127.0.0.1:1234"), as JSON would hold them."""
    import msgspec

    markets = [f"{name.removesuffix('USDT')}-USDT" for name in names]
    limits = msgspec.to_builtins(LIMITS)
    return {
        "markets": markets, "limits": dict.fromkeys(markets, limits), "rest_url": f"http://{base}",
        "ws_url": f"ws://{base}", "ws_api_url": f"ws://{base}", "orders_by": "websocket",
        "feed": {"quiet_ms": 10**9, "silence_ms": 10**7},
    }  # fmt: skip
