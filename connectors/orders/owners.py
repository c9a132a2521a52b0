"""Owners: the strategies whose orders these are, with their positions and the count of their fills."""

from collections import deque
from decimal import Decimal

from market.exact import EXACT
from market.position import Position
from market.scale import Scale, multiplied
from protocol import Fill, PositionRow, RefusalCode

FILLS_KEPT = 2_000
TAGS_MAX = 1_000  # ledgers of one owner; then its orders with new tags are refused, until it releases some


class Owner:
    """One strategy: positions by symbol, and its latest fills, numbered from 1 without a gap.

    `ledgers`: the part of a position that the orders of one tag made, by (symbol, tag); released by the strategy.
    `refused`: how many of its orders the exchange has rejected, by their refusal code.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.fill_no = 0
        self.positions: dict[str, Position] = {}
        self.ledgers: dict[tuple[str, str], Position] = {}
        self.refused: dict[RefusalCode, int] = {}
        self.fills: deque[Fill] = deque(maxlen=FILLS_KEPT)

    def position(self, symbol: str) -> Position:
        """Returns the position in one market; it is updated in place."""
        found = self.positions.get(symbol)
        if found is None:
            found = self.positions[symbol] = Position(symbol)
        return found

    def begin(self, symbol: str, tag: str) -> None:
        """An order is placed: the ledger of its tag begins."""
        if tag and (symbol, tag) not in self.ledgers:
            self.ledgers[symbol, tag] = Position(symbol)

    def has_room(self, symbol: str, tag: str) -> bool:
        """Whether an order with this tag may be placed: it has a ledger, or there are fewer than TAGS_MAX."""
        return not tag or (symbol, tag) in self.ledgers or len(self.ledgers) < TAGS_MAX

    def count(self, fill: Fill, size: Decimal, notional: Decimal, scale: Scale) -> Decimal:
        """Count a fill in the position and in the ledger of its tag. Returns the change of what is held, in base."""
        self.fill_no = fill.fill_no
        self.fills.append(fill)
        position = self.position(fill.symbol)
        held, position.scale = position.held, scale
        position.add(fill.side, fill.last_lots, size, notional, fill.fee, fill.fee_asset)
        if fill.tag:
            self.begin(fill.symbol, fill.tag)  # a late fill of a tag that was released
            ledger = self.ledgers[fill.symbol, fill.tag]
            ledger.scale = scale
            ledger.add(fill.side, fill.last_lots, size, notional, fill.fee, fill.fee_asset)
        return EXACT.subtract(position.held, held)

    def multiply(self, symbol: str, price_factor: int, size_factor: int, scale: Scale) -> None:
        """Convert all ticks and lots of one market to `scale`."""
        for position in (*self.positions.values(), *self.ledgers.values()):
            if position.symbol == symbol:
                position.multiply(price_factor, size_factor, scale)
        for at, fill in enumerate(self.fills):
            if fill.symbol == symbol:
                self.fills[at] = multiplied(fill, price_factor, size_factor, scale)

    def rows(self) -> list[PositionRow]:
        """Returns every position as it is published, by symbol."""
        return [position.row() for _, position in sorted(self.positions.items())]

    def ledger_rows(self) -> list[PositionRow]:
        """Returns every ledger as it is published, by symbol and tag."""
        return [ledger.row(tag) for (_, tag), ledger in sorted(self.ledgers.items())]

    def fills_after(self, fill_no: int) -> list[Fill]:
        """Returns the fills after number `fill_no`, at most FILLS_KEPT; positions are complete in any case."""
        missing = self.fill_no - fill_no
        if missing <= 0:
            return []
        kept = list(self.fills)
        return kept[-missing:] if missing < len(kept) else kept
