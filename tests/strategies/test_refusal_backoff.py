"""RefusalBackoff: pauses grow while orders are refused, once for each pause, and end with an order that is accepted."""

import pytest

from protocol import OrdStatus, OrdType, RefusalCode, Side
from strategies.order import Order
from strategies.refusal_backoff import RefusalBackoff

SECOND_NS = 1_000_000_000


def order(status, refusal=RefusalCode.OTHER, reported=True):
    made = Order(1, "BTC-USDT", Side.BUY, OrdType.LIMIT, 100, 10, 0, 0)
    made.status, made.refusal, made.reported, made.reason = status, refusal, reported, "no"
    return made


@pytest.fixture
def backoff():
    return RefusalBackoff(first_ms=1_000, cap_ms=8_000)


def test_pauses_double_up_to_the_cap(backoff):
    now_ns, pauses = 0, []
    for _ in range(6):
        backoff.note(order(OrdStatus.REJECTED), now_ns)
        pauses.append(backoff.wait_ns(now_ns) // SECOND_NS)
        now_ns += backoff.wait_ns(now_ns)
    assert pauses == [1, 2, 4, 8, 8, 8]
    assert backoff.reason == "no"


def test_orders_that_are_refused_within_a_pause_count_once(backoff):
    for _ in range(5):
        backoff.note(order(OrdStatus.NOT_PLACED), 0)
    assert backoff.wait_ns(0) == SECOND_NS


def test_an_accepted_order_ends_the_pauses(backoff):
    backoff.note(order(OrdStatus.REJECTED), 0)
    backoff.note(order(OrdStatus.NEW), 1)
    assert (backoff.wait_ns(1), backoff.reason) == (0, "")
    backoff.note(order(OrdStatus.REJECTED), 1)
    assert backoff.wait_ns(1) == SECOND_NS


def test_an_order_that_would_have_traded_at_once_is_no_reason_for_longer_pauses(backoff):
    for n in range(5):
        backoff.note(order(OrdStatus.REJECTED, RefusalCode.WOULD_TAKE), n * SECOND_NS)
        assert backoff.wait_ns(n * SECOND_NS) == SECOND_NS
    assert backoff.reason == ""
