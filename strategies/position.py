"""What the fills of this strategy in one market add up to, exact."""

from decimal import Decimal

from market.exact import EXACT, QUOTIENT, ZERO
from market.instrument import Instrument
from protocol import Fill, PositionRow, Side


class Position:
    """Lots bought and sold, their notional in quote, and fees by asset. `net_lots` below 0 is short.

    Fees paid in base shorten the balance, not the position: it counts traded lots.
    """

    __slots__ = (
        "_bought",
        "_sold",
        "bought_lots",
        "bought_notional",
        "fees",
        "rules",
        "sold_lots",
        "sold_notional",
    )

    def __init__(self) -> None:
        self.rules: Instrument | None = None
        self.clear()

    def clear(self) -> None:
        """Flat, and nothing ever traded."""
        self.bought_lots = 0
        self.sold_lots = 0
        self.bought_notional = ZERO
        self.sold_notional = ZERO
        self.fees: dict[str, Decimal] = {}
        self._bought = 0  # ticks * lots that wait for the rules to become quote
        self._sold = 0

    @property
    def net_lots(self) -> int:
        return self.bought_lots - self.sold_lots

    @property
    def cash_flow(self) -> Decimal:
        """Quote received minus quote paid, fees apart."""
        return EXACT.subtract(self.sold_notional, self.bought_notional)

    def average_price(self, side: Side) -> Decimal:
        """The average price of all that was bought (or sold), for showing; 0 if there was nothing."""
        lots = self.bought_lots if side is Side.BUY else self.sold_lots
        notional = self.bought_notional if side is Side.BUY else self.sold_notional
        return QUOTIENT.divide(notional, self.rules.size(lots)) if self.rules and lots else ZERO

    def pnl(self, mark_ticks: int) -> Decimal:
        """What it would all come to if the net lots were closed at a mark price: quote, without fees."""
        assert self.rules is not None, "pnl is asked of a market whose rules are known"
        return EXACT.add(self.cash_flow, self.rules.notional(mark_ticks, self.net_lots))

    def apply(self, fill: Fill) -> None:
        """Count one fill."""
        if fill.side is Side.BUY:
            self.bought_lots += fill.last_lots
            self._bought += fill.last_ticks * fill.last_lots
        else:
            self.sold_lots += fill.last_lots
            self._sold += fill.last_ticks * fill.last_lots
        if fill.fee:
            self.fees[fill.fee_asset] = EXACT.add(self.fees.get(fill.fee_asset, ZERO), fill.fee)
        if self.rules is not None:
            self._settle(self.rules)

    def replace(self, row: PositionRow) -> None:
        """Take the connector's sums instead."""
        self.clear()
        self.bought_lots, self.sold_lots = row.bought_lots, row.sold_lots
        self.bought_notional, self.sold_notional = row.bought_notional, row.sold_notional
        self.fees = dict(row.fees)

    def learn(self, rules: Instrument) -> None:
        """The market's rules became known, or new."""
        self._settle(self.rules or rules)
        self.rules = rules

    def _settle(self, rules: Instrument) -> None:
        self.bought_notional = EXACT.add(self.bought_notional, rules.value(self._bought))
        self.sold_notional = EXACT.add(self.sold_notional, rules.value(self._sold))
        self._bought = self._sold = 0
