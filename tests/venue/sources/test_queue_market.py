"""Orders of accounts in a market that follows another one: places in the queue, fills, and own trades."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.levels import pack_levels, unpack_levels
from protocol import BookDelta, BookSnapshot, TopOfBook, Trade
from protocol.enums import Side
from venue.base.settings import FlowSettings, MarketSettings
from venue.sources.queue_market import QueueMarket

SYMBOL = "BTC-USDT"
BUY, SELL = Side.BUY, Side.SELL
BIDS, ASKS = [(10_000, 50), (9_999, 80), (9_990, 500)], [(10_002, 40), (10_003, 70), (10_010, 500)]


class Followed:
    """An external market with hand-made messages, ticks of 0.01 and lots of 0.001, and the exchange that follows."""

    def __init__(self, world, cancels="proportional", **changes):
        market = {"tick_size": Decimal("0.01"), "lot_size": Decimal("0.001"), "min_notional": Decimal("0.01")}
        still = FlowSettings(limit_rate=0, market_rate=0)
        self.world = world(markets=[MarketSettings(flow=still, min_size=Decimal("0.001"), **market)], **changes)
        exchange = self.world.exchange
        self.symbol = exchange.engine.symbols["BTCUSDT"]
        self.market = QueueMarket(exchange.engine, self.symbol, cancels)
        self.u = 1_000
        self.t = 500

    def tell(self, message):
        self.market.on_message(message, self.world.now_ns)
        self.world._settle()

    def open(self, bids=BIDS, asks=ASKS):
        self.tell(BookSnapshot(SYMBOL, self.u, pack_levels(bids), pack_levels(asks)))
        return self

    def level(self, side, price, lots):
        self.u += 1
        packed = pack_levels([(price, lots)])
        bids, asks = (packed, b"") if side is BUY else (b"", packed)
        self.tell(BookDelta(SYMBOL, self.u, self.u, bids, asks))

    def top(self, bid, bid_lots, ask, ask_lots):
        self.u += 1
        self.tell(TopOfBook(SYMBOL, self.u, bid, bid_lots, ask, ask_lots))

    def trade(self, taker, price, lots):
        self.t += 1
        self.tell(Trade(SYMBOL, self.t, taker, price, lots))

    def place(self, side, price, lots, **params):
        """Rest an order of ann's; its id."""
        kind = {"price": None} if price is None else {"price": f"{price / 100:.2f}"}
        status, body = self.world.order(side.name, f"{lots / 1000:.3f}", **kind, **params)
        assert status == 200, body
        return body["orderId"]

    def filled(self, order_id):
        _, body = self.world.signed("GET", "order", symbol="BTCUSDT", orderId=order_id)
        return round(Decimal(body["executedQty"]) * 1000)

    def ahead(self, order_id):
        return self.symbol.matching.queue_ahead(order_id)

    def size_at(self, side, price):
        return self.symbol.matching.size_at(side, price)

    def prints(self):
        return [(one.price_ticks, one.size_lots) for one in self.symbol.trades]


@pytest.fixture
def followed(world):
    return Followed(world).open()


def test_without_our_orders_the_book_is_the_other_one(followed):
    bids, asks = followed.symbol.matching.snapshot()
    assert (unpack_levels(bids), unpack_levels(asks)) == (BIDS, ASKS)
    followed.level(BUY, 10_001, 7)
    followed.level(BUY, 10_000, 20)
    followed.level(SELL, 10_002, 0)
    assert followed.symbol.update_id == followed.u
    followed.trade(SELL, 10_001, 3)
    assert followed.size_at(BUY, 10_001) == 7, "the book shows it by itself"
    followed.top(10_000, 20, 10_003, 70)
    bids, asks = followed.symbol.matching.snapshot()
    assert (unpack_levels(bids), unpack_levels(asks)) == ([(10_000, 20), *BIDS[1:]], ASKS[1:])
    assert followed.prints() == [(10_001, 3)]


def test_an_order_waits_behind_what_stood_there_and_before_what_comes_later(followed):
    ours = followed.place(BUY, 10_000, 10)
    followed.level(BUY, 10_000, 90)
    assert followed.ahead(ours) == 50
    assert followed.size_at(BUY, 10_000) == 100
    followed.trade(SELL, 10_000, 45)
    assert (followed.ahead(ours), followed.filled(ours)) == (5, 0)
    followed.top(10_000, 45, 10_002, 40)
    assert (followed.ahead(ours), followed.filled(ours)) == (5, 0), "the trade is not consumed twice"
    followed.trade(SELL, 10_000, 9)
    assert (followed.ahead(ours), followed.filled(ours)) == (0, 4), "a partial fill"
    followed.trade(SELL, 10_000, 6)
    assert followed.filled(ours) == 10
    assert followed.prints()[1:] == [(10_000, 5), (10_000, 4), (10_000, 6)]
    followed.level(BUY, 10_000, 30)
    assert followed.size_at(BUY, 10_000) == 30


