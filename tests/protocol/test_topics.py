"""Topics: dot-ended tokens, the publisher second, prefixes exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import topics
from protocol.errors import BadTopic

NAMES = st.from_regex(r"[A-Za-z0-9_:@/+-]{1,16}", fullmatch=True)


@given(NAMES, NAMES, NAMES)
def test_the_publisher_is_the_second_token_of_every_kind(actor, other, symbol):
    for topic in (
        topics.market_data(actor, symbol, "book"), topics.orders(actor, other), topics.account(actor),
        topics.heart(actor), topics.health(actor), topics.ticks(actor), topics.commands(actor, other),
        topics.answers(actor, other),
    ):  # fmt: skip
        assert topics.check_topic(topic) == topic
        assert topics.publisher(topic) == actor


@given(NAMES, NAMES)
def test_no_actor_receives_messages_for_a_name_that_begins_like_its_own(one, more):
    assert not topics.orders("binance", one + more).startswith(topics.orders("binance", one))
    assert not topics.heart(one + more).startswith(topics.heart(one))


@pytest.mark.parametrize(
    "topic", ["", ".", "md", "md.binance", "md..book.", ".md.", "md.a b.", "md.ä.", "md.a\x01.", "md.a\n.", "md.*."]
)
def test_an_invalid_topic_is_refused_with_the_rule_for_topics(topic):
    with pytest.raises(BadTopic, match="tokens of letters, digits"):
        topics.check_topic(topic)


def test_a_topic_without_a_publisher_is_refused():
    with pytest.raises(BadTopic, match="has no publisher"):
        topics.publisher("md.")


def test_the_earlier_name_of_external_orders_is_their_topic_of_today():
    assert topics.orders("binance", "@foreign") == topics.orders("binance", topics.EXTERNAL) == "ord.binance.@external."
