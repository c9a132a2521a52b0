"""Owners: the strategies whose orders these are, with their positions and the count of their fills."""

from collections import deque

from market.position import Position
from protocol import Fill, PositionRow

FILLS_KEPT = 2_000


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
