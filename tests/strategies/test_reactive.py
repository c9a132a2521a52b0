"""A strategy that reacts to the book and to trades, without a clock: the same in every rerun."""

from decimal import Decimal

from actors.log.secret import ApiKey, Secret
from actors.sim.driver import Sim
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from protocol import BookDelta, Settings, TimeInForce, Trade
from strategies import Strategy
from venue.base import demo
from venue.base.settings import VenueSettings
from venue.sim_service import SimVenue

MARKET = "binance:BTC-USDT"
LIMITS = Limits(
    max_order_notional=Decimal(20_000), max_position=Decimal(5), max_open_orders=100, max_orders_per_s=1_000,
    price_collar_bps=2_000, max_book_age_ms=10_000, duplicate_ms=0,
)  # fmt: skip


class Sniper(Strategy):
    """Bids below each new best bid, at once; notes trades; is not ticked."""

    ticks = False

    class Settings(Settings):
        market: str

    def __init__(self, *args):
        super().__init__(*args)
        self.diary = []
        self.best_ticks = 0

    def on_book_delta(self, delta: BookDelta) -> None:
        market = self.market(self.settings.market)
        assert market.book_seq == self.envelope.seq, "the replica is updated before the handler runs"
        if market.ready and market.best_bid_ticks != self.best_ticks:
            self.best_ticks = market.best_bid_ticks
            order = self.buy(
                market, price_ticks=self.best_ticks - 50, size_lots=1_000, time_in_force=TimeInForce.IOC
            )  # fmt: skip
            self.diary.append(("bid", self.now_ns, delta.update_id, order.order_ref, self.best_ticks))

    def on_trade(self, trade: Trade) -> None:
        assert self.market(self.settings.market).last_trade is trade
        self.diary.append(("trade", self.now_ns, trade.trade_id, trade.price_ticks))


def played(seed: int, orders_by: str = "websocket"):
    """Ten seconds of a moving market: the strategy's actions, the messages it received, and all messages."""
    sim = Sim()
    sim.serve("venue", SimVenue(VenueSettings(seed=seed), sim.now_ns))
    settings = BinanceSpot.Settings(
        markets=["BTC-USDT"], limits={"BTC-USDT": LIMITS}, rest_url="local://venue", ws_url="local://venue",
        ws_api_url="local://venue", orders_by=orders_by,
    )  # fmt: skip
    connector = sim.add("binance", BinanceSpot, settings, keys=ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET)))
    sniper = sim.add("sniper", Sniper, Sniper.Settings(market=MARKET))
    sim.run_for(10)
    return sniper.diary, [one.effects.outbox.trace for one in (connector, sniper)]


def test_it_reacts_to_every_new_best_bid_and_to_trades():
    diary, _ = played(3)
    kinds = {kind for kind, *_ in diary}
    assert kinds == {"bid", "trade"}
    bids = [row for row in diary if row[0] == "bid"]
    assert len(bids) > 5
    assert len({ts_ns for _, ts_ns, *_ in bids}) == len(bids), "one decision an event, at the event's own time"


def test_the_same_seed_gives_the_same_decisions_and_the_same_trace():
    assert played(5) == played(5)
    assert played(5)[1] != played(6)[1]
