"""Market data endpoints: answers in the documented shapes, and their contents."""

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


def test_trades_are_listed_singly_and_in_aggregates(traded):
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
    assert traded.request("POST", "/api/v3/userDataStream").status == 410, "listen keys were removed"


def test_several_symbols_at_once(traded):
    assert [row["symbol"] for row in traded.get("ticker/price", symbols='["BTCUSDT"]')] == ["BTCUSDT"]
    assert traded.get("ticker/price", symbols='["BTCUSDT","NO"]')["code"] == -1121
    assert traded.get("ticker/price", symbols="BTCUSDT")["code"] == -1100


def test_klines_from_a_start_are_the_oldest_and_else_the_newest(traded):
    world = traded
    for price in ("60100", "60100", "60100"):
        world.advance(60_000)
        world.order("BUY", "0.1", price)
    first = world.get("klines", symbol="BTCUSDT", interval="1m")[0][0]
    opens = [first + n * 60_000 for n in range(4)]

    def requested(**params):
        return [row[0] for row in world.get("klines", symbol="BTCUSDT", interval="1m", **params)]

    assert requested() == opens
    assert requested(limit=2) == opens[2:]
    assert requested(limit=2, startTime=first) == opens[:2]
    assert requested(limit=2, endTime=opens[2]) == opens[1:3]
    assert requested(startTime=opens[1] * 1000, endTime=opens[2] * 1000) == opens[1:3]
    assert requested(startTime=opens[1] + 1) == opens[2:]


@pytest.mark.parametrize("interval", ["1s", "1M"])
@pytest.mark.parametrize("moment", [0, 1, 10**14, 2**63 - 1])
def test_klines_of_any_time_are_answered(traded, interval, moment):
    """Found by hand: the first of a month is sought in years that a calendar does not have."""
    known = traded.get("klines", symbol="BTCUSDT", interval=interval)
    for bound in ("startTime", "endTime"):
        assert traded.get("klines", symbol="BTCUSDT", interval=interval, **{bound: moment}) in ([], known)


def test_a_day_opens_by_its_time_zone(traded):
    rows = {zone: traded.get("uiKlines", symbol="BTCUSDT", interval="1d", timeZone=zone)[0] for zone in ("0", "8")}
    day_ms = 86_400_000
    assert rows["0"][0] % day_ms == 0
    assert (rows["8"][0] + 8 * 3_600_000) % day_ms == 0
    assert rows["8"][6] - rows["8"][0] == day_ms - 1
    day = traded.get("ticker/tradingDay", symbol="BTCUSDT", timeZone="8")
    assert (day["openTime"], day["closeTime"], day["count"]) == (rows["8"][0], rows["8"][6], 2)


def test_a_window_opens_on_a_minute_and_sums_what_is_in_it(traded):
    traded.advance(180_000)
    traded.order("BUY", "0.5", "60100")
    now_ms = traded.now_ns // 10**6
    short = traded.get("ticker", symbol="BTCUSDT", windowSize="1m")
    assert (short["openTime"], short["closeTime"]) == ((now_ms - 60_000) // 60_000 * 60_000, now_ms)
    assert (short["count"], short["volume"], short["openPrice"]) == (1, "0.50000000", "60100.00000000")
    long = traded.get("ticker", symbol="BTCUSDT", windowSize="5m")
    assert (long["count"], long["priceChange"], long["priceChangePercent"]) == (3, "100.00000000", "0.166")
    assert long["weightedAvgPrice"] == "60042.85714285"


def test_trades_are_found_by_id_and_by_time(traded):
    first_ms = traded.now_ns // 10**6
    traded.advance(5000)
    traded.order("BUY", "0.5", "60100")
    second_ms = traded.now_ns // 10**6

    def ids(**params):
        return [row["a"] for row in traded.get("aggTrades", symbol="BTCUSDT", **params)]

    assert ids() == [1, 2, 3]
    assert ids(limit=2) == [2, 3]
    assert ids(fromId=2) == [2, 3]
    assert ids(fromId=1, limit=1) == [1]
    assert ids(startTime=first_ms, limit=1) == [1]
    assert ids(startTime=second_ms) == [3]
    assert ids(endTime=second_ms - 1) == [1, 2]
    assert ids(startTime=first_ms, endTime=first_ms) == [1, 2]
    old = traded.get("historicalTrades", symbol="BTCUSDT")
    assert [row["id"] for row in old] == [1, 2, 3]


def test_exchange_information_for_some_symbols_and_permissions(traded):
    def names(**params):
        return [row["symbol"] for row in traded.get("exchangeInfo", **params)["symbols"]]

    assert names() == names(symbols='["BTCUSDT"]') == names(permissions="SPOT") == ["BTCUSDT"]
    assert names(permissions='["MARGIN","LEVERAGED"]') == []
    assert (names(symbolStatus="TRADING"), names(symbolStatus="HALT")) == (["BTCUSDT"], [])
    shown = traded.get("exchangeInfo", showPermissionSets="false")["symbols"][0]
    assert shown["permissionSets"] == []
    assert traded.get("exchangeInfo")["symbols"][0]["permissionSets"] == [["SPOT"]]
    assert traded.get("exchangeInfo", symbol="NONE")["code"] == -1121


def test_a_symbol_in_another_state_is_left_out_of_several(traded):
    traded.exchange.engine.symbols["BTCUSDT"].status = "HALT"
    assert traded.get("ticker/price", symbolStatus="TRADING") == []
    assert traded.get("ticker/price", symbol="BTCUSDT", symbolStatus="TRADING")["code"] == -1220
    assert traded.get("depth", symbol="BTCUSDT", symbolStatus="HALT")["lastUpdateId"] > 0
