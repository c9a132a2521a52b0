"""Filter limits as integers: they agree with the decimals of the settings."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.enums import Side
from venue.base.settings import MarketSettings
from venue.base.venue_errors import BadVenue
from venue.symbols.filter_bounds import FilterBounds

SHARES = st.decimals(min_value="0.0001", max_value=100, places=4)


@given(st.integers(1, 10**16), st.integers(1, 10**16), SHARES, SHARES)
def test_a_band_agrees_with_its_decimals(price_atoms, average_atoms, up, down):
    settings = MarketSettings(ask_multiplier_up=up, ask_multiplier_down=down)
    band = FilterBounds.of(settings).bands[Side.SELL]
    assert band.holds(price_atoms, average_atoms) == (average_atoms * down <= price_atoms <= average_atoms * up)


@given(st.integers(1, 10**12), SHARES)
def test_a_price_on_the_edge_of_its_band_is_within(average, share):
    band = FilterBounds.of(MarketSettings(multiplier_up=share, multiplier_down=share)).bands[Side.BUY]
    average_atoms = average * 10_000
    edge_atoms = int(average_atoms * share)
    assert band.name == "PERCENT_PRICE"
    assert [band.holds(edge_atoms + step, average_atoms) for step in (-1, 0, 1)] == [False, True, False]


@pytest.mark.parametrize("name", [name for name in FilterBounds.__struct_fields__ if name != "bands"])
def test_a_limit_with_too_many_decimals_is_rejected_by_name(name):
    settings = msgspec.structs.replace(MarketSettings(), **{name: Decimal("0.000000001")})
    with pytest.raises(BadVenue, match=f"market BTC-USDT: {name}: 1E-9 has more than eight decimals"):
        FilterBounds.of(settings)
