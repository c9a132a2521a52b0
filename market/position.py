"""A position in one instrument by the average-cost method, exact."""

from decimal import Decimal

from market.exact import EXACT, QUOTIENT, ZERO
from market.instrument import Instrument

COST_DIGITS = 30  # decimal places that a partial close's share of the cost is rounded to


class Position:
    """Lots held (negative: short), what they cost, and what was realized, all in quote.

    `cost` is what the open lots were bought for, or minus what they were sold for. A close takes its share
    of it; where the share has no end in decimals it is rounded at 30 places, and the same number goes off
    the cost and into `realized_pnl`, so nothing is lost: at every mark, realized + unrealized == cash_flow
    + value, exactly. A position of 0 lots has a cost of exactly 0. Fees are kept apart, by asset. Fees paid
    in base shorten the balance, not the position: it counts traded lots.
    """

    __slots__ = ("cash_flow", "cost", "fees", "instrument", "realized_pnl", "size_lots", "traded_lots")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.size_lots = 0
        self.cost = ZERO
        self.cash_flow = ZERO  # quote received minus quote paid, fees apart
        self.realized_pnl = ZERO  # without fees
        self.fees: dict[str, Decimal] = {}  # paid, by asset; negative: a rebate
        self.traded_lots = 0

    @property
    def average_cost(self) -> Decimal:
        """The average price of the open lots, to 60 digits; 0 if there are none. To be shown, not summed."""
        if not self.size_lots:
            return ZERO
        return QUOTIENT.divide(self.cost, self.instrument.size(self.size_lots))

    def apply(self, side: int, price_ticks: int, size_lots: int) -> Decimal:
        """Take a trade of size_lots on a side (protocol.Side) at a price; what it realized, in quote."""
        if side not in (1, 2) or price_ticks < 0 or size_lots < 1:
            raise ValueError(f"no trade: side {side}, price {price_ticks} ticks, size {size_lots} lots")
        sign = 1 if side == 1 else -1
        self.traded_lots += size_lots
        closing = min(size_lots, max(-sign * self.size_lots, 0))
        realized = self._close(sign, price_ticks, closing) if closing else ZERO
        opening = size_lots - closing
        self.cost = EXACT.add(self.cost, self.instrument.notional(price_ticks, sign * opening))
        self.size_lots += sign * opening
        paid = self.instrument.notional(price_ticks, sign * size_lots)
        self.cash_flow = EXACT.subtract(self.cash_flow, paid)
        self.realized_pnl = EXACT.add(self.realized_pnl, realized)
        return realized

    def add_fee(self, asset: str, fee: Decimal) -> None:
        """Note a fee paid (negative: a rebate)."""
        self.fees[asset] = EXACT.add(self.fees.get(asset, ZERO), fee)

    def value(self, mark_ticks: int) -> Decimal:
        """What the open lots are worth at a mark price; negative for a short."""
        return self.instrument.notional(mark_ticks, self.size_lots)

    def unrealized_pnl(self, mark_ticks: int) -> Decimal:
        """What closing at a mark price would realize, without fees."""
        return EXACT.subtract(self.value(mark_ticks), self.cost)

    def pnl(self, mark_ticks: int) -> Decimal:
        """Realized and unrealized together, without fees: cash_flow + value."""
        return EXACT.add(self.realized_pnl, self.unrealized_pnl(mark_ticks))

    def _close(self, sign: int, price_ticks: int, closing: int) -> Decimal:
        """Close `closing` lots of the opposite sign: take their share off the cost; what that realizes."""
        if closing == abs(self.size_lots):
            share = self.cost
        else:
            share = QUOTIENT.divide(EXACT.multiply(self.cost, Decimal(closing)), Decimal(abs(self.size_lots)))
            share = round_cost(share)
        self.cost = EXACT.subtract(self.cost, share)
        self.size_lots += sign * closing
        return EXACT.subtract(self.instrument.notional(price_ticks, -sign * closing), share)


def round_cost(share: Decimal) -> Decimal:
    """Round to COST_DIGITS places, so that sums of shares stay short; shorter numbers stay as they are."""
    exponent = share.as_tuple().exponent
    assert isinstance(exponent, int)  # finite
    if -exponent <= COST_DIGITS:
        return share
    return share.quantize(Decimal(1).scaleb(-COST_DIGITS), context=QUOTIENT)
