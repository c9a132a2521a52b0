"""Coverage: the price range that a snapshot describes."""

from market.levels import LEVEL_BYTES, MAX_INT
from protocol import BookSnapshot

MARGIN = 4  # a new snapshot is requested once the price has gone three quarters of the way to the last level


class Coverage:
    """The price range that a snapshot describes. Bids below the floor and asks above the ceiling (0: no limit) are
    unknown; outside of `low_ticks` to `high_ticks` a new snapshot is due."""

    __slots__ = ("ceiling_ticks", "floor_ticks", "high_ticks", "low_ticks")

    def __init__(self, snapshot: BookSnapshot | None = None, limit: int = 0) -> None:
        self.floor_ticks = self.ceiling_ticks = self.low_ticks = 0
        self.high_ticks = MAX_INT
        if snapshot is None:
            return
        self.floor_ticks = floor_ticks = _last_price(snapshot.bids, limit)
        self.ceiling_ticks = ceiling_ticks = _last_price(snapshot.asks, limit)
        if floor_ticks:
            self.low_ticks = floor_ticks + (_first_price(snapshot.bids) - floor_ticks) // MARGIN
        if ceiling_ticks:
            self.high_ticks = ceiling_ticks - (ceiling_ticks - _first_price(snapshot.asks)) // MARGIN

    def rescale(self, price_factor: int) -> None:
        """Convert the prices to a finer scale; a book has none above MAX_INT."""
        self.floor_ticks *= price_factor
        self.ceiling_ticks *= price_factor
        self.low_ticks *= price_factor
        self.high_ticks = min(self.high_ticks * price_factor, MAX_INT)


def _first_price(levels: bytes) -> int:
    return int.from_bytes(levels[:8], "little", signed=True)


def _last_price(levels: bytes, limit: int) -> int:
    """Returns the last price of levels that were cut off at `limit`; 0 if they were not."""
    if not limit or len(levels) < limit * LEVEL_BYTES:
        return 0
    return int.from_bytes(levels[-LEVEL_BYTES:-8], "little", signed=True)
