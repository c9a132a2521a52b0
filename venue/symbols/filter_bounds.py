"""What a market's filters allow, as whole numbers: settings are decimals, and every order is held against them."""

from decimal import Decimal

import msgspec

from protocol.enums import Side
from venue.base.errors import BadVenue
from venue.base.numbers import atoms
from venue.base.settings import MarketSettings


class Band(msgspec.Struct, frozen=True, gc=False):
    """How far from the average a price may be: (numerator, denominator) of two shares, and the filter that says so."""

    up: tuple[int, int]
    down: tuple[int, int]
    name: str

    def holds(self, price_atoms: int, average_atoms: int) -> bool:
        over, under = self.up, self.down
        return average_atoms * under[0] <= price_atoms * under[1] and price_atoms * over[1] <= average_atoms * over[0]


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """In atoms, each."""

    min_price: int
    max_price: int
    min_size: int
    max_size: int
    market_min_size: int
    market_max_size: int
    market_lot_size: int
    min_notional: int
    max_notional: int
    bands: dict[Side, Band]

    @classmethod
    def of(cls, settings: MarketSettings) -> "Bounds":
        """Raises BadVenue for a bound of more than eight decimals."""
        bounds = {}
        for name in cls.__struct_fields__[:-1]:
            try:
                bounds[name] = atoms(getattr(settings, name))
            except ValueError as error:
                raise BadVenue(f"market {settings.symbol}: {name}: {error}") from None
        return cls(**bounds, bands=_bands(settings))


def _bands(s: MarketSettings) -> dict[Side, Band]:
    if s.multiplier_up is not None and s.multiplier_down is not None:
        return dict.fromkeys(Side, _band(s.multiplier_up, s.multiplier_down, "PERCENT_PRICE"))
    return {
        Side.BUY: _band(s.bid_multiplier_up, s.bid_multiplier_down, "PERCENT_PRICE_BY_SIDE"),
        Side.SELL: _band(s.ask_multiplier_up, s.ask_multiplier_down, "PERCENT_PRICE_BY_SIDE"),
    }


def _band(up: Decimal, down: Decimal, name: str) -> Band:
    return Band(up.as_integer_ratio(), down.as_integer_ratio(), name)