def test_a_trade_that_the_book_does_not_show_yet_is_not_reverted_before_it_does(followed):
    ours = followed.place(BUY, 10_000, 10)
    followed.trade(SELL, 10_000, 20)
    followed.top(10_000, 50, 10_002, 39)
    assert (followed.ahead(ours), followed.size_at(BUY, 10_000)) == (30, 40)
    followed.top(10_000, 30, 10_002, 39)
    assert (followed.ahead(ours), followed.size_at(BUY, 10_000)) == (30, 40)


def test_a_book_that_crosses_itself_is_believed_where_it_is_newer(followed):
    followed.level(BUY, 10_002, 5)
    assert followed.size_at(BUY, 10_002) == 5
    assert followed.size_at(SELL, 10_002) == 0
    assert followed.prints() == [], "theirs do not trade with each other here"


@pytest.mark.parametrize(("model", "ahead"), [("proportional", 30), ("back", 50), ("front", 10)])
def test_cancels_shrink_the_queue_by_the_model(world, model, ahead):
    followed = Followed(world, model).open()
    ours = followed.place(BUY, 10_000, 10)
    followed.level(BUY, 10_000, 100)
    followed.level(BUY, 10_000, 60)
    assert followed.ahead(ours) == ahead
    assert followed.size_at(BUY, 10_000) == 70


def test_a_trade_through_our_price_fills_us_first_at_our_price(followed):
    ours = followed.place(BUY, 10_001, 10)
    followed.trade(SELL, 10_000, 4)
    assert followed.filled(ours) == 4
    assert followed.prints() == [(10_001, 4)], "the whole of it met us"
    followed.trade(SELL, 9_999, 30)
    assert followed.filled(ours) == 10
    assert followed.prints()[1:] == [(9_999, 24), (10_001, 6)]


def test_a_trade_behind_what_stood_at_better_prices_proves_that_this_is_gone(followed):
    ours = followed.place(BUY, 9_999, 10)
    followed.trade(SELL, 9_999, 85)
    assert followed.filled(ours) == 5
    assert followed.size_at(BUY, 10_000) == 0
    for _ in range(2):
        followed.level(BUY, 9_000, 1)
    assert followed.size_at(BUY, 10_000) == 50, "but its book has the last word"


def test_a_book_that_moves_through_our_price_fills_us_as_the_maker(followed):
    ours = followed.place(BUY, 10_001, 10)
    followed.level(SELL, 10_001, 4)
    assert followed.filled(ours) == 4
    assert followed.size_at(SELL, 10_001) == 0, "what met us is gone"
    followed.level(SELL, 10_001, 30)
    assert followed.filled(ours) == 10
    assert followed.size_at(SELL, 10_001) == 20
    trades = followed.world.signed("GET", "myTrades", symbol="BTCUSDT")[1]
    assert [(one["isMaker"], one["price"]) for one in trades] == [(True, "100.01000000")] * 2


def test_what_our_taker_took_stays_taken_until_the_level_has_lost_it(followed):
    followed.place(BUY, None, 60)
    assert followed.size_at(SELL, 10_002) == 0
    assert followed.size_at(SELL, 10_003) == 50
    followed.top(10_000, 50, 10_002, 45)
    assert followed.size_at(SELL, 10_002) == 5, "only what was added"
    followed.level(SELL, 10_003, 65)
    assert followed.size_at(SELL, 10_003) == 45
    followed.level(SELL, 10_003, 12)
    assert followed.size_at(SELL, 10_003) == 0
    followed.level(SELL, 10_003, 32)
    assert followed.size_at(SELL, 10_003) == 20
    followed.level(SELL, 10_002, 0)
    followed.level(SELL, 10_002, 40)
    assert followed.size_at(SELL, 10_002) == 40, "a level that was gone begins anew"


def test_our_own_order_ends_and_the_queue_is_one_again(followed):
    ours = followed.place(BUY, 10_000, 10)
    for lots in (60, 55, 70, 65, 90):
        followed.level(BUY, 10_000, lots)
    assert len(followed.market.book.levels[BUY][10_000].orders) == 2, "before us and behind us"
    status, _ = followed.world.signed("DELETE", "order", symbol="BTCUSDT", orderId=ours)
    assert status == 200
    followed.level(BUY, 10_000, 95)
    assert len(followed.market.book.levels[BUY][10_000].orders) == 1
    assert followed.size_at(BUY, 10_000) == 95


