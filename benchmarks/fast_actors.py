"""The bot of the fast-path rows: a connector with a key, and a strategy that places an order after each book update."""

import time
from decimal import Decimal
from typing import Any

from actors.effects import ActorEffects
from actors.log.secret import ApiKey, Secret
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from protocol import BookDelta, BookStatus, Settings, StreamState, Tick, TimeInForce
from protocol import Settings as BaseSettings
from strategies import Strategy

AWAY_PART = 100  # an order is a hundredth below the best bid, so that it never trades
SIZE_LOTS = 1_000
LIMITS = Limits(
    max_order_notional=Decimal(10**9), max_position=Decimal(10**9), max_open_orders=10**6, max_orders_per_s=10**6,
    price_collar_bps=5_000, max_book_age_ms=10**9, duplicate_ms=0,
)  # fmt: skip


class KeyedSpot(BinanceSpot):
    """The Binance connector with an invented key."""

    ticks = False
    bench_keys = ApiKey("bench", Secret("bench"))


class Reactor(Strategy):
    """Places one order after each change of the book."""

    ticks = False
    cancel_on_stop = False

    class Settings(Settings):
        """`market`: "connector:symbol"."""

        market: str

    def on_book_delta(self, delta: BookDelta) -> None:
        market = self.market(self.settings.market)
        if market.ready:
            price_ticks = market.best_bid_ticks - market.best_bid_ticks // AWAY_PART
            self.buy(market, price_ticks=price_ticks, size_lots=SIZE_LOTS, time_in_force=TimeInForce.IOC)


class Counter(Strategy):
    """Keeps a replica of the book; stops at update `last_id`. A lost message makes it fail."""

    ticks = False
    cancel_on_stop = False
    result: dict[str, Any] | None = None

    class Settings(Settings):
        """`market`: "connector:symbol". `last_id`: the last update."""

        market: str
        last_id: int

    def on_book_delta(self, delta: BookDelta) -> None:
        if delta.update_id >= self.settings.last_id:
            market = self.market(self.settings.market)
            best = [market.best_bid_ticks, market.best_ask_ticks]
            self.result = {"end_ns": time.monotonic_ns(), "best": best}
            self.stop("received all")

    def on_book_status(self, status: BookStatus) -> None:
        if status.state is StreamState.STALE and self.market(self.settings.market).book_ts_ns:
            self.log.error("the book went stale", reason=status.reason)

    def on_stale(self, topic: str) -> None:
        if topic.endswith(".book.") and self.market(self.settings.market).book_ts_ns:
            self.log.error("messages were lost", topic=topic)
            self.stop("messages were lost", 1)


class Quiet(Strategy):
    """Is ticked, keeps a replica of the market, and places no orders."""

    class Settings(Settings):
        """`market`: "connector:symbol"."""

        market: str

    def on_tick(self, tick: Tick) -> None:
        self.ticked = tick.n


class CpuSpot(BinanceSpot):
    """Market data only. When every book is live, it measures its processor time over WINDOW frames, and stops."""

    ticks = False
    result: dict[str, Any] | None = None
    WINDOW = 8_000
    SETTLED_NS = 500_000_000
    CHECK_NS = 20_000_000

    def __init__(self, name: str, settings: BaseSettings, effects: ActorEffects) -> None:
        super().__init__(name, settings, effects)
        self._from: tuple[int, int] | None = None
        self._live_ns = 0

    def on_start(self) -> None:
        super().on_start()
        self.after(self.CHECK_NS, self._check)

    def _check(self) -> None:
        self.after(self.CHECK_NS, self._check)
        deltas, cpu_ns = self.feed.counters.deltas, time.process_time_ns()
        if self.feed.state != "LIVE":
            self._live_ns, self._from = 0, None
            return
        self._live_ns = self._live_ns or self.now_ns
        if self._from is None and self.now_ns - self._live_ns > self.SETTLED_NS:
            self._from = deltas, cpu_ns
        elif self._from is not None and deltas - self._from[0] >= self.WINDOW:
            used_ns, frames = cpu_ns - self._from[1], deltas - self._from[0]
            self.result = {"cpu_us": used_ns / frames / 1000, "detail": {"markets": len(self.settings.markets)}}
            self.stop("counted enough")


def connector_settings(base: str, names: list[str]) -> dict[str, Any]:
    """Returns the settings of KeyedSpot for a feeder at `base` ("127.0.0.1:1234"), as JSON has them."""
    import msgspec

    markets = [f"{name.removesuffix('USDT')}-USDT" for name in names]
    limits = msgspec.to_builtins(LIMITS)
    return {
        "markets": markets, "limits": dict.fromkeys(markets, limits), "rest_url": f"http://{base}",
        "ws_url": f"ws://{base}", "ws_api_url": f"ws://{base}", "orders_by": "websocket",
        "feed": {"quiet_ms": 10**9, "silence_ms": 10**7},
    }  # fmt: skip
