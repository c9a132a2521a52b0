"""Decimal strings of the API and atoms: conversion in both directions, and invalid strings."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.base.numbers import DECIMAL_RANGE, atoms, fixed8, parse_decimal

TEXTS = st.text("0123456789.+-e_ \n٣²", max_size=45) | st.from_regex(r"[0-9]{0,22}(\.[0-9]{0,22})?", fullmatch=True)


@given(TEXTS)
def test_a_text_is_a_decimal_if_the_documented_range_matches(text):
    whole, _, fraction = text.partition(".")
    if re.fullmatch(DECIMAL_RANGE[1:-1], text, re.ASCII) is None:
        assert parse_decimal(text) is None
    elif len(fraction.rstrip("0")) > 8:
        with pytest.raises(OverflowError):
            parse_decimal(text)
    else:
        assert parse_decimal(text) == int(whole) * 10**8 + int(fraction.rstrip("0").ljust(8, "0"))


@given(st.integers(-(10**20), 10**20))
def test_eight_decimals_are_read_as_they_were_written(amount):
    text = fixed8(amount)
    assert atoms(Decimal(text)) == amount
    assert parse_decimal(text) == (amount if amount >= 0 else None)
