"""A position: the sums of all fills of one strategy in one market, exact, and the cost of what is held."""

from decimal import Decimal

from market.exact import EXACT, QUOTIENT, ZERO
from market.instrument import Instrument, Rounding
from market.scale import Scale, multiplied, scale_of_message
from protocol import Fill, PositionRow, Side

COST_STEP = Decimal("1E-18")  # of quote: a part of a cost is rounded to it, and the rest stays exact


class Position:
    """What was traded (`net_lots`, below 0 is short), and what is held of it (`held`, in base).

    The two differ by the commissions in base: 1 BTC bought for a fee of 0.001 BTC is 1 BTC traded and 0.999 BTC held.
    Only what is held can be sold.

    `cost` is the quote paid for what is held, with commissions in base and quote, by the method of the running average
    (below 0: the quote received for what is short). `is_estimated`: fills before the journal counted costs are
    included, and what is held since was assumed to have cost the average of all purchases; exact again once flat.
    """

    __slots__ = (
        "_lacks_cost",
        "_pending",
        "base",
        "bought_lots",
        "bought_notional",
        "cost",
        "fees",
        "held",
        "is_estimated",
        "quote",
        "rules",
        "scale",
        "sold_lots",
        "sold_notional",
        "symbol",
    )

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.base, _, self.quote = symbol.partition("-")
        self.rules: Instrument | None = None
        self.scale: Scale | None = None  # of the lots, and of fills; None before it is known
        self.clear()

    @classmethod
    def from_row(cls, row: PositionRow, lot_size: Decimal) -> "Position":
        """The position of a connector's sums; `lot_size` converts a row that lacks what is held."""
        position = cls(row.symbol)
        position.replace(row)
        if position._lacks_cost:
            position._estimate(lot_size)
        return position

    def clear(self) -> None:
        """Set all sums to 0."""
        self.bought_lots = 0
        self.sold_lots = 0
        self.bought_notional = ZERO
        self.sold_notional = ZERO
        self.fees: dict[str, Decimal] = {}
        self.held = ZERO
        self.cost = ZERO
        self.is_estimated = False
        self._lacks_cost = False
        self._pending: list[Fill] = []  # their notional is not known before the rules; the open orders bound them

    # -- what was traded ------------------------------------------------------------------------------

    @property
    def net_lots(self) -> int:
        """Lots bought minus lots sold, as traded: commissions in base are not subtracted."""
        return self.bought_lots - self.sold_lots

    @property
    def cash_flow(self) -> Decimal:
        """Quote received minus quote paid, without fees."""
        return EXACT.subtract(self.sold_notional, self.bought_notional)

    @property
    def other_fees(self) -> dict[str, Decimal]:
        """The fees in assets that are neither base nor quote, by asset. No profit of this class includes them."""
        return {asset: fee for asset, fee in self.fees.items() if asset not in (self.base, self.quote)}

    # -- what is held ---------------------------------------------------------------------------------

    @property
    def held_lots(self) -> int:
        """What is held in lots, rounded towards 0 to the exchange's lot_size. 0 before the rules."""
        rules = self.rules
        return int(EXACT.divide_int(self.held, rules.lot_size)) * rules.size_step if rules is not None else 0

    @property
    def average_cost(self) -> Decimal:
        """The price in quote at which what is held would be sold without profit or loss, for display; 0 if flat."""
        return QUOTIENT.divide(self.cost, self.held) if self.held else ZERO

    @property
    def average_cost_ticks(self) -> int:
        """`average_cost` in ticks, rounded to the side of a profit: up if long, down if short. 0 before the rules."""
        if self.rules is None or not self.held:
            return 0
        return self.rules.price_ticks(self.average_cost, Rounding.UP if self.held > 0 else Rounding.DOWN)

    @property
    def realized_pnl(self) -> Decimal:
        """Profit in quote of all that was closed, net of commissions in base and quote."""
        return EXACT.add(EXACT.subtract(self.cash_flow, self.fees.get(self.quote, ZERO)), self.cost)

    def unrealized_pnl(self, mark_ticks: int) -> Decimal:
        """Profit in quote if what is held were closed at a mark price without a fee. The rules must be known."""
        assert self.rules is not None, "a profit at a mark price needs the market's rules"
        return EXACT.subtract(EXACT.multiply(self.held, self.rules.price(mark_ticks)), self.cost)

    def pnl(self, mark_ticks: int) -> Decimal:
        """Realized and unrealized profit in quote, net of commissions in base and quote. The rules must be known."""
        return EXACT.add(self.realized_pnl, self.unrealized_pnl(mark_ticks))

    # -- updates --------------------------------------------------------------------------------------

    def apply(self, fill: Fill) -> None:
        """Count one fill in ticks and lots; its money is counted as soon as the rules are known."""
        self._count_lots(fill.side, fill.last_lots)
        scale = scale_of_message(fill) or (self.rules.scale if self.rules is not None else None)
        if scale is None:
            self._pending.append(fill)
        else:
            self._count_fill(fill, scale)

    def add(self, side: Side, lots: int, size: Decimal, notional: Decimal, fee: Decimal, fee_asset: str) -> None:
        """Count one fill whose size in base and notional in quote are known."""
        self._count_lots(side, lots)
        self._count_money(side, size, notional, fee, fee_asset)

    def replace(self, row: PositionRow) -> None:
        """Use the sums of a connector instead."""
        self.clear()
        self.bought_lots, self.sold_lots = row.bought_lots, row.sold_lots
        self.bought_notional, self.sold_notional = row.bought_notional, row.sold_notional
        self.fees = dict(row.fees)
        self.is_estimated = row.is_estimated
        if row.held is not None and row.cost is not None:
            self.held, self.cost = row.held, row.cost
        else:
            self._lacks_cost = True
            if self.rules is not None:
                self._estimate(self.rules.scale.lot)

    def row(self, tag: str = "") -> PositionRow:
        """The sums as a message; fees in the order of their assets."""
        scale = self.scale
        price_digits, size_digits = (-1, -1) if scale is None else (scale.price_digits, scale.size_digits)
        return PositionRow(
            self.symbol,
            self.bought_lots,
            self.sold_lots,
            self.bought_notional,
            self.sold_notional,
            sorted(self.fees.items()),
            tag,
            self.held,
            self.cost,
            self.is_estimated,
            price_digits,
            size_digits,
        )

    def multiply(self, price_factor: int, size_factor: int, scale: Scale) -> None:
        """Count in `scale` from now on, whose ticks and lots are smaller by these factors."""
        self.bought_lots *= size_factor
        self.sold_lots *= size_factor
        self._pending = [multiplied(fill, price_factor, size_factor, scale) for fill in self._pending]
        self.scale = scale

    def set_rules(self, rules: Instrument) -> None:
        """The market's rules are known, or have changed: later fills are converted by them."""
        if self._lacks_cost:
            self._estimate(rules.scale.lot)
        pending, self._pending = self._pending, []
        for fill in pending:
            self._count_fill(fill, scale_of_message(fill) or rules.scale)
        self.rules = rules

    def _count_lots(self, side: Side, lots: int) -> None:
        if side is Side.BUY:
            self.bought_lots += lots
        else:
            self.sold_lots += lots

    def _count_fill(self, fill: Fill, scale: Scale) -> None:
        size = EXACT.multiply(Decimal(fill.last_lots), scale.lot)
        notional = EXACT.multiply(Decimal(fill.last_ticks * fill.last_lots), scale.tick_lot)
        self._count_money(fill.side, size, notional, fill.fee, fill.fee_asset)

    def _count_money(self, side: Side, size: Decimal, notional: Decimal, fee: Decimal, fee_asset: str) -> None:
        """Count the money of a fill whose lots are counted already."""
        if side is Side.BUY:
            self.bought_notional = EXACT.add(self.bought_notional, notional)
            base, quote = size, -notional
        else:
            self.sold_notional = EXACT.add(self.sold_notional, notional)
            base, quote = -size, notional
        if fee:
            self.fees[fee_asset] = EXACT.add(self.fees.get(fee_asset, ZERO), fee)
            if fee_asset == self.base:
                base = EXACT.subtract(base, fee)
            elif fee_asset == self.quote:
                quote = EXACT.subtract(quote, fee)
        self._move(base, quote)

    def _move(self, base: Decimal, quote: Decimal) -> None:
        """Base and quote have come in (below 0: gone out) by one fill, commissions included."""
        held = EXACT.add(self.held, base)
        if self.held * base >= 0:  # it opens or grows
            self.cost = EXACT.subtract(self.cost, quote)
        elif held * self.held > 0:  # it shrinks: a part of the cost goes, in proportion
            self.cost = EXACT.add(self.cost, _share(self.cost, base, self.held))
        else:  # it is closed; what is left has the other sign, and opens at the fill's own price
            self.cost = -_share(quote, held, base)
            self.is_estimated = False
        self.held = held
        if not held:
            self.cost = ZERO

    def _estimate(self, lot_size: Decimal) -> None:
        """The sums of a version that did not count costs: what is held has cost the average of all purchases."""
        self._lacks_cost = False
        traded = EXACT.multiply(Decimal(self.net_lots), lot_size)
        self.held = EXACT.subtract(traded, self.fees.get(self.base, ZERO))
        self.is_estimated = bool(self.held)
        if self.held > 0 and self.bought_lots:
            self.cost = _share(self.bought_notional, self.held, self.bought_lots * lot_size)
        elif self.held < 0 and self.sold_lots:
            self.cost = _share(self.sold_notional, self.held, self.sold_lots * lot_size)


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """amount * part / whole, rounded to COST_STEP."""
    return QUOTIENT.divide(EXACT.multiply(amount, part), whole).quantize(COST_STEP, context=QUOTIENT)
