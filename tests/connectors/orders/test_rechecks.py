"""Which requests a recheck sends, when, and how much evidence makes an order absent."""

from connectors.core.records import NewOrderRecord
from connectors.orders.rechecks import RecheckKind, Rechecks
from connectors.orders.tracked_order import TrackedOrder
from market.order_state import OrderEvidence, merge
from protocol import OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce
from tests.connectors.parts import MARGIN_NS, SECOND_NS, FakeEffects


def order(*evidence: OrderEvidence) -> TrackedOrder:
    made = TrackedOrder(
        NewOrderRecord(
            1, "t-1", "m", 1, "BTC-USDT", Side.BUY, OrdType.LIMIT, TimeInForce.GTC, SelfTradePrevention.NONE, 100, 10,
            0, 5 * SECOND_NS,
        )
    )  # fmt: skip
    for one in evidence:
        made.state, _ = merge(made.state, one)
    return made


def rechecks() -> Rechecks:
    return Rechecks(FakeEffects(), MARGIN_NS, lambda recheck: True)


def sent_at(waiting: Rechecks, kind: RecheckKind, until_s: int) -> list[int]:
    """The seconds at which `kind` is sent, if no answer ends it."""
    found = []
    for now_ns in range(0, until_s * SECOND_NS, SECOND_NS // 4):
        for recheck in waiting.due(now_ns):
            if recheck.kind is kind:
                found.append(now_ns // SECOND_NS)
            waiting.on_sent(recheck, now_ns)
            waiting.on_answer(recheck.cl_ord_id, recheck.kind, False)
    return found


def test_an_unknown_order_is_queried_at_one_two_four_eight_seconds():
    waiting = rechecks()
    waiting.follow(order(OrderEvidence(OrdStatus.UNKNOWN)), 0)
    assert sent_at(waiting, RecheckKind.QUERY, 40) == [1, 2, 4, 8, 16, 24, 32]


def test_a_wanted_cancel_is_sent_at_once_and_then_every_five_seconds():
    waiting = rechecks()
    waiting.follow(order(OrderEvidence(OrdStatus.NEW), OrderEvidence(OrdStatus.PENDING_CANCEL)), 0)
    assert sent_at(waiting, RecheckKind.CANCEL, 20) == [0, 1, 3, 7, 12, 17]


def test_an_order_that_waits_for_its_answer_needs_no_recheck():
    waiting = rechecks()
    waiting.follow(order(OrderEvidence(OrdStatus.PENDING_CANCEL)), 0)
    assert waiting.pending == {}


def test_a_query_is_not_repeated_while_its_answer_is_on_the_way():
    waiting = rechecks()
    waiting.follow(order(OrderEvidence(OrdStatus.UNKNOWN)), 0)
    (recheck,) = waiting.due(SECOND_NS)
    waiting.on_sent(recheck, SECOND_NS)
    assert waiting.due(100 * SECOND_NS) == []
    waiting.on_answer("t-1", RecheckKind.QUERY, True)
    assert waiting.pending == {}


def test_missing_fills_are_requested_also_after_the_end():
    waiting = rechecks()
    ended = order(OrderEvidence(OrdStatus.CANCELED, 0))
    waiting.follow(ended, 0)
    assert waiting.pending == {}
    ended.state, _ = merge(ended.state, OrderEvidence(OrdStatus.CANCELED, 3))
    waiting.follow(ended, 0)
    assert [kind for _, kind in waiting.pending] == [RecheckKind.FILLS]
    ended.state, _ = merge(ended.state, OrderEvidence(OrdStatus.PARTIALLY_FILLED, last_lots=3))
    waiting.follow(ended, 0)
    assert waiting.pending == {}


def test_not_found_counts_three_times_and_only_late_enough():
    waiting = rechecks()
    lost = order(OrderEvidence(OrdStatus.UNKNOWN))
    late_ns = 75 * SECOND_NS
    for _ in range(10):
        assert waiting.not_found(lost, late_ns) == ""
    assert waiting.not_found(lost, late_ns + 1) == ""
    assert waiting.not_found(lost, late_ns + 2) == ""
    assert "not found 3 times" in waiting.not_found(lost, late_ns + 3)


def test_an_order_that_was_seen_must_be_missing_for_longer_after_its_last_report():
    waiting = rechecks()
    seen = order(OrderEvidence(OrdStatus.NEW))
    seen.updated_ns = 900 * SECOND_NS
    assert [waiting.not_found(seen, 970 * SECOND_NS) for _ in range(9)] == [""] * 9
    assert [bool(waiting.not_found(seen, 971 * SECOND_NS)) for _ in range(3)] == [False, False, True]


def test_cancels_come_before_queries():
    waiting = rechecks()
    waiting.schedule("a", RecheckKind.QUERY, 0)
    waiting.schedule("b", RecheckKind.CANCEL, 1)
    assert [recheck.cl_ord_id for recheck in waiting.due(SECOND_NS)] == ["b", "a"]


def test_what_is_due_is_sent_right_after_the_event_and_stops_at_the_first_refusal():
    fx, sent = FakeEffects(), []

    def send(recheck):
        sent.append(recheck.cl_ord_id)
        return len(sent) < 2

    waiting = Rechecks(fx, MARGIN_NS, send)
    for name in ("a", "b", "c"):
        waiting.schedule(name, RecheckKind.QUERY, 0)
    waiting.wake()
    waiting.wake()
    assert sent == []
    fx.run(0)
    assert sent == ["a", "b"]
    waiting.wake()
    fx.run(0)
    assert sent == ["a", "b", "a"], "it can be woken again"
