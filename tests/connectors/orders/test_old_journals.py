"""Journals that version 0.1 wrote are read to the same state; today's records only have more fields at their ends."""

import json
from pathlib import Path

import msgspec
import pytest

from connectors.core.records import AnyRecord, decode_record, encode_record
from connectors.orders.tracker import OrderTracker
from tests.appended import encoded_begins_with

NEWER = {"Release", "Amended", "Forgotten", "Resumed"}
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "order_journal_0_1.json"
JOURNALS = json.loads(GOLDEN.read_text())


@pytest.fixture(params=sorted(JOURNALS))
def old(request):
    """One journal, with what the version that wrote it made of it."""
    return JOURNALS[request.param]


def test_the_journals_contain_every_kind_of_record():
    tags = {msgspec.msgpack.decode(bytes.fromhex(one))[0] for old in JOURNALS.values() for one in old["records"]}
    assert tags == {kind.__struct_config__.tag for kind in AnyRecord.__args__} - NEWER


def test_a_record_is_written_with_the_fields_that_it_was_read_from(old):
    for one in map(bytes.fromhex, old["records"]):
        assert encoded_begins_with(encode_record(decode_record(one)), one)


def test_a_replay_leads_to_the_same_orders_positions_and_messages(old):
    tracker, published = OrderTracker(), []
    for one in old["records"]:
        published += tracker.apply(decode_record(bytes.fromhex(one)))
    assert [
        [one.cl_ord_id, one.terms.owner, one.terms.order_ref, one.status.name, one.state.cum_lots, one.order_id]
        for one in tracker.orders.values()
    ] == old["orders"]
    assert sorted(tracker.open) == old["open"]
    assert [tracker.counter, tracker.tag, tracker.account_id] == [old["counter"], old["tag"], old["account_id"]]
    net_lots = dict.fromkeys(tracker.exposures, 0)
    for owner in tracker.owners.values():
        for symbol, position in owner.positions.items():
            net_lots[symbol] += position.net_lots
    assert net_lots == old["net_lots"]
    for message, before in zip(published, old["published"], strict=True):
        assert encoded_begins_with(msgspec.msgpack.encode(message), bytes.fromhex(before))
    assert encoded_begins_with(encode_record(tracker.compaction()), bytes.fromhex(old["compaction"]))
