"""Market data endpoints: shapes as the documents show them, and what they say."""

import json

import pytest


@pytest.fixture
def traded(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "2", "60000", who="bob")
    world.order("SELL", "2", "60100", who="bob")
    world.order("BUY", "1", "59900", who="bob")
    world.order("BUY", "3")
    return world


def test_a_kline_sums_its_trades(traded):
    ours = traded.get("klines", symbol="BTCUSDT", interval="1m")
    assert ours[0][1:6] == [
        "60000.00000000",
        "60100.00000000",
        "60000.00000000",
        "60100.00000000",
        "3.00000000",
    ]
    assert ours[0][7:11] == ["180100.00000000", 2, "3.00000000", "180100.00000000"]
    assert traded.get("klines", symbol="BTCUSDT", interval="7m")["code"] == -1120


def test_the_book_is_sorted_and_cut(traded):
    book = traded.get("depth", symbol="BTCUSDT", limit=1)
    assert book["asks"] == [["60100.00000000", "1.00000000"]]
    assert book["bids"] == [["59900.00000000", "1.00000000"]]
    assert traded.get("depth", symbol="NONE")["code"] == -1121
    assert traded.get("depth")["code"] == -1102


def test_trades_are_told_singly_and_in_aggregates(traded):
    rows = traded.get("trades", symbol="BTCUSDT")
    assert [(row["price"], row["qty"], row["isBuyerMaker"]) for row in rows] == [
        ("60000.00000000", "2.00000000", False),
        ("60100.00000000", "1.00000000", False),
    ]
    assert [(row["p"], row["f"], row["l"]) for row in traded.get("aggTrades", symbol="BTCUSDT")] == [
        ("60000.00000000", 1, 1),
        ("60100.00000000", 2, 2),
    ]
    assert [row["id"] for row in traded.get("historicalTrades", symbol="BTCUSDT", fromId=2)] == [2]


def test_the_average_price_weighs_by_volume(traded):
    assert traded.get("avgPrice", symbol="BTCUSDT")["price"] == "60033.33333333"


def test_times_come_in_microseconds_for_those_who_ask(traded):
    answer = traded.request("GET", "/api/v3/time", headers={"x-mbx-time-unit": "MICROSECOND"})
    assert json.loads(answer.body)["serverTime"] == traded.now_ns // 1000
    wrong = traded.request("GET", "/api/v3/time", headers={"x-mbx-time-unit": "FORTNIGHT"})
    assert json.loads(wrong.body)["code"] == -1194


def test_sbe_is_declined_and_unknown_paths_are_not_found(traded):
    answer = traded.request("GET", "/api/v3/time", headers={"x-mbx-sbe": "3:1"})
    assert json.loads(answer.body)["code"] == -1155
    assert traded.request("GET", "/api/v3/nothing").status == 404
    assert traded.request("PUT", "/api/v3/order").status == 405


def test_several_symbols_at_once(traded):
    assert [row["symbol"] for row in traded.get("ticker/price", symbols='["BTCUSDT"]')] == ["BTCUSDT"]
    assert traded.get("ticker/price", symbols='["BTCUSDT","NO"]')["code"] == -1121
    assert traded.get("ticker/price", symbols="BTCUSDT")["code"] == -1100
