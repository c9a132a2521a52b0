"""The limits of a market's filters as integers, so that checking an order needs no decimals."""

from decimal import Decimal

import msgspec

from protocol.enums import Side
from venue.base.numbers import atoms
from venue.base.settings import MarketSettings
from venue.base.venue_errors import BadVenue


class PriceBand(msgspec.Struct, frozen=True, gc=False):
    """The allowed range around the filter price: (numerator, denominator) of two factors, and the filter's name."""

    up: tuple[int, int]
    down: tuple[int, int]
    name: str

    def holds(self, price_atoms: int, reference_atoms: int) -> bool:
        over, under = self.up, self.down
        return (
            reference_atoms * under[0] <= price_atoms * under[1] and price_atoms * over[1] <= reference_atoms * over[0]
        )


class FilterBounds(msgspec.Struct, frozen=True, gc=False):
    """All limits in atoms."""

    min_price: int
    max_price: int
    min_size: int
    max_size: int
    market_min_size: int
    market_max_size: int
    market_lot_size: int
    min_notional: int
    max_notional: int
    bands: dict[Side, PriceBand]

    @classmethod
    def of(cls, settings: MarketSettings) -> "FilterBounds":
        """Raises BadVenue for a setting with more than eight decimals."""
        bounds = {}
        for name in cls.__struct_fields__[:-1]:
            try:
                bounds[name] = atoms(getattr(settings, name))
            except ValueError as error:
                raise BadVenue(f"market {settings.symbol}: {name}: {error}") from None
        return cls(**bounds, bands=_bands(settings))


def _bands(s: MarketSettings) -> dict[Side, PriceBand]:
    if s.multiplier_up is not None and s.multiplier_down is not None:
        return dict.fromkeys(Side, _band(s.multiplier_up, s.multiplier_down, "PERCENT_PRICE"))
    return {
        Side.BUY: _band(s.bid_multiplier_up, s.bid_multiplier_down, "PERCENT_PRICE_BY_SIDE"),
        Side.SELL: _band(s.ask_multiplier_up, s.ask_multiplier_down, "PERCENT_PRICE_BY_SIDE"),
    }


def _band(up: Decimal, down: Decimal, name: str) -> PriceBand:
    return PriceBand(up.as_integer_ratio(), down.as_integer_ratio(), name)
