"""Client order ids: decodable, within the exchange's characters, and never the same twice."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.orders.client_id import MAX_COUNTER, MAX_EPOCH, base32, decode_id, encode_id, journal_tag, owner_part

BINANCE = re.compile(r"[a-zA-Z0-9-_]{1,36}")
TAG = journal_tag("binance", "account", 1_700_000_000_000_000_000)


@given(st.text(), st.integers(0, MAX_EPOCH), st.integers(1, MAX_COUNTER))
def test_every_id_fits_the_exchange_and_can_be_decoded(owner, epoch, counter):
    text = encode_id(TAG, owner, epoch, counter)
    assert BINANCE.fullmatch(text)
    known = decode_id(text)
    assert (known.tag, known.epoch, known.counter) == (TAG, epoch, counter)
    assert known.owner == owner_part(owner)
    assert len(known.owner) <= 9


@given(st.tuples(st.integers(0, 99), st.integers(1, 9_999)), st.tuples(st.integers(0, 99), st.integers(1, 9_999)))
def test_different_counters_give_different_ids(one, other):
    assert (encode_id(TAG, "maker", *one) == encode_id(TAG, "maker", *other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("market_maker_a", "market_maker_b"),
        ("a-b", "a_b"),
        ("maker", "maker1"),
        ("mé", "m_"),
        ("abcdefghi", "abcdefghix"),
    ],
)
def test_owners_that_differ_anywhere_differ_in_their_ids(one, other):
    assert owner_part(one) != owner_part(other)
    assert decode_id(encode_id(TAG, one, 1, 1)).owner != decode_id(encode_id(TAG, other, 1, 1)).owner


@given(st.text(), st.text())
def test_a_plain_name_is_never_the_hashed_form_of_another(one, other):
    hashed = owner_part(one)
    assert owner_part(hashed) != hashed or hashed == one
    assert (owner_part(one) == owner_part(other)) == (one == other)


@pytest.mark.parametrize("name", ["maker", "maker_2", "MAKER1234", "m"])
def test_a_short_plain_name_stands_in_the_id_as_before(name):
    assert encode_id(TAG, name, 1, 1).split("-")[1] == name


def test_another_journal_gives_other_ids():
    tags = {journal_tag("binance", "account", 1_700_000_000_000_000_000 + n) for n in range(10_000)}
    assert len(tags) == 10_000
    assert TAG not in {journal_tag("binance", "other", 1_700_000_000_000_000_000), journal_tag("b", "account", 1)}


@given(st.text(max_size=40))
def test_what_others_call_their_orders_is_not_taken_for_ours(text):
    known = decode_id(text)
    assert known is None or encode_id(known.tag, known.owner, known.epoch, known.counter)[:9] == text[:9]


@pytest.mark.parametrize("text", ["", "web_6gCrw2kRUAF9CvJDGP16IP", "t-a-b-c", "x-HNA2TXFJ-1", "tfr97ty9a-maker-1-l"])
def test_ids_of_other_clients_are_not_ours(text):
    assert decode_id(text) is None


def test_counters_that_are_used_up_are_an_error():
    with pytest.raises(ValueError, match="too large"):
        encode_id(TAG, "maker", 1, MAX_COUNTER + 1)
    assert base32(0) == "0"
    assert base32(32) == "10"
