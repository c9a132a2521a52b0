"""TradeIds: which trades of the account have been applied. Each is applied once, for ever, in bounded memory."""

from protocol import Side


def trade_key(trade_id: int, side: Side) -> int:
    """Returns the key of one side of a trade: a trade between two orders of one account appears twice under one id."""
    return trade_id << 1 | (side is Side.SELL)


class TradeIds:
    """By symbol: every trade up to a floor is accounted for; above it, each applied trade is listed.

    The floor follows reconciliation at a distance, so that a trade which the exchange reports late is above it.
    """

    def __init__(self) -> None:
        self.floors: dict[str, int] = {}
        self._above: dict[str, set[int]] = {}

    def is_counted(self, symbol: str, trade_id: int, side: Side) -> bool:
        """Whether this trade is accounted for."""
        if trade_id <= self.floors.get(symbol, -1):
            return True
        return trade_key(trade_id, side) in self._above.get(symbol, ())

    def add(self, symbol: str, key: int) -> None:
        """Note an applied trade (see trade_key)."""
        if key >> 1 > self.floors.get(symbol, -1):
            self._above.setdefault(symbol, set()).add(key)

    def raise_floor(self, symbol: str, trade_id: int) -> None:
        """Every trade of `symbol` up to `trade_id` is accounted for, or belongs to an external order."""
        if trade_id > self.floors.get(symbol, -1):
            self.floors[symbol] = trade_id
            above = self._above.get(symbol)
            if above:
                self._above[symbol] = {key for key in above if key >> 1 > trade_id}

    def rows(self) -> list[tuple[str, list[int]]]:
        """Returns the keys above the floors, sorted."""
        return [(symbol, sorted(keys)) for symbol, keys in sorted(self._above.items()) if keys]
