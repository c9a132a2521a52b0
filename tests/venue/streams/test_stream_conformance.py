"""Every stream of the documents: its name is served, at the documented speed, with the documented keys and types."""

import pytest

from venue.base.settings import MarketSettings, ReferenceSettings

# title in the documents: the stream, and how many events two seconds with one trade in each bring
STREAMS = {
    "Reference Price Streams": ("btcusdt@referencePrice", 2),
    "Aggregate Trade Streams": ("btcusdt@aggTrade", 2),
    "Trade Streams": ("btcusdt@trade", 2),
    "Block Trade Streams": ("btcusdt@blockTrade", 0),  # there are no block trades here
    "Kline/Candlestick Streams for UTC": ("btcusdt@kline_1m", 1),
    "Kline/Candlestick Streams with timezone offset": ("btcusdt@kline_1d@+08:00", 1),
    "Individual Symbol Mini Ticker Stream": ("btcusdt@miniTicker", 2),
    "All Market Mini Tickers Stream": ("!miniTicker@arr", 2),
    "Individual Symbol Ticker Streams": ("btcusdt@ticker", 2),
    "Individual Symbol Rolling Window Statistics Streams": ("btcusdt@ticker_1h", 2),
    "All Market Rolling Window Statistics Streams": ("!ticker_4h@arr", 2),
    "Individual Symbol Book Ticker Streams": ("btcusdt@bookTicker", 2),
    "Average Price": ("btcusdt@avgPrice", 2),
    "Partial Book Depth Streams": ("btcusdt@depth5@100ms", 20),
    "Diff. Depth Stream": ("btcusdt@depth", 2),
}


@pytest.fixture
def market(world):
    """A still market with asks to take and bids below."""
    still = world().settings.markets[0].flow
    one = world(markets=[MarketSettings(flow=still, reference_price=ReferenceSettings())])
    for price in ("60000", "60100", "60200"):
        one.order("SELL", "1", price, who="bob")
    one.order("BUY", "1", "50000", who="bob")
    one.advance(2000)  # earlier changes are published
    return one


def two_seconds(one):
    for _ in range(2):
        one.order("BUY", "0.4", "60000")
        one.order("BUY", "0.1", "49000", who="bob")
        one.advance(1000)


def test_every_documented_stream_is_tried(documented):
    assert {row["title"] for row in documented["streams"] if row["stream"]} == set(STREAMS)


@pytest.mark.parametrize("title", STREAMS)
def test_a_stream_has_the_documented_content_and_speed(market, documented, misfit, title):
    name, expected = STREAMS[title]
    conn_id = market.open("/ws/" + name)
    two_seconds(market)
    events = market.received(conn_id)
    assert len(events) == expected
    (example,) = next(row["examples"] for row in documented["streams"] if row["title"] == title)
    if isinstance(example, list):  # "Same as <symbol>@... payload"
        single = title.replace("All Market", "Individual Symbol").replace("Mini Tickers", "Mini Ticker")
        example = [next(row["examples"][0] for row in documented["streams"] if row["title"] == single)]
    assert [misfit(event, [example]) for event in events] == [None] * expected


def test_the_answers_to_control_messages_are_the_documented_ones(market, documented):
    conn_id = market.open("/ws")
    for row in documented["streams"]:
        if not row["stream"] and row["title"] != "Server Shutdown":
            requested, answered = row["examples"]
            assert market.send(conn_id, **requested) == [answered]


def test_a_combined_stream_with_a_time_zone_may_be_named_in_the_address(market):
    conn_id = market.open("/stream", "streams=btcusdt@kline_1d@+08:00/btcusdt@trade&timeUnit=microsecond")
    two_seconds(market)
    candle, trade = market.received(conn_id)[-1], market.received(conn_id)[0]
    assert candle["stream"] == "btcusdt@kline_1d@+08:00"
    assert (candle["data"]["k"]["t"] // 10**6 + 8 * 3600) % 86_400 == 0
    assert candle["data"]["k"]["T"] - candle["data"]["k"]["t"] == 86_400 * 10**6 - 1
    assert trade["data"]["E"] > 10**15


def test_arrays_have_only_changed_symbols(market):
    conn_id = market.open("/ws/!ticker_1d@arr")
    market.advance(3000)
    assert market.received(conn_id) == []
    market.order("BUY", "0.4", "60000")
    market.advance(1000)
    ((row,),) = market.received(conn_id)
    assert (row["e"], row["n"], row["O"] % 60_000) == ("1dTicker", 1, 0)


@pytest.mark.parametrize("name", ["!ticker@arr", "!bookTicker"])
def test_streams_that_are_gone_stay_silent(market, name):
    conn_id = market.open("/ws/" + name)
    two_seconds(market)
    assert market.received(conn_id) == []
