"""Parsing and packing of levels: exact, and safe on any bytes."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from market import levels as module
from market.levels import MAX_INT, pack_levels, unpack_levels

PARSERS = [(module.plain_parse_levels, module.plain_scan_levels, module.plain_parse_decimal)]
if module.fast_parse_levels is not None:
    PARSERS.append((module.fast_parse_levels, module.fast_scan_levels, module.fast_parse_decimal))


@pytest.fixture(params=PARSERS, ids=["plain", "cython"][: len(PARSERS)])
def parsers(request):
    return request.param


def outcome(function, *args):
    """What a parser returns, or that it refuses."""
    try:
        return function(*args)
    except ValueError:
        return "refused"


def test_the_levels_of_a_delta_become_integers(parsers):
    raw = b'[["61737.63000000","0.00000000"],["61730.17000000","1.54698000"],["9","0.1"]]'
    assert unpack_levels(parsers[0](raw, 2, 1, 5, 1)) == [(6173763, 0), (6173017, 154698), (900, 10000)]
    assert parsers[0](memoryview(raw), 2, 1, 5, 1) == parsers[0](msgspec.Raw(raw), 2, 1, 5, 1)
    assert parsers[0](b"[]", 2, 1, 5, 1) == b""


def test_white_space_of_json_is_no_matter(parsers):
    raw = b' [ [ "1.5" ,\n"2" ] ,\t[ "1.0" , "3" ]\r\n] '
    assert unpack_levels(parsers[0](raw, 1, 1, 0, 1)) == [(15, 2), (10, 3)]
    assert parsers[0](b" [ ] ", 1, 1, 0, 1) == b""


def test_a_tick_may_be_any_step(parsers):
    assert unpack_levels(parsers[0](b'[["10.050","300"]]', 2, 5, 0, 100)) == [(201, 3)]
    for text in (b'[["10.06","300"]]', b'[["10.05","301"]]', b'[["10.055","300"]]', b'[["10.05","300.1"]]'):
        assert outcome(parsers[0], text, 2, 5, 0, 100) == "refused"


def test_old_sizes_off_a_grown_lot_can_be_rounded_down(parsers):
    raw = b'[["200000.00000000","25.42618900"],["80000.00","0.00000900"]]'
    assert outcome(parsers[0], raw, 2, 1, 5, 1) == "refused"
    assert unpack_levels(parsers[0](raw, 2, 1, 5, 1, True)) == [(20000000, 2542618), (8000000, 0)]
    assert outcome(parsers[0], b'[["1.001","1"]]', 2, 1, 5, 1, True) == "refused"
    assert outcome(parsers[0], b'[["1","1.23x"]]', 2, 1, 1, 1, True) == "refused"


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[", b"]", b"{}", b"[[]]", b'[["1"]]', b'[["1","2","3"]]', b'["1","2"]', b'[["1","2"]', b'[["1","2"],]',
        b'[["1","2"]]x', b'[["1","2"]["1","2"]]', b"[[1,2]]", b'[["","2"]]', b'[["1.","2"]]', b'[[".5","2"]]',
        b'[["-1","2"]]', b'[["+1","2"]]', b'[["1e3","2"]]', b'[[" 1","2"]]', b'[["1 ","2"]]', b'[["1..0","2"]]',
        b'[["1.0.0","2"]]', b'[["0","2"]]', b'[["0.00","2"]]', b'[["nan","2"]]', b'[["1","2]]', b'[["1\\u0030","2"]]',
        b'[["\xd9\xa1","2"]]', b'[["1","2"]],', b'[,["1","2"]]', b"[[", b'[["', b'[["1', b'[["1"', b'[["1",',
        b'[["9007199254740992","1"]]', b'[["1","99999999999999999999999999"]]', b'[["1","2"]]\0', b"null",
        b'[["922337203685477580800","1"]]', b'[["1","2"],null]',
    ],
)  # fmt: skip
def test_anything_else_is_refused(parsers, text):
    with pytest.raises(ValueError, match="levels:"):
        parsers[0](text, 2, 1, 5, 1)


def test_numbers_up_to_the_limit_are_read_and_not_beyond(parsers):
    assert unpack_levels(parsers[0](b'[["%d","0"]]' % MAX_INT, 0, 1, 0, 1)) == [(MAX_INT, 0)]
    assert outcome(parsers[0], b'[["%d","0"]]' % (MAX_INT + 1), 0, 1, 0, 1) == "refused"
    assert parsers[2]("9223372036854775807", 0, 1024 * 1024) == "refused" if (2**63 - 1) % 2**20 == 0 else True
    assert parsers[2](str(2**63 - 2**20), 0, 2**20) == 2**43 - 1
    assert outcome(parsers[2], str(2**63), 0, 2**20) == "refused"


def test_an_array_is_parsed_where_it_stands_in_a_frame(parsers):
    frame = b'{"U":1,"b":[["1.5","2"]],"a":[]}'
    packed, end = parsers[1](frame, frame.index(b'"b":') + 4, 1, 1, 0, 1)
    assert (unpack_levels(packed), frame[end:]) == ([(15, 2)], b',"a":[]}')
    assert parsers[1](frame, frame.index(b'"a":') + 4, 1, 1, 0, 1) == (b"", len(frame) - 1)
    for start in (-1, 0, 5, len(frame), len(frame) + 1):
        assert outcome(parsers[1], frame, start, 1, 1, 0, 1) == "refused"


@pytest.mark.parametrize("scale", [(-1, 1, 0, 1), (19, 1, 0, 1), (0, 0, 0, 1), (0, 1, 0, -1), (0, 1, 99, 1)])
def test_a_scale_that_makes_no_sense_is_refused(parsers, scale):
    with pytest.raises(ValueError, match="invalid scale"):
        parsers[0](b"[]", *scale)


def test_a_decimal_is_read_exactly(parsers):
    assert parsers[2]("61737.63000000", 2) == parsers[2](b"61737.63", 2) == 6173763
    for text in ("61737.635", "", ".", "1.", ".1", "x", "1x", "-1", "1 ", "\u0661"):
        assert outcome(parsers[2], text, 2) == "refused"


def test_packing_and_unpacking_are_inverse():
    levels = [(1, 0), (MAX_INT, 5)]
    assert unpack_levels(pack_levels(levels)) == levels
    with pytest.raises(ValueError, match="not a multiple"):
        unpack_levels(b"123")


scales = st.tuples(
    st.integers(0, 8), st.sampled_from([1, 2, 5, 25, 100]), st.integers(0, 8), st.sampled_from([1, 3, 10])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), max_size=40), scales)
def test_what_decimal_prints_is_read_back(levels, scale):
    price_digits, price_step, size_digits, size_step = scale
    texts = [
        [
            f"{Decimal(p * price_step).scaleb(-price_digits):f}",
            f"{Decimal(s * size_step).scaleb(-size_digits):f}",
        ]
        for p, s in levels
    ]
    for separators in ((",", ":"), (" , ", ": ")):
        raw = json.dumps(texts, separators=separators).encode()
        for parse, _, _ in PARSERS:
            assert unpack_levels(parse(raw, *scale)) == levels


FRAGMENTS = b'[ ] " , . 0 1 95 00 x \xff ["1","2"] 00000000 12345678 .12345600" .1234560x'.split(b" ")
FRAGMENTS += [b" ", b"\n"]
fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(b"".join)
eights = st.tuples(
    st.integers(0, 10**13), st.text("0123456789", min_size=6, max_size=9), st.sampled_from(["", "x"])
).map(lambda parts: f'[["1","{parts[0]}.{parts[1]}{parts[2]}"]]'.encode())


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.one_of(st.binary(max_size=60), fragments, eights), scales, st.booleans())
@example(b'[["1","2"]', (0, 1, 0, 1), False)
def test_both_implementations_agree_on_any_bytes(raw, scale, floor_lots):
    assert len({outcome(parse, raw, *scale, floor_lots) for parse, _, _ in PARSERS}) == 1
    assert len({outcome(scan, raw, 0, *scale, floor_lots) for _, scan, _ in PARSERS}) == 1
    assert len({outcome(decimal, raw, *scale[:2]) for _, _, decimal in PARSERS}) == 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_frame_with_one_byte_damaged_is_read_alike_or_refused(data):
    raw = bytearray(b'[["61737.63000000","0.00000000"],["61730.17000000","1.54698000"]]')
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw)[: data.draw(st.integers(0, len(raw)))]
    for text in (bytes(raw), cut):
        assert len({outcome(parse, text, 2, 1, 5, 1) for parse, _, _ in PARSERS}) == 1
