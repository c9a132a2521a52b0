"""The order state: evidence in any order leads to one state."""

from hypothesis import given
from hypothesis import strategies as st

from market.order_state import CONTRADICTED, LATE_FILL, NEGATIVE, OVERFILL, OrderEvidence, OrderState, merge
from protocol import OrdStatus

SIZE = 10


def merged(*evidence: OrderEvidence, size: int = SIZE) -> OrderState:
    state = OrderState(size)
    for one in evidence:
        state, _ = merge(state, one)
    return state


def fill(lots: int) -> OrderEvidence:
    return OrderEvidence(OrdStatus.PARTIALLY_FILLED, last_lots=lots)


def test_an_acknowledgement_after_the_fill_does_not_bring_the_order_back():
    state = merged(fill(10), OrderEvidence(OrdStatus.FILLED, 10), OrderEvidence(OrdStatus.NEW, 0))
    assert state.status is OrdStatus.FILLED
    assert state.open_lots == 0


def test_a_canceled_order_has_not_ended_while_fills_are_missing():
    state = merged(OrderEvidence(OrdStatus.NEW), OrderEvidence(OrdStatus.CANCELED, 4))
    assert state.status is OrdStatus.PARTIALLY_FILLED
    assert state.open_lots == 4
    state, finding = merge(state, fill(4))
    assert (state.status, finding, state.open_lots) == (OrdStatus.CANCELED, "", 0)


def test_a_fill_after_the_end_still_counts_and_is_reported():
    state = merged(OrderEvidence(OrdStatus.NEW), OrderEvidence(OrdStatus.CANCELED, 0))
    state, finding = merge(state, fill(3))
    assert finding == LATE_FILL
    assert state.status is OrdStatus.CANCELED
    assert (state.cum_lots, state.filled_lots) == (3, 3)


def test_a_wanted_cancel_shows_only_once_the_exchange_has_the_order():
    state = merged(OrderEvidence(OrdStatus.PENDING_CANCEL))
    assert state.status is OrdStatus.PENDING_NEW
    state, _ = merge(state, OrderEvidence(OrdStatus.UNKNOWN))
    assert state.status is OrdStatus.UNKNOWN
    state, _ = merge(state, OrderEvidence(OrdStatus.NEW))
    assert state.status is OrdStatus.PENDING_CANCEL


def test_doubt_does_not_change_an_order_that_is_known_to_exist():
    assert merged(OrderEvidence(OrdStatus.NEW), OrderEvidence(OrdStatus.UNKNOWN)).status is OrdStatus.NEW


def test_an_order_thought_absent_comes_back_when_the_exchange_shows_it():
    for absent in (OrdStatus.NOT_PLACED, OrdStatus.REJECTED):
        state = merged(OrderEvidence(OrdStatus.UNKNOWN), OrderEvidence(absent))
        assert state.status is absent
        state, finding = merge(state, OrderEvidence(OrdStatus.NEW))
        assert finding == CONTRADICTED
        assert state.status is OrdStatus.NEW
        assert state.open_lots == SIZE


def test_an_order_that_the_exchange_showed_stays():
    state = merged(OrderEvidence(OrdStatus.NEW), OrderEvidence(OrdStatus.NOT_PLACED), OrderEvidence(OrdStatus.REJECTED))
    assert state.status is OrdStatus.NEW


def test_impossible_evidence_changes_nothing():
    state = merged(OrderEvidence(OrdStatus.NEW), fill(8))
    for evidence, finding in (
        (fill(3), OVERFILL),
        (OrderEvidence(OrdStatus.PARTIALLY_FILLED, 11), OVERFILL),
        (OrderEvidence(OrdStatus.NEW, -1), NEGATIVE),
        (OrderEvidence(OrdStatus.NEW, 0, -2), NEGATIVE),
    ):
        assert merge(state, evidence) == (state, finding)


@st.composite
def true_histories(draw):
    """Evidence of one order as an exchange reports it: acknowledgement, fills (each once), end; and our own."""
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
    reports = [OrderEvidence(OrdStatus.NEW)]
    cum = 0
    for one in fills:
        cum += one.last_lots
        reports.append(OrderEvidence(OrdStatus.FILLED if cum == SIZE else OrdStatus.PARTIALLY_FILLED, cum))
    if end is not None:
        reports.append(OrderEvidence(end, total))
    if draw(st.booleans()):
        reports.append(OrderEvidence(OrdStatus.PENDING_CANCEL))
    if draw(st.booleans()):
        reports.append(OrderEvidence(OrdStatus.UNKNOWN))
    return reports, fills


@given(true_histories(), st.data())
def test_true_evidence_in_any_order_and_doubled_gives_one_state(history, data):
    reports, fills = history
    doubled = reports + data.draw(st.lists(st.sampled_from(reports), max_size=5))
    first = merged(*data.draw(st.permutations(doubled + fills)))
    second = merged(*data.draw(st.permutations(reports + fills)))
    assert first == second


@given(
    st.lists(st.builds(OrderEvidence, st.sampled_from(OrdStatus), st.integers(-1, 12), st.integers(-1, 6)), max_size=20)
)
def test_state_moves_only_up(evidence):
    state = OrderState(SIZE)
    for one in evidence:
        after, finding = merge(state, one)
        assert after.cum_lots >= state.cum_lots
        assert state.filled_lots <= after.filled_lots <= after.cum_lots <= SIZE
        assert 0 <= after.open_lots <= SIZE
        if state.status.is_final and finding != CONTRADICTED:
            assert after.status is state.status
        elif after.status.is_final:
            assert after.filled_lots == after.cum_lots, "it ended while fills were missing"
        state = after
