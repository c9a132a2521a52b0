"""The default bot trades through a storm of every fault; when the sky clears, all that it knows is true."""

import json
from collections import Counter
from decimal import Decimal

import msgspec
import pytest

from actors.log.secret import ApiKey, Secret
from actors.net import HttpRequest
from actors.sim.driver import Sim
from clockd.clock import Clock
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from protocol import Control, OrdStatus
from strategies.pure_market_making import PureMarketMaking
from venue.base import demo
from venue.base.settings import FlowSettings, MarketSettings, VenueSettings
from venue.faults.kinds.catalogue import KINDS
from venue.sim_service import SimVenue

pytestmark = pytest.mark.slow

SYMBOL = "BTC-USDT"
LOT = Decimal("0.00001")
LIMITS = Limits(
    max_order_notional=Decimal(20_000),
    max_position=Decimal("1.5"),
    max_open_orders=100,
    max_orders_per_s=50,
    price_collar_bps=2_000,
    max_book_age_ms=10_000,
    duplicate_ms=0,
)
TEN_MINUTES_S = 600.0


class Venue(SimVenue):
    """The local exchange; the client ids of all placements are kept."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.placed: list[str] = []

    def http(self, request, path, now_ns):
        if request.method == "POST" and "newClientOrderId=" in path:
            self.placed.append(path.partition("newClientOrderId=")[2].partition("&")[0])
        return super().http(request, path, now_ns)


class Coast:
    """Exchange, clock, connector, maker, and the active faults."""

    def __init__(self, seed: int, faults: str = "storm", orders_by: str = "rest", **changes) -> None:
        self.sim = Sim(net_ns=5_000_000, trace=False)
        market = MarketSettings(flow=FlowSettings(volatility_bps=4.0, limit_rate=20, market_rate=6, book_orders=200))
        settings = VenueSettings(markets=[market], seed=seed, maker_fee=Decimal("0.0001"), faults=faults)
        self.venue = Venue(settings, self.sim.now_ns)
        self.sim.serve("venue", self.venue)
        self.sim.add("clockd", Clock, Clock.Settings(tick_ms=250, order=[["binance"], ["maker"]]))
        settings = BinanceSpot.Settings(
            markets=[SYMBOL], limits={SYMBOL: LIMITS}, rest_url="local://venue", ws_url="local://venue",
            ws_api_url="local://venue", orders_by=orders_by,
        )  # fmt: skip
        keys = ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET))
        self.connector = self.sim.add("binance", BinanceSpot, settings, keys=keys)
        fields = {
            "market": "binance:BTC-USDT", "bid_spread_bps": Decimal("0.5"), "ask_spread_bps": Decimal("0.5"),
            "size": Decimal("0.01"), "levels": 2, "level_spacing_bps": Decimal(1), "order_refresh_ms": 2_000,
            "filled_order_delay_ms": 500, **changes,
        }  # fmt: skip
        self.maker = self.sim.add("maker", PureMarketMaking, PureMarketMaking.Settings(**fields), follows=["binance"])

    def control(self, method: str, path: str, **body) -> dict:
        request = HttpRequest(method, "", {}, msgspec.json.encode(body))
        answer, _ = self.venue.http(request, f"/control/{path}", self.sim.now_ns)
        self.sim.services["venue"].flush()
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    @property
    def counters(self) -> Counter:
        return Counter(self.control("GET", "faults")["counters"])

    def ledger(self) -> dict:
        return self.control("GET", "ledger?account=maker")

    def state(self) -> tuple[str, str]:
        effects = self.connector.effects
        return effects.state, effects.detail

    def clear(self) -> None:
        """The sky clears; after a while the bot trades as if nothing had been."""
        self.control("POST", "faults", clear=True)
        self.sim.run_for(60, lambda: self.state()[0] == "TRADING")
        assert self.state()[0] == "TRADING", self.state()
        self.sim.run_for(120)

    def finish(self) -> None:
        """It quotes no more."""
        port = self.sim.processes["maker"]
        port.runtime.begin(self.sim.now_ns)
        self.maker.on_control(Control(1, 0, "pause"))
        self.maker.on_control(Control(2, 0, "cancel_all"))
        port.settle()
        self.sim.run_for(20)

    def check(self) -> None:
        """Orders, fills, position and balances at connector and maker are those of the exchange's ledger."""
        ledger, tracker, market = self.ledger(), self.connector.tracker, self.maker.market("binance:BTC-USDT")
        placed, is_ours = self.venue.placed, self.connector.issued_ids.is_ours
        assert len(placed) == len(set(placed)), "a placement was sent twice under one id"
        assert not [one.cl_ord_id for one in tracker.open.values() if one.status is OrdStatus.UNKNOWN]
        ours = {row["clientOrderId"]: row for row in ledger["orders"] if is_ours(row["clientOrderId"])}
        live = {row["clientOrderId"] for row in ledger["open_orders"]} & ours.keys()
        assert live == set(tracker.open) == {one.cl_ord_id for one in market.open_orders}
        for name, row in ours.items():
            assert tracker.orders[name].state.cum_lots * LOT == Decimal(row["executedQty"]), row
        numbers = {row["orderId"] for row in ours.values()}
        trades = [row for row in ledger["trades"] if row["orderId"] in numbers]
        assert len(trades) == len({(row["id"], row["side"]) for row in trades})
        bought = sum((Decimal(row["qty"]) for row in trades if row["isBuyer"]), Decimal(0))
        sold = sum((Decimal(row["qty"]) for row in trades if not row["isBuyer"]), Decimal(0))
        (position,) = tracker.owners["maker"].positions.values()
        assert (position.net_lots * LOT, market.position.net_lots * LOT) == (bought - sold, bought - sold)
        assert (market.position.bought_lots * LOT, market.position.sold_lots * LOT) == (bought, sold)
        fees = Counter()
        for row in trades:
            fees[row["commissionAsset"]] += Decimal(row["commission"])
        paid = sum(Decimal(row["quoteQty"]) if row["isBuyer"] else -Decimal(row["quoteQty"]) for row in trades)
        for one in (position, market.position):
            assert one.held == bought - sold - fees["BTC"]
            assert one.cost - one.realized_pnl == paid + fees["USDT"]
        assert market.position.cost == position.cost
        for asset in ("BTC", "USDT"):
            row = ledger["balances"][asset]
            assert market.balance(asset) == (Decimal(row["free"]), Decimal(row["locked"])), asset


@pytest.mark.parametrize(("seed", "orders_by"), [(0, "rest"), (1, "rest"), (2, "rest"), (702, "websocket")])
def test_the_default_bot_trades_through_a_storm_and_in_the_end_knows_what_the_exchange_knows(seed, orders_by):
    coast = Coast(seed, orders_by=orders_by)
    coast.sim.run_for(TEN_MINUTES_S)
    met = coast.counters
    traded = len(coast.ledger()["trades"])
    coast.clear()
    coast.sim.run_for(20, lambda: bool(coast.maker.market("binance:BTC-USDT").open_orders))
    assert coast.maker.market("binance:BTC-USDT").open_orders, "it quotes again"
    coast.finish()
    coast.check()
    assert traded > 30
    assert {name for name in KINDS if not met[name]} <= {"banned"}, met  # three seconds of some minutes, by chance
