"""Parameters of a query or a form."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.base.api_errors import ApiError
from venue.base.params import split_pairs

NAMES = st.text("abc +%&=é", min_size=1, max_size=4)


@given(st.dictionaries(NAMES, NAMES | st.just("")))
def test_encoded_pairs_are_read_as_they_were_meant(wanted):
    assert split_pairs(urlencode(wanted)) == wanted


@given(st.text("ab=&%+2", max_size=20))
def test_a_query_is_read_as_forms_are_or_a_name_comes_twice(raw):
    pairs = parse_qsl(raw, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        with pytest.raises(ApiError, match="Duplicate values"):
            split_pairs(raw)
    else:
        assert split_pairs(raw) == dict(pairs)
