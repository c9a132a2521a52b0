"""A position: the sums of all fills of one strategy in one market, exact."""

from decimal import Decimal

from market.exact import EXACT, QUOTIENT, ZERO
from market.instrument import Instrument
from protocol import Fill, PositionRow, Side


class Position:
    """Lots bought and sold, their notional in quote, and fees by asset. `net_lots` below 0 is short.

    Fees paid in base reduce the balance, not the position: it counts traded lots.
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

    def __init__(self, row: PositionRow | None = None) -> None:
        self.rules: Instrument | None = None
        self.clear()
        if row is not None:
            self.replace(row)

    def clear(self) -> None:
        """Set all sums to 0."""
        self.bought_lots = 0
        self.sold_lots = 0
        self.bought_notional = ZERO
        self.sold_notional = ZERO
        self.fees: dict[str, Decimal] = {}
        self._bought = 0  # ticks * lots not yet converted to quote: the rules are not known
        self._sold = 0

    @property
    def net_lots(self) -> int:
        """Lots bought minus lots sold."""
        return self.bought_lots - self.sold_lots

    @property
    def cash_flow(self) -> Decimal:
        """Quote received minus quote paid, without fees."""
        return EXACT.subtract(self.sold_notional, self.bought_notional)

    def average_price(self, side: Side) -> Decimal:
        """The average price of all lots bought (or sold), in quote, for display; 0 if there are none."""
        lots = self.bought_lots if side is Side.BUY else self.sold_lots
        notional = self.bought_notional if side is Side.BUY else self.sold_notional
        return QUOTIENT.divide(notional, self.rules.size(lots)) if self.rules and lots else ZERO

    def pnl(self, mark_ticks: int) -> Decimal:
        """Profit in quote if the net lots were closed at a mark price, without fees. The rules must be known."""
        assert self.rules is not None, "pnl needs the market's rules"
        return EXACT.add(self.cash_flow, self.rules.notional(mark_ticks, self.net_lots))

    def apply(self, fill: Fill) -> None:
        """Count one fill in ticks and lots; its notional is in quote as soon as the rules are known."""
        if fill.side is Side.BUY:
            self._bought += fill.last_ticks * fill.last_lots
        else:
            self._sold += fill.last_ticks * fill.last_lots
        self.add(fill.side, fill.last_lots, ZERO, fill.fee, fill.fee_asset)
        if self.rules is not None:
            self._convert(self.rules)

    def add(self, side: Side, lots: int, notional: Decimal, fee: Decimal, fee_asset: str) -> None:
        """Count one fill whose notional in quote is known."""
        if side is Side.BUY:
            self.bought_lots += lots
            self.bought_notional = EXACT.add(self.bought_notional, notional)
        else:
            self.sold_lots += lots
            self.sold_notional = EXACT.add(self.sold_notional, notional)
        if fee:
            self.fees[fee_asset] = EXACT.add(self.fees.get(fee_asset, ZERO), fee)

    def replace(self, row: PositionRow) -> None:
        """Use the sums of a connector instead."""
        self.clear()
        self.bought_lots, self.sold_lots = row.bought_lots, row.sold_lots
        self.bought_notional, self.sold_notional = row.bought_notional, row.sold_notional
        self.fees = dict(row.fees)

    def row(self, symbol: str) -> PositionRow:
        """The sums as a message; fees in the order of their assets."""
        fees = sorted(self.fees.items())
        return PositionRow(symbol, self.bought_lots, self.sold_lots, self.bought_notional, self.sold_notional, fees)

    def set_rules(self, rules: Instrument) -> None:
        """The market's rules are known, or have changed: later fills are converted by them."""
        self._convert(self.rules or rules)
        self.rules = rules

    def _convert(self, rules: Instrument) -> None:
        self.bought_notional = EXACT.add(self.bought_notional, rules.value(self._bought))
        self.sold_notional = EXACT.add(self.sold_notional, rules.value(self._sold))
        self._bought = self._sold = 0
