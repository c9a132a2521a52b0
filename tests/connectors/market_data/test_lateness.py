"""How late a message is, without a common clock."""

from connectors.market_data.lateness import WINDOW_NS, Lateness

SECOND_NS = 1_000_000_000


def test_clocks_that_differ_make_no_excess():
    for offset_ns in (-5 * SECOND_NS, 0, 7 * SECOND_NS):
        lateness = Lateness()
        for n in range(100):
            lateness.add(n * SECOND_NS + 3_000_000, n * SECOND_NS + offset_ns)
        assert lateness.excess_ns == 0


def test_a_message_that_waited_is_late_by_its_waiting_time():
    lateness = Lateness()
    lateness.add(10 * SECOND_NS, 10 * SECOND_NS)
    for n in range(11, 15):
        lateness.add(15 * SECOND_NS, n * SECOND_NS)
        assert lateness.excess_ns == (15 - n) * SECOND_NS
    lateness.add(15 * SECOND_NS, 15 * SECOND_NS)
    assert lateness.excess_ns == 0
    assert lateness.max_ns == 4 * SECOND_NS


def test_a_clock_that_drifts_is_followed():
    lateness = Lateness()
    for n in range(3_600):
        lateness.add(n * SECOND_NS + n * 50_000, n * SECOND_NS)
    assert lateness.excess_ns <= 2 * WINDOW_NS // SECOND_NS * 50_000


def test_an_exchange_that_sets_its_clock_is_not_late():
    lateness = Lateness()
    lateness.add(0, 0)
    for hour in (1, -1, 5):
        lateness.add(SECOND_NS, hour * 3_600 * SECOND_NS)
        assert lateness.excess_ns == 0
