"""Frames: what goes in comes out; no bytes are more than a BadMessage."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol import Health, Heartbeat, frame
from protocol.errors import BadMessage
from protocol.frame import HEADER, MAX_TOPIC_BYTES, VERSION, body, pack, plain_join, plain_split, prefix
from protocol.message import REGISTRY, encode

TOPICS = st.from_regex(r"([A-Za-z0-9_:@/+-]{1,12}\.){1,6}", fullmatch=True)
TOPIC = "sys.maker.health."
GOOD = pack(prefix(TOPIC), 3, 17, 1_700_000_000_000_000_000, Health("LIVE", "all is well"))
TWINS = {"plain": (plain_join, plain_split)}
if frame.fast is not None:
    TWINS["cython"] = (frame.fast.join, frame.fast.split)


both = pytest.mark.parametrize(("join", "split"), TWINS.values(), ids=TWINS)


def read(split, data):
    """What an actor does with the bytes of a frame."""
    *_, offset = split(data)
    return body(data, offset)


def test_the_cython_implementation_is_in_use_where_it_is_compiled():
    assert (frame.join, frame.split) == TWINS[frame.IMPLEMENTATION]


@both
@given(
    topic=TOPICS, epoch=st.integers(0, 2**32 - 1), seq=st.integers(0, 2**63 - 1),
    ts_ns=st.integers(-(2**63), 2**63 - 1), detail=st.text(),
)  # fmt: skip
def test_what_was_packed_is_split_into_the_same(join, split, topic, epoch, seq, ts_ns, detail):
    data = join(prefix(topic), epoch, seq, ts_ns, encode(Health("LIVE", detail)))
    assert data == plain_join(prefix(topic), epoch, seq, ts_ns, encode(Health("LIVE", detail)))
    *head, offset = split(data)
    assert head == [topic.encode(), epoch, seq, ts_ns]
    assert body(data, offset) == Health("LIVE", detail)


def test_the_layout_is_the_documented_one():
    topic, rest = TOPIC.encode(), GOOD[len(TOPIC) :]
    assert GOOD.startswith(topic)
    assert rest[:1] == b"\x01"
    assert struct.unpack("<IQq", rest[1:21]) == (3, 17, 1_700_000_000_000_000_000)
    assert rest[21:] == encode(Health("LIVE", "all is well"))
    assert len(VERSION) + HEADER.size == 21


def test_a_subscription_to_a_topic_is_a_prefix_of_its_frames_and_of_no_others():
    other = pack(prefix("sys.maker2.health."), 1, 1, 1, Health("LIVE"))
    assert GOOD.startswith(b"sys.maker.")
    assert not other.startswith(b"sys.maker.")


@both
@given(data=st.binary(max_size=400))
@example(data=b"")
@example(data=VERSION)
@example(data=b"a." + VERSION)
@example(data=b"a." + VERSION + bytes(HEADER.size))
@example(data=b"a." + VERSION + bytes(HEADER.size) + b"\x91" * 100_000)  # nested beyond any stack
@example(data=b"a." + VERSION + bytes(HEADER.size) + b"\x91\xa4\xff\xff\xff\xff")  # a tag that is no text
def test_no_bytes_are_more_than_a_bad_message(join, split, data):
    with pytest.raises(BadMessage):
        read(split, data)


@both
@given(data=st.data())
def test_a_damaged_frame_is_a_bad_message_or_another_message(join, split, data):
    raw = bytearray(pack(prefix(TOPIC), 3, 17, 5, Heartbeat(1, 2, [("md.a.b.", 1, 2)], state="LIVE")))
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        topic, epoch, seq, _, offset = split(bytes(raw))
        message = body(bytes(raw), offset)
    except BadMessage:
        return
    assert topic
    assert epoch >= 0 <= seq
    assert type(message) in REGISTRY.types.values()


@both
def test_a_cut_frame_is_invalid_wherever_it_is_cut(join, split):
    for length in range(len(GOOD)):
        with pytest.raises(BadMessage):
            read(split, GOOD[:length])


@both
def test_bytes_after_the_message_are_refused(join, split):
    with pytest.raises(BadMessage):
        read(split, GOOD + b"\x00")


@both
def test_a_topic_beyond_the_limit_is_no_frame(join, split):
    for length, is_read in ((MAX_TOPIC_BYTES - 1, True), (MAX_TOPIC_BYTES, False)):
        data = pack(prefix("a" * (length - 1) + "."), 1, 1, 1, Health("LIVE"))
        if is_read:
            assert read(split, data) == Health("LIVE")
        else:
            with pytest.raises(BadMessage):
                read(split, data)


@both
def test_a_frame_of_a_newer_header_version_is_invalid(join, split):
    with pytest.raises(BadMessage, match="newer header version"):
        split(GOOD.replace(VERSION, b"\x02", 1))
