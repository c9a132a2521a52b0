"""Profiles: the included ones are valid, errors in one are reported, and random values have its quantiles."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venue.base.venue_errors import BadVenue
from venue.calibration import series
from venue.sources.profiles import PROBABILITIES, Quantiles, load, names, text_of
from venue.sources.sources import profiles


@pytest.mark.parametrize("name", names())
def test_a_profile_that_comes_with_the_venue_is_read_and_written_without_loss(name, tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text(text_of(load(name)))
    assert load(str(path)) == load(name)


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("move_share", "moves_share", "unknown field `moves_share`"),
        ("children = 0.", "children = 9.", "would not die out"),
        ("market_sizes = [", "market_sizes = [7.0, ", "market_sizes: 17 quantiles"),
        ("decay_s = 0.02", "decay_s = 0.0", "above zero"),
        ("decay_s = 0.02", "decay_s = nan", "above zero"),
        ("market_rate = ", "market_rate = [", "btcusdt"),
        ("market_rate = ", "market_rate = 1000", "reaction"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_line(before, after, word, tmp_path):
    text = text_of(load("btcusdt_spot"))
    assert before in text
    path = tmp_path / "btcusdt.toml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(BadVenue, match=word) as caught:
        load(str(path))
    assert "\n" not in str(caught.value)


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(st.floats(1e-6, 1e6), min_size=len(PROBABILITIES), max_size=len(PROBABILITIES)), seed=st.integers()
)
def test_quantiles_are_drawn_between_the_least_and_the_largest(values, seed):
    values.sort()
    quantiles, random = Quantiles(values), Random(seed)
    drawn = [quantiles.draw(random) for _ in range(100)]
    assert all(values[0] * 0.999 <= one <= values[-1] * 1.001 for one in drawn)
    assert quantiles.at(0.0) == pytest.approx(values[0])
    assert quantiles.at(1.0) == pytest.approx(values[-1])
    assert values[0] * 0.999 <= quantiles.moment(1) <= values[-1] * 1.001


def test_random_values_have_the_quantiles_and_the_mean_of_the_profile():
    wanted = load("btcusdt_spot").touch_sizes
    quantiles, random = Quantiles(wanted), Random(1)
    drawn = [quantiles.draw(random) for _ in range(40_000)]
    for chance in (0.1, 0.5, 0.9):
        assert series.quantiles(drawn, [chance])[0] == pytest.approx(wanted[PROBABILITIES.index(chance)], rel=0.1)
    assert series.mean(drawn) == pytest.approx(quantiles.moment(1), rel=0.05)


def test_a_profile_is_plain_data():
    found = load("btcusdt_spot")
    assert msgspec.convert(msgspec.to_builtins(found), profiles.Profile) == found
