"""Which trades of the account have been applied: every one once, for ever, in bounded memory."""

from protocol import Side


def trade_key(trade_id: int, side: Side) -> int:
    """A trade between two orders of one account shows twice under one id: once for each side."""
    return trade_id << 1 | (side is Side.SELL)


class TradeIds:
    """Per symbol: all up to a floor are accounted for, and above it those that were applied one by one.

    The floor follows reconciliation, at a distance, so that a trade which the exchange shows late is above it.
    """

    def __init__(self) -> None:
        self.floors: dict[str, int] = {}
        self._above: dict[str, set[int]] = {}

    def is_done(self, symbol: str, trade_id: int, side: Side) -> bool:
        """Whether this trade is accounted for."""
        if trade_id <= self.floors.get(symbol, -1):
            return True
        return trade_key(trade_id, side) in self._above.get(symbol, ())

    def add(self, symbol: str, key: int) -> None:
        if key >> 1 > self.floors.get(symbol, -1):
            self._above.setdefault(symbol, set()).add(key)

    def raise_floor(self, symbol: str, trade_id: int) -> None:
        """All trades of `symbol` up to `trade_id` are accounted for, and those of others are known not to be ours."""
        if trade_id > self.floors.get(symbol, -1):
            self.floors[symbol] = trade_id
            above = self._above.get(symbol)
            if above:
                self._above[symbol] = {key for key in above if key >> 1 > trade_id}

    def rows(self) -> list[tuple[str, list[int]]]:
        """What is above the floors, sorted."""
        return [(symbol, sorted(keys)) for symbol, keys in sorted(self._above.items()) if keys]