def test_ids_go_on_by_ours_and_theirs(followed):
    followed.trade(BUY, 10_002, 1)
    first = followed.symbol.trades[-1].trade_id
    assert first == followed.t
    followed.place(SELL, 10_000, 5)
    followed.trade(BUY, 10_002, 1)
    ids = [one.trade_id for one in followed.symbol.trades]
    assert ids == [first, first + 1, first + 2], "each id once, without a hole"
    ours = followed.symbol.update_id
    assert ours == followed.u + 1
    followed.level(BUY, 9_000, 3)
    assert followed.symbol.update_id == ours + 1, "theirs was taken by ours"
    followed.u += 6
    followed.level(BUY, 9_000, 4)
    assert followed.symbol.update_id == ours + 8, "and from here on theirs are shifted"


def test_a_book_that_begins_anew_at_lower_ids_is_followed(followed):
    followed.level(BUY, 10_000, 30)
    before, followed.u, followed.t = followed.symbol.update_id, 10, 20
    followed.open([(9_000, 5)], [(9_100, 5)])
    assert followed.symbol.update_id > before
    assert followed.symbol.matching.snapshot() == (pack_levels([(9_000, 5)]), pack_levels([(9_100, 5)]))
    followed.level(BUY, 9_001, 3)
    assert followed.symbol.matching.best_bid_ticks == 9_001


def test_an_older_delta_does_not_undo_newer_best_prices(followed):
    followed.u = 1_009
    followed.top(10_001, 9, 10_002, 40)  # 1010
    older = pack_levels([(10_001, 3), (10_000, 33), (9_999, 81)])
    followed.tell(BookDelta(SYMBOL, 1_001, 1_008, older, pack_levels([(10_001, 2)])))
    bids = unpack_levels(followed.symbol.matching.snapshot()[0])
    assert bids[:3] == [(10_001, 9), (10_000, 33), (9_999, 81)]
    assert followed.size_at(SELL, 10_001) == 0


def test_after_a_restart_our_orders_are_back_behind_what_stands_there(world):
    followed = Followed(world).open()
    ours = followed.place(BUY, 10_000, 10)
    crossed = followed.place(SELL, 10_003, 10)
    again = Followed(world, log=followed.world.log)
    again.open([(10_003, 4), (10_000, 50)], [(10_005, 40)])
    assert again.ahead(ours) == 50
    assert again.filled(crossed) == 4, "the market has moved through it"


PRICES = st.integers(9_990, 10_010)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.sampled_from([BUY, SELL]), PRICES, st.integers(0, 60)),
        st.tuples(st.just("trade"), st.sampled_from([BUY, SELL]), PRICES, st.integers(1, 60)),
        st.tuples(st.just("order"), st.sampled_from([BUY, SELL]), PRICES, st.integers(1, 60)),
        st.tuples(st.just("cancel"), st.just(BUY), st.integers(0, 20), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.sampled_from(["proportional", "back", "front"]))
def test_whatever_happens_money_is_conserved_and_books_add_up(world, steps, model):
    followed = Followed(world, model).open()
    book, matching = followed.market.book, followed.symbol.matching
    orders = []
    for what, side, price, lots in steps:
        if what == "level":
            followed.level(side, price, lots)
        elif what == "trade":
            followed.trade(side, price, lots)
        elif what == "order":
            orders.append(followed.place(side, price, lots))
        elif orders:
            followed.world.signed("DELETE", "order", symbol="BTCUSDT", orderId=orders[price % len(orders)])
        assert not (matching.best_ask_ticks and matching.best_bid_ticks >= matching.best_ask_ticks), "crossed"
    accounts = followed.world.exchange.accounts.by_name.values()
    house = followed.world.exchange.settlement.funds.outside
    for asset, opening in (("BTC", 20), ("USDT", 2_000_000)):
        owned = sum(one.balance(asset).free + one.balance(asset).locked for one in accounts)
        assert owned + house.get(asset, 0) == opening * 10**8
    mine = followed.world.exchange.settlement.open_orders.values()
    for side in (BUY, SELL):
        for price in {*book.levels[side], *(order.price_ticks for order in mine if order.side is side)}:
            level = book.levels[side].get(price)
            theirs = sum((matching.order(one) or [0] * 6)[5] for one in level.orders) if level else 0
            ours = sum(order.open_lots for order in mine if (order.side, order.price_ticks) == (side, price))
            assert matching.size_at(side, price) == theirs + ours
            assert level is None or theirs <= level.recorded_lots
