"""IssuedIds: an id leads to its owner, also without the order journal; ids of before are still understood."""

import pytest

from connectors.orders.client_id import encode_id
from connectors.orders.issued_ids import OWNERS_MAX, IssuedIds
from protocol.errors import JournalDamaged
from tests.connectors.parts import TAG, Parts, new_order

OTHER_TAG = "0" * 8


@pytest.fixture
def parts():
    return Parts()


def reloaded(parts) -> IssuedIds:
    found = IssuedIds(parts.fx, parts.tracker)
    found.load(parts.fx.journals["ids"])
    return found


def test_tags_and_owners_are_written_once_and_read_back(parts):
    for _ in range(3):
        parts.ids.add_tag(OTHER_TAG)
        parts.ids.add_owner("market_maker_a")
    assert len(parts.fx.journals["ids"]) == 2
    again = reloaded(parts)
    assert (list(again.tags), list(again.owners)) == ([OTHER_TAG], ["market_maker_a"])


def test_ids_of_this_journal_and_of_earlier_ones_are_ours_and_others_are_not(parts):
    parts.ids.add_tag(OTHER_TAG)
    assert parts.ids.is_ours(encode_id(TAG, "maker", 1, 1))
    assert parts.ids.is_ours(encode_id(OTHER_TAG, "maker", 1, 1))
    assert not parts.ids.is_ours(encode_id("1" * 8, "maker", 1, 1))
    assert not parts.ids.is_ours("web_6gCrw2kRUAF9CvJDGP16IP")


@pytest.mark.parametrize("owner", ["market_maker_b", "a-b", "a_b", "maker", "m@rket"])
def test_an_id_leads_to_the_owner_that_placed_it_and_to_no_similar_one(parts, owner):
    for name in ("market_maker_a", "market_maker_b", "a-b", "a_b", "make", "maker", "maker1", "m@rket", "m#rket"):
        parts.ids.add_owner(name)
    assert reloaded(parts).owner_of(encode_id(TAG, owner, 1, 1)) == owner


def test_an_owner_that_only_the_order_journal_contains_is_known_too(parts):
    parts.journal.commit([new_order(owner="market_maker_a")])
    assert parts.ids.owner_of(encode_id(TAG, "market_maker_a", 1, 2)) == "market_maker_a"


def test_an_id_with_nine_characters_of_a_name_as_given_out_before_leads_to_that_name(parts):
    parts.ids.add_owner("market_maker_a")
    assert parts.ids.owner_of(f"t{TAG}-market_ma-1-1") == "market_maker_a"
    assert parts.ids.owner_of(f"t{TAG}-other-1-1") == "other"


def test_the_names_that_are_stored_have_a_bound(parts):
    for number in range(OWNERS_MAX + 5):
        parts.ids.add_owner(f"maker{number}")
    assert len(parts.fx.journals["ids"]) == OWNERS_MAX


def test_an_unknown_record_stops_with_one_line(parts):
    with pytest.raises(JournalDamaged, match=r"binance\.ids\.journal: unknown record"):
        parts.ids.load([b"\x01"])
