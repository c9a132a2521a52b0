"""Messages as a tap returns them."""

from decimal import Decimal

import pytest

from actors.tap import Tapped
from market.levels import pack_levels
from protocol import BookSnapshot, Fill, Liquidity, OrderUpdate, OrdStatus, OrdType, Rules, Side, topics

BOOK_TOPIC = topics.market_data("binance", "BTC-USDT", "book")


class TapMessages:
    """Makes Tapped messages with growing sequence numbers per topic."""

    def __init__(self):
        self.seqs = {}
        self.now_ns = 1_700_000_000_000_000_000

    def __call__(self, topic, body, epoch=1, seq=None):
        seq = self.seqs.get((topic, epoch), 0) + 1 if seq is None else seq
        self.seqs[topic, epoch] = seq
        return Tapped(topic, topics.publisher(topic), epoch, seq, self.now_ns, self.now_ns + 400_000, body)

    def rules(self):
        rules = Rules("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), 1, 10**9, 1, 10**9, Decimal(5))
        return self(topics.market_data("binance", "BTC-USDT", "rules"), rules)

    def book(self, bids=((9_999, 20), (9_998, 5)), asks=((10_001, 30), (10_003, 7)), **given):
        return self(BOOK_TOPIC, BookSnapshot("BTC-USDT", 7, pack_levels(bids), pack_levels(asks)), **given)

    def order(self, cl_ord_id, status, side=Side.BUY, price_ticks=9_998, size_lots=4, cum_lots=0, owner="maker"):
        update = OrderUpdate(
            owner, 1, cl_ord_id, "BTC-USDT", side, OrdType.LIMIT, price_ticks, size_lots, cum_lots, OrdStatus(status)
        )
        return self(topics.orders("binance", owner), update)

    def fill(self, fill_no, cl_ord_id="a", side=Side.BUY, last_ticks=9_998, last_lots=2):
        fill = Fill(
            "maker", 1, cl_ord_id, str(fill_no), "BTC-USDT", side, last_ticks, last_lots, last_lots,
            Liquidity.MAKER, Decimal("0.00000200"), "BTC", fill_no,
        )  # fmt: skip
        return self(topics.orders("binance", "maker"), fill)


@pytest.fixture
def tapped():
    return TapMessages()
