"""Owners: the strategies whose orders these are, with their positions and the count of their fills."""

from collections import deque
from decimal import Decimal

from protocol import Fill, PositionRow, Side

FILLS_KEPT = 2_000


class Position:
    """The sum of all fills of one owner in one market. Notionals in the quote asset, exact."""

    def __init__(self, row: PositionRow | None = None) -> None:
        self.bought_lots = row.bought_lots if row else 0
        self.sold_lots = row.sold_lots if row else 0
        self.bought_notional = row.bought_notional if row else Decimal(0)
        self.sold_notional = row.sold_notional if row else Decimal(0)
        self.fees: dict[str, Decimal] = dict(row.fees) if row else {}

    @property
    def net_lots(self) -> int:
        """Bought less sold."""
        return self.bought_lots - self.sold_lots

    def add(self, side: Side, lots: int, notional: Decimal, fee: Decimal, fee_asset: str) -> None:
        """Add one fill."""
        if side is Side.BUY:
            self.bought_lots += lots
            self.bought_notional += notional
        else:
            self.sold_lots += lots
            self.sold_notional += notional
        if fee:
            self.fees[fee_asset] = self.fees.get(fee_asset, Decimal(0)) + fee

    def row(self, symbol: str) -> PositionRow:
        """Returns the position as it is published."""
        fees = sorted(self.fees.items())
        return PositionRow(symbol, self.bought_lots, self.sold_lots, self.bought_notional, self.sold_notional, fees)


class Owner:
    """One strategy: positions by symbol, and its latest fills, numbered from 1 without a gap."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fill_no = 0
        self.positions: dict[str, Position] = {}
        self.fills: deque[Fill] = deque(maxlen=FILLS_KEPT)

    def position(self, symbol: str) -> Position:
        """Returns the position in one market; it is updated in place."""
        found = self.positions.get(symbol)
        if found is None:
            found = self.positions[symbol] = Position()
        return found

    def rows(self) -> list[PositionRow]:
        """Returns every position as it is published, by symbol."""
        return [position.row(symbol) for symbol, position in sorted(self.positions.items())]

    def fills_after(self, fill_no: int) -> list[Fill]:
        """Returns the fills after number `fill_no`, at most FILLS_KEPT; positions are complete in any case."""
        missing = self.fill_no - fill_no
        if missing <= 0:
            return []
        kept = list(self.fills)
        return kept[-missing:] if missing < len(kept) else kept
