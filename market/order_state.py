"""The state of an order, and how evidence is merged into it: in any order and any number of times, to one result."""

import msgspec

from protocol import OrdStatus

OVERFILL = "overfill"
NEGATIVE = "negative quantity"
CONTRADICTED = "the exchange shows an order that was recorded as not there"
LATE_FILL = "a fill beyond the quantity with which the exchange had ended the order"


class OrderState(msgspec.Struct, frozen=True, gc=False):
    """What is known of one order; quantities in lots.

    `cum_lots`: executed, by the exchange's count or by the known fills, whichever is more. `filled_lots`: the sum of
    the known fills. `ended`: how the order ended by the exchange's report; it becomes the status once every fill is
    known.
    """

    size_lots: int
    status: OrdStatus = OrdStatus.PENDING_NEW
    cum_lots: int = 0
    filled_lots: int = 0
    seen: bool = False  # the exchange has shown that the order reached it
    doubted: bool = False  # a request may have left, and its answer did not show the result
    cancel_wanted: bool = False
    ended: OrdStatus | None = None
    forgotten: bool = False  # it has ended since the exchange no longer has it, and not by a report of its end

    @property
    def open_lots(self) -> int:
        """Lots that may still fill: all that is left, or, once ended, the fills reported but not yet known."""
        if self.status >= OrdStatus.FILLED:
            return 0
        most = self.size_lots if self.ended is None else self.cum_lots
        return most - self.filled_lots


class OrderEvidence(msgspec.Struct, frozen=True, gc=False):
    """One piece of evidence. `last_lots` > 0: a fill that was not merged before (the caller checks its trade id).

    `size_lots` > 0: the size of the order on the exchange, which an amendment may have reduced.
    """

    status: OrdStatus
    cum_lots: int = 0
    last_lots: int = 0
    size_lots: int = 0


class _Claim(msgspec.Struct, frozen=True, gc=False):
    seen: bool = False
    doubted: bool = False
    cancel_wanted: bool = False
    ends: bool = False


# What evidence of each status claims. Claims only accumulate; the status follows from all of them.
_CLAIMS = {
    OrdStatus.PENDING_NEW: _Claim(),
    OrdStatus.UNKNOWN: _Claim(doubted=True),
    OrdStatus.NEW: _Claim(seen=True),
    OrdStatus.PARTIALLY_FILLED: _Claim(seen=True),
    OrdStatus.PENDING_CANCEL: _Claim(cancel_wanted=True),
    OrdStatus.FILLED: _Claim(seen=True, ends=True),
    OrdStatus.CANCELED: _Claim(seen=True, ends=True),
    OrdStatus.EXPIRED: _Claim(seen=True, ends=True),
    OrdStatus.REJECTED: _Claim(ends=True),
    OrdStatus.NOT_PLACED: _Claim(ends=True),
}

_ABSENT = (OrdStatus.REJECTED, OrdStatus.NOT_PLACED)


def merge(state: OrderState, evidence: OrderEvidence) -> tuple[OrderState, str]:
    """(state after the evidence, finding).

    A finding is "", or the reason why the evidence is impossible (state unchanged), or that it contradicts the state
    (state changed: an order that the exchange shows exists, even if it was recorded as REJECTED or NOT_PLACED).
    """
    finding = _impossible(state, evidence)
    if finding:
        return state, finding
    claim = _CLAIMS[evidence.status]
    is_open = claim.seen and not claim.ends and not evidence.last_lots
    if state.forgotten and is_open:
        state = msgspec.structs.replace(state, forgotten=False, ended=None)
        finding = CONTRADICTED
    size = min(state.size_lots, evidence.size_lots) if evidence.size_lots else state.size_lots
    seen = state.seen or claim.seen or evidence.last_lots > 0 or evidence.cum_lots > 0
    filled = state.filled_lots + evidence.last_lots
    cum = max(state.cum_lots, evidence.cum_lots, filled)
    size = max(size, cum)
    if evidence.status is OrdStatus.FILLED:
        cum = size
    ended = state.ended
    if claim.ends and (ended is None or ended in _ABSENT):
        ended = evidence.status if evidence.status not in _ABSENT or not seen else ended
    if seen and ended in _ABSENT:
        ended, finding = None, CONTRADICTED
    elif not finding and state.status.is_final and evidence.last_lots and state.ended not in _ABSENT:
        finding = LATE_FILL
    after = OrderState(
        size_lots=size,
        cum_lots=cum,
        filled_lots=filled,
        seen=seen,
        doubted=state.doubted or claim.doubted,
        cancel_wanted=state.cancel_wanted or claim.cancel_wanted,
        ended=ended,
        forgotten=state.forgotten,
    )
    terminal = state.status.is_final and finding != CONTRADICTED
    return msgspec.structs.replace(after, status=state.status if terminal else _status(after)), finding


def forget(state: OrderState) -> OrderState:
    """Returns the state of an order that the exchange no longer has: it has ended with the fills that are known."""
    ended = state.ended if state.ended not in (None, *_ABSENT) else OrdStatus.EXPIRED
    after = msgspec.structs.replace(state, cum_lots=state.filled_lots, ended=ended, forgotten=True)
    return msgspec.structs.replace(after, status=_status(after))


def _impossible(state: OrderState, evidence: OrderEvidence) -> str:
    if evidence.cum_lots < 0 or evidence.last_lots < 0:
        return NEGATIVE
    if evidence.cum_lots > state.size_lots or state.filled_lots + evidence.last_lots > state.size_lots:
        return OVERFILL
    return ""


def _status(state: OrderState) -> OrdStatus:
    if state.filled_lots == state.size_lots:
        return OrdStatus.FILLED
    if state.ended is not None and state.filled_lots == state.cum_lots:
        return state.ended
    if not state.seen:
        return OrdStatus.UNKNOWN if state.doubted else OrdStatus.PENDING_NEW
    if state.cancel_wanted:
        return OrdStatus.PENDING_CANCEL
    return OrdStatus.PARTIALLY_FILLED if state.cum_lots else OrdStatus.NEW
