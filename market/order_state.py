"""The order state lattice: news about an order is merged in any order, any number of times, to one same end."""

import msgspec

from protocol import OrdStatus

OVERFILL = "overfill"
NEGATIVE = "negative quantity"
CONTRADICTED = "the exchange shows an order that it said, or time had proven, not to be there"
LATE_FILL = "a fill beyond the quantity that the exchange had ended the order with"


class OrderState(msgspec.Struct, frozen=True, gc=False):
    """What is known of one order; quantities in lots.

    `cum_lots`: executed, by the exchange's count or by the fills known, whichever is more. `filled_lots`: sum of the
    fills known. `ended`: how the exchange says the order ended; it is the status only once every fill is known.
    """

    size_lots: int
    status: OrdStatus = OrdStatus.PENDING_NEW
    cum_lots: int = 0
    filled_lots: int = 0
    seen: bool = False  # the exchange has shown that the order reached it
    doubted: bool = False  # a request may have left, and its answer told nothing
    cancel_wanted: bool = False
    ended: OrdStatus | None = None

    @property
    def open_lots(self) -> int:
        """What fills may still come to: all that is left, or, once ended, the fills reported but not yet known."""
        if self.status.is_final:
            return 0
        most = self.size_lots if self.ended is None else self.cum_lots
        return most - self.filled_lots


class News(msgspec.Struct, frozen=True, gc=False):
    """One piece of evidence. `last_lots` > 0: a fill that was not merged before (the caller knows its trade id)."""

    status: OrdStatus
    cum_lots: int = 0
    last_lots: int = 0


class _Claim(msgspec.Struct, frozen=True, gc=False):
    seen: bool = False
    doubted: bool = False
    cancel_wanted: bool = False
    ends: bool = False


# What news of each status claims. Claims are only ever added up; the status follows from their sum.
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


def merge(state: OrderState, news: News) -> tuple[OrderState, str]:
    """(state after the news, finding). A finding is "" or says why the news is not believed (state unchanged) or
    contradicts what was believed (state changed: what exists outranks what was thought absent)."""
    finding = _nonsense(state, news)
    if finding:
        return state, finding
    claim = _CLAIMS[news.status]
    seen = state.seen or claim.seen or news.last_lots > 0 or news.cum_lots > 0
    filled = state.filled_lots + news.last_lots
    cum = max(state.cum_lots, news.cum_lots, filled)
    if news.status is OrdStatus.FILLED:
        cum = state.size_lots
    ended = state.ended
    if claim.ends and (ended is None or ended in _ABSENT):
        ended = news.status if news.status not in _ABSENT or not seen else ended
    if seen and ended in _ABSENT:
        ended, finding = None, CONTRADICTED
    elif state.status.is_final and news.last_lots and state.ended not in _ABSENT:
        finding = LATE_FILL
    after = OrderState(
        size_lots=state.size_lots,
        cum_lots=cum,
        filled_lots=filled,
        seen=seen,
        doubted=state.doubted or claim.doubted,
        cancel_wanted=state.cancel_wanted or claim.cancel_wanted,
        ended=ended,
    )
    terminal = state.status.is_final and finding != CONTRADICTED
    return msgspec.structs.replace(after, status=state.status if terminal else _status(after)), finding


def _nonsense(state: OrderState, news: News) -> str:
    if news.cum_lots < 0 or news.last_lots < 0:
        return NEGATIVE
    if news.cum_lots > state.size_lots or state.filled_lots + news.last_lots > state.size_lots:
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
