"""Symbols: "BTC-USDT" on the bus, "BTCUSDT" on Binance."""

from collections.abc import Iterable

from protocol import Rules


def venue_symbol(symbol: str) -> str:
    """ "BTC-USDT" -> "BTCUSDT". The reverse needs exchangeInfo: see `Symbols`."""
    return symbol.replace("-", "")


class Symbols:
    """Both names of each market known from exchangeInfo: "BTCUSDT" alone does not show where it divides."""

    def __init__(self, rules: Iterable[Rules] = ()) -> None:
        self._symbols: dict[str, str] = {}
        for row in rules:
            self.add(row.symbol)

    def add(self, symbol: str) -> None:
        """Add a market by its name on the bus."""
        self._symbols[venue_symbol(symbol)] = symbol

    def symbol(self, name: str) -> str:
        """Returns the bus's name of Binance's `name`; "" if it is not one of our markets."""
        return self._symbols.get(name, "")
