"""The compact codec of ticks: the same bytes as the usual way, and the same messages read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol import Tick, TickDone
from protocol import tick_codec as turn
from protocol.frame import HEADER, MAX_TOPIC_BYTES, VERSION, body, pack, prefix, split
from protocol.message import encode

PREFIX = prefix("tell.clockd.maker.")
LONGEST = prefix("a" * (MAX_TOPIC_BYTES - 2) + ".")
WIDE = 2**63 - 1
EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000, 2**32 - 1, 2**32, WIDE]
NUMBERS = st.sampled_from(EDGES) | st.integers(0, WIDE)
HEADERS = st.tuples(
    st.sampled_from([PREFIX, LONGEST]), st.integers(0, 2**32 - 1), st.integers(0, WIDE), st.integers(-(2**63), WIDE)
)
FOUR = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
HEAD = PREFIX + HEADER.pack(1, 1, 1)
PLAIN = turn.PlainTickCodec()
FAST = turn.fast.FastTickCodec() if turn.fast is not None else None

fast = pytest.mark.skipif(turn.fast is None, reason="not compiled")


def usual(frame):
    """The message, read the usual way."""
    return body(frame, split(frame)[4])


def test_the_cython_implementation_is_in_use_where_it_is_compiled():
    assert type(turn.TICK_CODEC) is type(FAST if turn.FAST else PLAIN)


@fast
@given(header=HEADERS, numbers=FOUR)
def test_a_compact_tick_has_the_same_bytes_both_ways_and_comes_back(header, numbers):
    frame = FAST.encode_tick(*header, *numbers)
    assert frame == PLAIN.encode_tick(*header, *numbers)
    n, time_ns, period_ns, skipped = numbers
    assert FAST.decode_tick(frame) == usual(frame) == Tick(n, time_ns, period_ns, [], skipped)
    assert FAST.decode_done(frame) == -1


@fast
@given(header=HEADERS, n=NUMBERS, waited_ns=NUMBERS, trace=st.integers(0, 2**64 - 1), positions_missed=NUMBERS)
def test_a_compact_tick_done_has_the_same_bytes_both_ways_and_gives_its_n(
    header, n, waited_ns, trace, positions_missed
):
    frame = FAST.encode_done(*header, n, waited_ns, trace, positions_missed)
    assert frame == PLAIN.encode_done(*header, n, waited_ns, trace, positions_missed)
    assert usual(frame) == TickDone(n, [], waited_ns, trace, positions_missed)
    assert FAST.decode_done(frame) == (-1 if trace else n)
    assert FAST.decode_tick(frame) is None


@fast
@pytest.mark.parametrize(
    "message",
    [
        Tick(7, 8, 9, [("md.a.b.", 1, 2)]),
        Tick(7, 8, 9, [], 0, ["binance"]),
        Tick(7, 8, 9, [], 0, [], ["md.a.b."]),
        Tick(-1, 8, 9),
        Tick(1, -8, 9),
        Tick(1, 8, -9),
        Tick(1, 8, 9, [], -1),
        Tick(1, 8, 9, [], 2**63),
        TickDone(7, [("md.a.b.", 1, 2)]),
        TickDone(-7),
        TickDone(7, [], -1),
        TickDone(7, [], 0, 0, -1),
        TickDone(7, [], 0, 5),
    ],
)
def test_a_frame_with_more_fields_goes_the_usual_way(message):
    frame = pack(PREFIX, 1, 1, 1, message)
    assert FAST.decode_tick(frame) is None
    assert FAST.decode_done(frame) == -1


@fast
@given(data=st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: HEAD + tail))
@example(data=b"")
@example(data=HEAD)
@example(data=HEAD + b"\x98\xa4Tick")
@example(data=HEAD + b"\x98\xa4Tick\x01\x02\x03\x90\x00\x90\x90\x00")  # a byte too many
@example(data=HEAD + b"\x98\xa4Tick\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x02\x03\x90\x00\x90\x90")  # no int64
@example(data=HEAD + b"\x99\xa4Tick\x01\x02\x03\x90\x00\x90\x90\x00")  # of a newer clock
@example(data=b"tell." + VERSION + HEADER.pack(1, 2**64 - 1, 1) + b"\x98\xa4Tick\x01\x02\x03\x90\x00\x90\x90")
@example(data=VERSION + HEADER.pack(1, 1, 1) + b"\x96\xa8TickDone\x01\x90\x00\x00\x00")  # no topic
def test_no_bytes_are_read_as_more_than_the_usual_way_finds_in_them(data):
    agree(data)


@fast
@given(numbers=FOUR, is_tick=st.booleans(), cut=st.integers(0, 120), at=st.integers(0, 119), byte=st.integers(0, 255))
def test_a_damaged_frame_is_read_as_the_usual_way_reads_it_or_left_to_it(numbers, is_tick, cut, at, byte):
    write = FAST.encode_tick if is_tick else FAST.encode_done
    frame = bytearray(write(PREFIX, 1, 2, 3, *numbers))
    frame[at % len(frame)] = byte
    agree(bytes(frame))
    agree(bytes(frame[:cut]))


def agree(data):
    """Whatever the short way reads is what the usual way reads."""
    tick, n = FAST.decode_tick(data), FAST.decode_done(data)
    if tick is not None:
        assert usual(data) == tick
    if n >= 0:
        done = usual(data)
        assert isinstance(done, TickDone)
        assert (done.n, done.positions, done.trace) == (n, [], 0)


@fast
def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(OverflowError):
        FAST.encode_tick(PREFIX, 1, 1, 1, -1, 0, 0, 0)
    with pytest.raises(TypeError):
        FAST.decode_tick("no bytes")
    assert encode(Tick(1, 2, 3)) in FAST.encode_tick(PREFIX, 1, 1, 1, 1, 2, 3, 0)
