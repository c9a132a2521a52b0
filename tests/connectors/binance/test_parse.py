"""Frames to messages: golden frames, and invalid bytes."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.binance.market import BinanceMarket
from connectors.binance.parse import FastParser, PlainParser, new_parser
from connectors.core.market_api import BadFrame, FinerFrame
from market.instrument import Instrument
from market.levels import unpack_levels
from market.rules import instrument_in_scale
from market.scale import Scale
from protocol import Message

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "binance"
BTC = Instrument("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"))


def learnt(parser):
    parser.add_market("BTCUSDT", BTC)
    return parser


PLAIN = learnt(PlainParser())
FAST = learnt(FastParser(PlainParser())) if FastParser is not None else PLAIN
DEPTH = (
    b'{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":157,"u":160,'
    b'"b":[["61737.63000000","0.00000000"]],"a":[["61837.64000000","1.54698000"],["61839.85","2"]]}'
)
TOP = b'{"u":400900217,"s":"BTCUSDT","b":"25.35000000","B":"31.21000000","a":"25.36000000","A":"40.66000000"}'
TRADE = (
    b'{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"16800.01","q":"0.00100000",'
    b'"T":1672515782134,"m":true,"M":true}'
)


def outcome(parser, frame):
    """What a parser makes of a frame; the one error it may raise is an outcome too."""
    try:
        return parser.parse(frame, 5)
    except BadFrame:
        return "bad"


def shown(events):
    """Events as JSON with levels as pairs, as the golden files have them."""
    rows = []
    for event in events:
        row = {name: getattr(event, name) for name in event.__struct_fields__}
        for side in ("bids", "asks"):
            if side in row:
                row[side] = unpack_levels(row[side])
        rows.append({"kind": type(event).__name__, **row})
    return json.loads(msgspec.json.encode(rows))


def golden_cases():
    return [
        pytest.param(case, id=f"{path.stem}-{n}")
        for path in sorted(GOLDEN.glob("*.json"))
        for n, case in enumerate(json.loads(path.read_text()))
    ]


@pytest.mark.parametrize("parser", [PLAIN, FAST], ids=["plain", "fast"])
@pytest.mark.parametrize("case", golden_cases())
def test_golden_frames(case, parser):
    frame = case["frame"].encode()
    assert (shown(parser.parse(frame, 5)) if outcome(parser, frame) != "bad" else "bad") == case["says"]


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_counted(data):
    assert outcome(FAST, data) == outcome(PLAIN, data)


@given(frame=st.sampled_from([DEPTH, TOP, TRADE]), edits=st.data())
@settings(max_examples=400)
def test_both_implementations_parse_damaged_frames_alike(frame, edits):
    wrapped = edits.draw(st.booleans())
    data = bytearray(b'{"stream":"btcusdt@x","data":' + frame + b"}" if wrapped else frame)
    for _ in range(edits.draw(st.integers(0, 4))):
        at = edits.draw(st.integers(0, len(data) - 1))
        data[at : at + edits.draw(st.integers(0, 3))] = edits.draw(
            st.sampled_from([b"", b"0", b"9", b".", b'"', b",", b"-", b" ", b"}", b"]", b"e", b"\\", b"\xff", b"null"])
        )
    assert outcome(FAST, bytes(data)) == outcome(PLAIN, bytes(data))


numbers = st.decimals(0, 10**7, places=8, allow_nan=False, allow_infinity=False)


@given(
    levels=st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**10)), max_size=20),
    first_id=st.integers(0, 2**53),
    more=st.integers(0, 10**6),
    time_ms=st.integers(-1, 2**44),
    digits=st.integers(0, 8),
)
@example(levels=[], first_id=2**53 - 1, more=0, time_ms=0, digits=8)
@example(levels=[], first_id=2**53, more=0, time_ms=0, digits=8)
def test_every_delta_comes_out_as_it_went_in(levels, first_id, more, time_ms, digits):
    pairs = [[str(BTC.price(ticks)), f"{BTC.size(lots):.{max(digits, 5)}f}"] for ticks, lots in levels]
    row = {
        "e": "depthUpdate", "E": time_ms, "s": "BTCUSDT", "U": first_id, "u": first_id + more,
        "b": pairs, "a": pairs[:3],
    }  # fmt: skip
    frame = msgspec.json.encode(row)
    out = outcome(FAST, frame)
    assert out == outcome(PLAIN, frame)
    if 0 <= time_ms < 2**43 and first_id + more <= 2**53 - 1:
        (delta,) = out
        assert (delta.first_id, delta.update_id) == (first_id, first_id + more)
        assert (unpack_levels(delta.bids), unpack_levels(delta.asks)) == (levels, levels[:3])
        assert delta.ts_event_ns == time_ms * 1_000_000
    else:
        assert out == "bad"


@given(bid=numbers, bid_size=numbers, ask=numbers, ask_size=numbers)
def test_both_implementations_parse_best_prices_and_trades_alike(bid, bid_size, ask, ask_size):
    top = f'{{"u":5,"s":"BTCUSDT","b":"{bid}","B":"{bid_size}","a":"{ask}","A":"{ask_size}"}}'.encode()
    assert outcome(FAST, top) == outcome(PLAIN, top)
    trade = TRADE.replace(b"16800.01", str(ask).encode()).replace(b"0.00100000", str(ask_size).encode())
    assert outcome(FAST, trade) == outcome(PLAIN, trade)


def test_the_frames_as_the_exchange_sends_them_take_the_fast_way():
    if FastParser is None:
        pytest.skip("the Cython implementation is not compiled")

    class Never(PlainParser):
        def parse(self, frame, ts_recv_ns):
            raise AssertionError(f"left to the Python implementation: {frame!r}")

    parser = learnt(FastParser(Never()))
    for frame in (DEPTH, TOP, TRADE, TRADE.replace(b'"m":true', b'"m":false')):
        (raw,) = parser.parse(frame, 5)
        assert isinstance(raw, Message)
        assert parser.parse(b'{"stream":"btcusdt@depth@100ms","data":' + frame + b"}", 5) == (raw,)


def test_a_market_that_was_not_added_is_refused():
    for frame in (DEPTH, TOP, TRADE):
        with pytest.raises(BadFrame, match="not one of our markets"):
            new_parser().parse(frame, 5)


def test_a_number_between_two_ticks_or_lots_names_the_scale_that_it_needs():
    frames = {
        Scale(3, 5): DEPTH.replace(b"61839.85", b"61839.855"),
        Scale(2, 6): DEPTH.replace(b'"2"', b'"2.000019"'),
        Scale(3, 8): TOP.replace(b"31.21000000", b"31.21000999").replace(b"25.3600", b"25.3610"),
    }
    for scale, frame in frames.items():
        for parser in (new_parser(), PlainParser()):
            parser.add_market("BTCUSDT", BTC)
            with pytest.raises(FinerFrame) as finer:
                parser.parse(frame, 5)
            assert (finer.value.symbol, finer.value.scale) == (BTC.symbol, scale)
            parser.add_market("BTCUSDT", instrument_in_scale(BTC, scale))
            (message,) = parser.parse(frame, 5)
            assert (message.price_digits, message.size_digits) == (scale.price_digits, scale.size_digits)


def test_a_number_that_fits_no_scale_is_an_invalid_frame_of_its_market():
    for text in (b"0.0000000000000000001", b"123456789.00000001"):
        with pytest.raises(BadFrame) as invalid:
            FAST.parse(DEPTH.replace(b"61839.85", text), 5)
        assert not isinstance(invalid.value, FinerFrame)
        assert invalid.value.symbol == BTC.symbol


def test_a_market_whose_name_is_not_ascii_is_requested_and_read_as_any_other():
    symbol, name = "币安人生-USDT", "币安人生USDT"
    market = BinanceMarket("http://x", "ws://x")
    assert market.rules_request([symbol]).request.url.endswith("%5B%22%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT%22%5D")
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.1", "maxQty": "900", "stepSize": "0.1"},
    ]
    row = {"symbol": name, "status": "TRADING", "baseAsset": "币安人生", "quoteAsset": "USDT", "filters": filters}
    (rules,) = market.parse_rules(json.dumps({"symbols": [row]}).encode())
    market.add_market(rules)
    frame = {"e": "depthUpdate", "E": 1, "s": name, "U": 1, "u": 2, "b": [["1.00", "1.0"]], "a": []}
    for text in (json.dumps(frame), json.dumps(frame, ensure_ascii=False, separators=(",", ":"))):
        (delta,) = market.parse(text.encode(), 0)
        assert (delta.symbol, delta.update_id) == (symbol, 2)
