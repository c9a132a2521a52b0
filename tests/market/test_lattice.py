"""The order lattice: whatever comes in whatever order, the end is the same."""

from hypothesis import given
from hypothesis import strategies as st

from market.order_state import CONTRADICTED, LATE_FILL, NEGATIVE, OVERFILL, News, OrderState, merge
from protocol import OrdStatus

SIZE = 10


def told(*news: News, size: int = SIZE) -> OrderState:
    state = OrderState(size)
    for one in news:
        state, _ = merge(state, one)
    return state


def fill(lots: int) -> News:
    return News(OrdStatus.PARTIALLY_FILLED, last_lots=lots)


def test_an_acknowledgement_after_the_fill_does_not_bring_the_order_back():
    state = told(fill(10), News(OrdStatus.FILLED, 10), News(OrdStatus.NEW, 0))
    assert state.status is OrdStatus.FILLED
    assert state.open_lots == 0


def test_a_cancelled_order_is_not_over_while_fills_are_missing():
    state = told(News(OrdStatus.NEW), News(OrdStatus.CANCELED, 4))
    assert state.status is OrdStatus.PARTIALLY_FILLED
    assert state.open_lots == 4
    state, finding = merge(state, fill(4))
    assert (state.status, finding, state.open_lots) == (OrdStatus.CANCELED, "", 0)


def test_a_fill_after_the_end_still_counts_and_is_reported():
    state = told(News(OrdStatus.NEW), News(OrdStatus.CANCELED, 0))
    state, finding = merge(state, fill(3))
    assert finding == LATE_FILL
    assert state.status is OrdStatus.CANCELED
    assert (state.cum_lots, state.filled_lots) == (3, 3)


def test_a_wanted_cancel_shows_only_once_the_exchange_has_the_order():
    state = told(News(OrdStatus.PENDING_CANCEL))
    assert state.status is OrdStatus.PENDING_NEW
    state, _ = merge(state, News(OrdStatus.UNKNOWN))
    assert state.status is OrdStatus.UNKNOWN
    state, _ = merge(state, News(OrdStatus.NEW))
    assert state.status is OrdStatus.PENDING_CANCEL


def test_doubt_does_not_touch_what_is_known_to_be_there():
    assert told(News(OrdStatus.NEW), News(OrdStatus.UNKNOWN)).status is OrdStatus.NEW


def test_an_order_thought_absent_comes_back_when_the_exchange_shows_it():
    for absent in (OrdStatus.NOT_PLACED, OrdStatus.REJECTED):
        state = told(News(OrdStatus.UNKNOWN), News(absent))
        assert state.status is absent
        state, finding = merge(state, News(OrdStatus.NEW))
        assert finding == CONTRADICTED
        assert state.status is OrdStatus.NEW
        assert state.open_lots == SIZE


def test_what_exists_is_not_argued_away():
    state = told(News(OrdStatus.NEW), News(OrdStatus.NOT_PLACED), News(OrdStatus.REJECTED))
    assert state.status is OrdStatus.NEW


def test_nonsense_changes_nothing():
    state = told(News(OrdStatus.NEW), fill(8))
    for news, finding in (
        (fill(3), OVERFILL),
        (News(OrdStatus.PARTIALLY_FILLED, 11), OVERFILL),
        (News(OrdStatus.NEW, -1), NEGATIVE),
        (News(OrdStatus.NEW, 0, -2), NEGATIVE),
    ):
        assert merge(state, news) == (state, finding)


@st.composite
def true_histories(draw):
    """News of one order as the exchange would tell it: acknowledgement, fills (each once), end; and what we add."""
    end = draw(st.sampled_from([None, OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.FILLED]))
    sizes = draw(st.lists(st.integers(1, 4), max_size=4))
    total, fills = 0, []
    for lots in sizes:
        if total + lots <= SIZE - (end in (OrdStatus.CANCELED, OrdStatus.EXPIRED)):
            fills.append(fill(lots))
            total += lots
    if end is OrdStatus.FILLED and total < SIZE:
        fills.append(fill(SIZE - total))
        total = SIZE
    reports = [News(OrdStatus.NEW)]
    cum = 0
    for one in fills:
        cum += one.last_lots
        reports.append(News(OrdStatus.FILLED if cum == SIZE else OrdStatus.PARTIALLY_FILLED, cum))
    if end is not None:
        reports.append(News(end, total))
    if draw(st.booleans()):
        reports.append(News(OrdStatus.PENDING_CANCEL))
    if draw(st.booleans()):
        reports.append(News(OrdStatus.UNKNOWN))
    return reports, fills


@given(true_histories(), st.data())
def test_any_order_and_doubling_of_true_news_ends_the_same(history, data):
    reports, fills = history
    doubled = reports + data.draw(st.lists(st.sampled_from(reports), max_size=5))
    first = told(*data.draw(st.permutations(doubled + fills)))
    second = told(*data.draw(st.permutations(reports + fills)))
    assert first == second


@given(st.lists(st.builds(News, st.sampled_from(OrdStatus), st.integers(-1, 12), st.integers(-1, 6)), max_size=20))
def test_state_moves_only_up(news):
    state = OrderState(SIZE)
    for one in news:
        after, finding = merge(state, one)
        assert after.cum_lots >= state.cum_lots
        assert state.filled_lots <= after.filled_lots <= after.cum_lots <= SIZE
        assert 0 <= after.open_lots <= SIZE
        if state.status.is_final and finding != CONTRADICTED:
            assert after.status is state.status
        elif after.status.is_final:
            assert after.filled_lots == after.cum_lots, "it ended while fills were missing"
        state = after
