"""A bot in a simulation whose account begins with quote alone and pays Binance's commissions, 0.1 %."""

import json
from decimal import Decimal

from actors.log.secret import ApiKey, Secret
from actors.net import HttpRequest
from actors.sim.driver import Sim
from clockd.clock import Clock
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from protocol import Control, OrdStatus, RefusalCode
from venue.base import demo
from venue.base.settings import AccountSettings, FlowSettings, KeySettings, MarketSettings, VenueSettings
from venue.sim_service import SimVenue

MARKET = "binance:BTC-USDT"
QUOTE = Decimal(120_000)
LIMITS = {
    "max_order_notional": Decimal(5_000),
    "max_position": Decimal("0.5"),
    "max_open_orders": 20,
    "max_orders_per_s": 20,
    "price_collar_bps": 500,
    "max_book_age_ms": 5_000,
    "duplicate_ms": 0,
}


def sums(position) -> tuple:
    """All that a position has counted."""
    return (
        position.bought_lots, position.sold_lots, position.bought_notional, position.sold_notional, position.fees,
        position.held, position.cost, position.is_estimated,
    )  # fmt: skip


class QuoteOnly:
    """`bot.strategy` trades as `maker`; `fees` are settings of the account beside or instead of 0.1 %."""

    def __init__(
        self, kind, seed=3, flow=None, tick_ms=500, limits=None, venue=None, base=None, market=None, **settings
    ) -> None:
        key = KeySettings(api_key=demo.MAKER_KEY, secret=demo.MAKER_SECRET)
        maker = AccountSettings(name="maker", keys=[key], balances={"USDT": QUOTE} | (base or {}))
        accounts = [maker, *demo.accounts()[1:]]
        if venue and "has_discount" in venue:
            accounts[0] = AccountSettings(
                name="maker", keys=[key], balances=maker.balances, has_discount=venue.pop("has_discount")
            )
        self.begun = accounts[0].balances
        market = MarketSettings(flow=flow or FlowSettings(), **(market or {}))
        self.sim = Sim(net_ns=5_000_000, trace=False)
        self.venue = SimVenue(
            VenueSettings(markets=[market], seed=seed, accounts=accounts, **(venue or {})), self.sim.now_ns
        )
        self.sim.serve("venue", self.venue)
        self.sim.add("clockd", Clock, Clock.Settings(tick_ms=tick_ms, order=[["binance"], ["bot"]]))
        urls = dict.fromkeys(("rest_url", "ws_url", "ws_api_url"), "local://venue")
        self.connector_settings = BinanceSpot.Settings(
            markets=["BTC-USDT"], limits={"BTC-USDT": Limits(**LIMITS | (limits or {}))}, **urls
        )
        self.start_connector()
        self.kind, self.settings = kind, kind.Settings(market=MARKET, **settings)
        self.start_strategy()

    def start_connector(self) -> None:
        keys = ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET))
        self.connector = self.sim.add("binance", BinanceSpot, self.connector_settings, keys=keys)

    def start_strategy(self):
        self.strategy = self.sim.add("bot", self.kind, self.settings, follows=["binance"])
        return self.strategy

    @property
    def market(self):
        return self.strategy.market(MARKET)

    def act(self, call, *args, **how):
        """Runs a call of the strategy as its handler would."""
        port = self.sim.processes["bot"]
        port.runtime.begin(self.sim.now_ns)
        result = call(*args, **how)
        port.settle()
        return result

    def until(self, condition, seconds: float = 60) -> None:
        self.sim.run_for(seconds, condition)
        assert condition(), f"not within {seconds} s"

    def ready(self) -> "QuoteOnly":
        self.until(lambda: self.market.ready)
        return self

    def flatten(self) -> None:
        """As an operator does; then time for the last reports to arrive."""
        self.act(self.strategy.on_control, Control(1, 0, "flatten"))
        self.until(lambda: not self.strategy.flattener.is_busy)
        self.sim.run_for(5)

    def control(self, path: str) -> dict:
        answer, _ = self.venue.http(HttpRequest("GET", ""), f"/control/{path}", self.sim.now_ns)
        return json.loads(answer.body)

    def gained(self, asset: str) -> Decimal:
        """By how much the account's balance has changed, at the exchange."""
        row = self.control("ledger?account=maker")["balances"].get(asset, {"free": 0, "locked": 0})
        return Decimal(row["free"]) + Decimal(row["locked"]) - self.begun.get(asset, 0)

    def check(self) -> None:
        """The strategy's position, and the connector's, are the exchange's ledger to the last digit."""
        connectors = self.connector.tracker.owners["bot"].positions["BTC-USDT"]
        assert sums(self.market.position) == sums(connectors)
        for position in (self.market.position, connectors):
            assert position.held == self.gained("BTC")
            assert position.realized_pnl - position.cost == self.gained("USDT")
            assert position.other_fees.get("BNB", 0) == -self.gained("BNB")

    @property
    def refused(self) -> dict[RefusalCode, int]:
        """Rejections of the exchange, by code."""
        return self.connector.tracker.owner("bot").refused

    @property
    def rejected(self) -> list[str]:
        """The reasons of orders that were refused by anyone, of those that the strategy still knows."""
        finished = self.market.account.orders.finished.values()
        return [order.reason for order in finished if order.status is OrdStatus.REJECTED]
