"""The risk check: each limit stops exactly what is over it, and unknown inputs stop everything."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.core.market_api import BookView
from connectors.orders.order_store import Exposure
from connectors.orders.risk_gate import Limits, RiskGate
from market.instrument import Instrument
from protocol import OrdType, PlaceOrder, RefusalCode, Side, StreamState

SYMBOL = "BTC-USDT"
MS_NS = 1_000_000
RULES = Instrument(SYMBOL, "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), min_notional=Decimal(5))
LIMITS = Limits(
    max_order_notional=Decimal(10_000),
    max_position=Decimal("1.0"),
    max_open_orders=3,
    max_orders_per_s=4,
    price_collar_bps=100,
    max_book_age_ms=1_000,
    duplicate_ms=50,
)
BOOK = BookView(StreamState.LIVE, 4_999_900, 5_000_100, 7, 0)


def order(side=Side.BUY, price_ticks=5_000_000, size_lots=100, **changes) -> PlaceOrder:
    return PlaceOrder(1, 0, SYMBOL, side, price_ticks, size_lots, **changes)


def refusal(gate: RiskGate, what: PlaceOrder, book=BOOK, exposure=None, now_ns: int = 0, rules=RULES) -> str:
    return gate.refusal(what, "maker", rules, book, exposure or Exposure(), now_ns)


@pytest.fixture
def gate() -> RiskGate:
    return RiskGate({SYMBOL: LIMITS})


CAUSES = [  # (the order, what else differs, its code)
    (order(size_lots=0), {}, RefusalCode.NEVER),
    (order(price_ticks=0), {}, RefusalCode.NEVER),
    (
        order(size_lots=1, price_ticks=4_999_999),
        {"rules": msgspec.structs.replace(RULES, min_size_lots=2)},
        RefusalCode.NEVER,
    ),
    (order(), {"rules": None}, RefusalCode.NEVER),
    (order(size_lots=201), {}, RefusalCode.LIMIT),
    (order(price_ticks=5_050_001), {}, RefusalCode.LIMIT),
    (order(book_age_ns=1_001 * MS_NS), {}, RefusalCode.LATER),
    (order(), {"book": None}, RefusalCode.LATER),
    (order(), {"held": 950}, RefusalCode.LIMIT),
    (order(), {"count": 3}, RefusalCode.LIMIT),
]


@pytest.mark.parametrize(("what", "changed", "code"), CAUSES)
def test_a_refusal_has_a_code_that_shows_whether_the_same_order_can_ever_pass(gate, what, changed, code):
    held, count = changed.get("held", 0), changed.get("count", 0)
    others = {name: value for name, value in changed.items() if name in ("rules", "book")}
    assert refusal(gate, what, exposure=exposed(held, count=count), **others).code is code
    assert refusal(gate, order()).code is RefusalCode.NONE


def test_a_repeated_order_and_a_fast_one_have_codes_of_their_own(gate):
    gate.record_passed(order(), "maker", 0)
    assert refusal(gate, order(), now_ns=1).code is RefusalCode.REPEATED
    for number in range(1, 4):
        gate.record_passed(order(price_ticks=5_000_000 + number), "maker", 0)
    assert refusal(gate, order(price_ticks=4_990_000), now_ns=1).code is RefusalCode.LATER


def exposed(net=0, buy=0, sell=0, count=0) -> Exposure:
    exposure = Exposure()
    exposure.add_held(net * RULES.lot_size, RULES.lot_size)
    exposure.buy_lots, exposure.sell_lots, exposure.count = buy, sell, count
    return exposure


def test_a_good_order_passes(gate):
    assert refusal(gate, order()) == ""
    assert gate.refused == 0


def test_a_market_without_limits_or_rules_is_not_traded(gate):
    assert "no limits" in refusal(RiskGate({}), order())
    assert "no limits" in refusal(gate, order(), rules=None)


@pytest.mark.parametrize("field", Limits.__struct_fields__)
def test_no_limit_can_be_left_out(field):
    table = {name: str(getattr(LIMITS, name)) for name in Limits.__struct_fields__ if name != field}
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(table, Limits, strict=False)


def test_notional(gate):
    assert refusal(gate, order(size_lots=200)) == ""
    assert "max_order_notional" in refusal(gate, order(size_lots=201))


def test_a_market_order_is_checked_by_the_worst_price_that_the_collar_allows(gate):
    market = OrdType.MARKET
    assert refusal(gate, order(price_ticks=0, size_lots=197, ord_type=market)) == ""
    assert "max_order_notional" in refusal(gate, order(price_ticks=0, size_lots=199, ord_type=market))


@pytest.mark.parametrize(
    ("side", "exposure", "passes"),
    [
        (Side.BUY, exposed(net=800, buy=100), True),
        (Side.BUY, exposed(net=800, buy=101), False),
        (Side.BUY, exposed(net=800, sell=900, buy=101), False),
        (Side.BUY, exposed(net=-900, buy=1_800), True),
        (Side.SELL, exposed(net=-800, sell=100), True),
        (Side.SELL, exposed(net=-800, sell=101), False),
        (Side.SELL, exposed(net=900), True),
    ],
)
def test_worst_case_position(gate, side, exposure, passes):
    reason = refusal(gate, order(side), exposure=exposure)
    assert (reason == "") == passes
    assert passes or "max_position" in reason


def test_open_orders(gate):
    assert refusal(gate, order(), exposure=exposed(count=2)) == ""
    assert "max_open_orders" in refusal(gate, order(), exposure=exposed(count=3))


def test_the_collar_holds_on_both_sides(gate):
    assert refusal(gate, order(price_ticks=5_050_000)) == ""
    assert "mid price" in refusal(gate, order(price_ticks=5_050_001))
    assert refusal(gate, order(Side.SELL, 4_950_000)) == ""
    assert "mid price" in refusal(gate, order(Side.SELL, 4_949_999))


@pytest.mark.parametrize(
    "book",
    [
        None,
        BookView(StreamState.STALE, 4_999_900, 5_000_100, 7, 0),
        BookView(StreamState.LIVE, 0, 5_000_100, 7, 0),
        BookView(StreamState.LIVE, 4_999_900, 0, 7, 0),
        BookView(StreamState.LIVE, 5_000_100, 4_999_900, 7, 0),
        BookView(StreamState.LIVE, 4_999_900, 5_000_100, 7, 1_001 * MS_NS),
    ],
)
def test_a_book_that_is_not_known_to_be_right_stops_everything(gate, book):
    assert "book" in refusal(gate, order(), book=book)


def test_the_age_of_the_book_that_the_decision_was_made_on_counts(gate):
    assert refusal(gate, order(book_age_ns=1_000 * MS_NS)) == ""
    assert "old" in refusal(gate, order(book_age_ns=1_001 * MS_NS))


def test_the_pace_is_counted_over_a_sliding_second(gate):
    for number in range(4):
        assert refusal(gate, order(price_ticks=5_000_000 + number), now_ns=number) == ""
        gate.record_passed(order(price_ticks=5_000_000 + number), "maker", number)
    assert "max_orders_per_s" in refusal(gate, order(price_ticks=4_990_000), now_ns=999_999_999)
    assert refusal(gate, order(price_ticks=4_990_000), now_ns=1_000_000_000) == ""


def test_the_same_order_again_at_once_is_a_bug_somewhere(gate):
    gate.record_passed(order(), "maker", 0)
    assert "the same order" in refusal(gate, order(), now_ns=49 * MS_NS)
    assert refusal(gate, order(price_ticks=5_000_001), now_ns=49 * MS_NS) == ""
    assert refusal(gate, order(), now_ns=50 * MS_NS) == ""


def test_rules_of_the_exchange_are_checked_before_it_has_to(gate):
    strict = msgspec.structs.replace(RULES, min_notional=Decimal(100))
    assert "NOTIONAL" in refusal(gate, order(size_lots=1), rules=strict)
    assert "size_lots" in refusal(gate, order(size_lots=0))
    assert "price_ticks" in refusal(gate, order(price_ticks=0))


@given(st.data())
def test_the_short_check_accepts_only_what_the_long_one_accepts(data):
    """Near every limit at once, on both sides of it."""
    near = lambda *middles: data.draw(st.sampled_from(middles)) + data.draw(st.integers(-2, 2))  # noqa: E731
    bid_ticks = near(5_000_000, 2**40, 3)
    book = BookView(
        data.draw(st.sampled_from([StreamState.LIVE, StreamState.POLLING, StreamState.STALE])), bid_ticks,
        bid_ticks + near(3), 7, near(0, 1_000 * MS_NS),
    )  # fmt: skip
    price = near(bid_ticks, bid_ticks * 101 // 100, bid_ticks * 99 // 100, 2**53)
    what = order(
        data.draw(st.sampled_from(list(Side))), price, near(0, 1, 200, 1_000, 10**12, 2**53),
        ord_type=data.draw(st.sampled_from(list(OrdType))), book_age_ns=near(0, 1_000 * MS_NS, 2**63),
    )  # fmt: skip
    exposure = exposed(near(0, 900), max(0, near(0, 500)), max(0, near(0, 500)), max(0, near(0, 3)))
    quick, slow = RiskGate({SYMBOL: LIMITS}), Slow({SYMBOL: LIMITS})
    for now_ns in (0, data.draw(st.integers(0, 60)) * MS_NS):
        answer = refusal(slow, what, book, exposure, now_ns)
        assert refusal(quick, what, book, exposure, now_ns) == answer
        if not answer:
            quick.record_passed(what, "maker", now_ns)
            slow.record_passed(what, "maker", now_ns)


class Slow(RiskGate):
    """The long check alone."""

    def _passes(self, *_) -> bool:
        return False
