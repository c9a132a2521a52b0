"""Tapped messages as lines."""

import json
from decimal import Decimal

from actors.tap import Tapped
from monitor.lines import as_json, as_line, as_raw
from monitor.meter import Meter
from protocol import Fill, OrdStatus, Stages, TickReport, topics


def test_a_line_has_time_topic_seq_lag_and_the_main_fields(tapped):
    assert as_line(tapped.book()) == (
        "22:13:20.000000 md.binance.BTC-USDT.book.          #1       +0.4ms  "
        "BookSnapshot 7  bids [2] 9999x20 9998x5  asks [2] 10001x30 10003x7"
    )
    assert as_line(tapped.order("a-1", OrdStatus.NEW)).endswith("a-1 NEW BUY 4 @ 9998 ticks  filled 0")
    assert as_line(tapped.fill(1)).endswith("FILL a BUY 2 @ 9998 ticks  fee 0.000002 BTC")
    report = TickReport(5, 0, 0, 1_200_000, 0, [("maker", 400.4)], ["binance"])
    assert as_line(tapped(topics.ticks("clockd"), report)).endswith("tick 5 took 1200us  maker 400us  LATE ['binance']")
    stages = Stages([("parse", 40, 17.4, 94.2), ("book", 40, 13.8, 78.0)])
    assert as_line(tapped(topics.stages("binance"), stages)).endswith("us parse 17/94  book 14/78")


def test_json_has_every_field_by_name_and_levels_as_pairs(tapped):
    found = json.loads(as_json(tapped.book()))
    assert found["topic"] == "md.binance.BTC-USDT.book."
    assert (found["src"], found["seq"], found["type"], found["lag_ns"]) == ("binance", 1, "BookSnapshot", 400_000)
    assert found["body"]["bids"] == [[9999, 20], [9998, 5]]
    assert found["body"]["state"] == "LIVE"
    assert json.loads(as_json(tapped.fill(3)))["body"]["fee"] == str(Decimal("0.00000200"))


def test_the_keys_of_json_are_the_names_of_the_fields(tapped):
    assert tuple(json.loads(as_json(tapped.fill(3)))["body"]) == Fill.__struct_fields__


def test_a_message_of_an_unknown_type_is_shown(tapped):
    strange = Tapped("md.x.y.z.", "x", 1, 9, tapped.now_ns, tapped.now_ns, None, ["Novelty", 1, "two"])
    assert as_line(strange).endswith("Novelty (of an unknown type)")
    assert json.loads(as_json(strange))["body"] == ["Novelty", 1, "two"]
    assert as_raw(strange).endswith("['Novelty', 1, 'two']")


def test_raw_shows_the_message_as_it_is(tapped):
    assert "OrderUpdate(owner='maker'" in as_raw(tapped.order("a", OrdStatus.NEW))


def test_the_last_line_has_the_rate_the_lag_and_the_losses(tapped):
    meter = Meter()
    for _ in range(1204):
        meter.add(tapped.fill(1))
    assert meter.line(5.0, 3) == "-- 1,204 msgs 5.0s  241/s  lost 3  lag p50 0.4ms p99 0.4ms max 0.4ms"
