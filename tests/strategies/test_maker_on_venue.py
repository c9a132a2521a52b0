"""The market maker, a whole connector and the local exchange in one simulation: what it knows is what is true."""

import json
from decimal import Decimal

import msgspec
import pytest

from actors.log.secret import ApiKey, Secret
from actors.net import HttpRequest
from actors.sim.driver import Sim
from clockd.clock import Clock
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from protocol import Control
from strategies.pure_market_making import PureMarketMaking
from venue.base import demo
from venue.base.settings import FlowSettings, MarketSettings, VenueSettings
from venue.sim_service import SimVenue

SYMBOL = "BTC-USDT"
LIMITS = Limits(
    max_order_notional=Decimal(20_000),
    max_position=Decimal("1.5"),
    max_open_orders=100,
    max_orders_per_s=50,
    price_collar_bps=2_000,
    max_book_age_ms=10_000,
    duplicate_ms=0,
)


class Town:
    """Exchange, clock, connector and maker."""

    def __init__(self, seed: int, **changes) -> None:
        self.sim = Sim(net_ns=5_000_000, trace=False)
        market = MarketSettings(flow=FlowSettings(volatility_bps=3.0))
        settings = VenueSettings(markets=[market], seed=seed, maker_fee=Decimal("0.0001"))
        self.venue = SimVenue(settings, self.sim.now_ns)
        self.sim.serve("venue", self.venue)
        self.sim.add("clockd", Clock, Clock.Settings(tick_ms=250, order=[["binance"], ["maker"]]))
        self.changes = changes
        self.start_connector()
        self.start_maker()

    def start_connector(self) -> None:
        settings = BinanceSpot.Settings(
            markets=[SYMBOL],
            limits={SYMBOL: LIMITS},
            rest_url="local://venue",
            ws_url="local://venue",
            ws_api_url="local://venue",
        )
        keys = ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET))
        self.connector = self.sim.add("binance", BinanceSpot, settings, keys=keys)

    def start_maker(self) -> None:
        fields = {
            "market": "binance:BTC-USDT",
            "bid_spread_bps": Decimal(2),
            "ask_spread_bps": Decimal(2),
            "size": Decimal("0.01"),
            "levels": 2,
            "level_spacing_bps": Decimal(2),
            "order_refresh_ms": 2_000,
            "filled_order_delay_ms": 500,
            **self.changes,
        }
        settings = PureMarketMaking.Settings(**fields)
        self.maker = self.sim.add("maker", PureMarketMaking, settings, follows=["binance"])

    @property
    def market(self):
        return self.maker.market("binance:BTC-USDT")

    def ledger(self) -> dict:
        """What the exchange holds of the maker's account."""
        request = HttpRequest("GET", "", {}, msgspec.json.encode({}))
        answer, _ = self.venue.http(request, "/control/ledger?account=maker", self.sim.now_ns)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def agrees(self) -> bool:
        """There are orders on the exchange, and all of them are those that the maker knows."""
        size = self.market.rules.size
        theirs = {(row["clientOrderId"], Decimal(row["executedQty"])) for row in self.ledger()["open_orders"]}
        return bool(theirs) and theirs == {(one.cl_ord_id, size(one.cum_lots)) for one in self.market.open_orders}

    def check(self) -> None:
        ledger, market = self.ledger(), self.market
        rules = market.rules
        assert market.open_orders == []
        assert ledger["open_orders"] == []
        bought = sum((Decimal(row["qty"]) for row in ledger["trades"] if row["isBuyer"]), Decimal(0))
        sold = sum((Decimal(row["qty"]) for row in ledger["trades"] if not row["isBuyer"]), Decimal(0))
        assert rules.size(market.position.bought_lots) == bought
        assert rules.size(market.position.sold_lots) == sold
        for asset in ("BTC", "USDT"):
            row = ledger["balances"][asset]
            assert market.balance(asset) == (Decimal(row["free"]), Decimal(row["locked"]))

    def finish(self) -> None:
        """Let it trade no more, compare, then stop it."""
        port = self.sim.processes["maker"]
        port.runtime.begin(self.sim.now_ns)
        self.maker.on_control(Control(1, 0, "pause"))
        self.maker.on_control(Control(2, 0, "cancel_all"))
        port.settle()
        self.sim.run_for(5)
        self.check()
        self.sim.request_stop("maker")
        self.sim.run_for(10)
        assert "maker" not in self.sim.processes
        assert self.ledger()["open_orders"] == []


@pytest.mark.slow
def test_it_makes_a_market_trades_and_ends_without_a_loose_end():
    town = Town(1)
    town.sim.run_for(120)
    assert town.market.ready, town.market.why_not_ready
    assert len(town.market.open_orders) >= 2
    assert town.market.position.bought_lots > 0
    assert town.market.position.sold_lots > 0
    town.sim.run_for(5, town.agrees)
    assert town.agrees()
    town.finish()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_deaths_of_maker_connector_and_exchange_while_trading_leave_no_order_untracked(seed):
    town = Town(seed, hanging_orders=bool(seed % 2), refresh_tolerance_bps=Decimal(seed))
    town.sim.run_for(20 + seed)
    for turn in range(2):
        town.sim.kill("maker")
        town.sim.run_for(0.3 * turn)
        town.start_maker()
        town.sim.run_for(10.1)
        town.sim.kill("binance")
        town.sim.run_for(1.7 * turn)
        town.start_connector()
        town.sim.run_for(15.3)
        town.sim.services["venue"].down()
        town.sim.run_for(0.5)
        town.venue = town.venue.restart(town.sim.now_ns)
        town.sim.services["venue"].back(town.venue)
        town.sim.run_for(20.7)
    assert town.market.ready, town.market.why_not_ready
    assert town.market.position.bought_lots > 0
    town.sim.run_for(5, town.agrees)
    assert town.agrees()
    town.finish()
