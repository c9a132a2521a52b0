"""What is asked of the exchange, how often, and what it takes to believe that an order is not there."""

from connectors.core.records import Intent
from connectors.orders.order import Order
from connectors.orders.rechecks import Ask, Resolver
from market.order_state import News, merge
from protocol import OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce

SECOND_NS = 1_000_000_000
MARGIN_NS = 70 * SECOND_NS


def order(*news: News) -> Order:
    made = Order(
        Intent(
            1, "t-1", "m", 1, "BTC-USDT", Side.BUY, OrdType.LIMIT, TimeInForce.GTC, SelfTradePrevention.NONE, 100, 10,
            0, 5 * SECOND_NS,
        )
    )  # fmt: skip
    for one in news:
        made.state, _ = merge(made.state, one)
    return made


def asked_at(resolver: Resolver, ask: Ask, until_s: int) -> list[int]:
    """The seconds at which `ask` is sent, if it is never answered well."""
    found = []
    for now_ns in range(0, until_s * SECOND_NS, SECOND_NS // 4):
        for chase in resolver.due(now_ns):
            if chase.ask is ask:
                found.append(now_ns // SECOND_NS)
            resolver.sent(chase, now_ns)
            resolver.answered(chase.cl_ord_id, chase.ask, False)
    return found


def test_an_unknown_order_is_asked_about_at_one_two_four_eight_seconds():
    resolver = Resolver(MARGIN_NS)
    resolver.follow(order(News(OrdStatus.UNKNOWN)), 0)
    assert asked_at(resolver, Ask.QUERY, 40) == [1, 2, 4, 8, 16, 24, 32]


def test_a_wanted_cancel_is_sent_at_once_and_then_every_five_seconds():
    resolver = Resolver(MARGIN_NS)
    resolver.follow(order(News(OrdStatus.NEW), News(OrdStatus.PENDING_CANCEL)), 0)
    assert asked_at(resolver, Ask.CANCEL, 20) == [0, 1, 3, 7, 12, 17]


def test_nothing_is_asked_about_an_order_that_waits_for_its_answer():
    resolver = Resolver(MARGIN_NS)
    resolver.follow(order(News(OrdStatus.PENDING_CANCEL)), 0)
    assert resolver.chases == {}


def test_a_question_is_not_sent_again_while_its_answer_is_on_the_way():
    resolver = Resolver(MARGIN_NS)
    resolver.follow(order(News(OrdStatus.UNKNOWN)), 0)
    (chase,) = resolver.due(SECOND_NS)
    resolver.sent(chase, SECOND_NS)
    assert resolver.due(100 * SECOND_NS) == []
    resolver.answered("t-1", Ask.QUERY, True)
    assert resolver.chases == {}


def test_missing_fills_are_asked_for_also_after_the_end():
    resolver = Resolver(MARGIN_NS)
    ended = order(News(OrdStatus.CANCELED, 0))
    resolver.follow(ended, 0)
    assert resolver.chases == {}
    ended.state, _ = merge(ended.state, News(OrdStatus.CANCELED, 3))
    resolver.follow(ended, 0)
    assert [ask for _, ask in resolver.chases] == [Ask.FILLS]
    ended.state, _ = merge(ended.state, News(OrdStatus.PARTIALLY_FILLED, last_lots=3))
    resolver.follow(ended, 0)
    assert resolver.chases == {}


def test_not_found_counts_three_times_and_only_late_enough():
    resolver = Resolver(MARGIN_NS)
    lost = order(News(OrdStatus.UNKNOWN))
    late_ns = 75 * SECOND_NS
    for _ in range(10):
        assert resolver.not_found(lost, late_ns) == ""
    assert resolver.not_found(lost, late_ns + 1) == ""
    assert resolver.not_found(lost, late_ns + 2) == ""
    assert "not found 3 times" in resolver.not_found(lost, late_ns + 3)


def test_an_order_that_was_seen_is_never_given_up_for_not_being_found():
    resolver = Resolver(MARGIN_NS)
    seen = order(News(OrdStatus.NEW))
    assert [resolver.not_found(seen, 1_000 * SECOND_NS) for _ in range(9)] == [""] * 9


def test_cancels_come_before_questions():
    resolver = Resolver(MARGIN_NS)
    resolver.want("a", Ask.QUERY, 0)
    resolver.want("b", Ask.CANCEL, 1)
    assert [chase.cl_ord_id for chase in resolver.due(SECOND_NS)] == ["b", "a"]
