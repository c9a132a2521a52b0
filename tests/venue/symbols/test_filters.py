"""The filters of filters.md, each met by an order that just passes and one that just does not."""

from decimal import Decimal as D

import pytest

from venue.base.settings import AccountSettings, FlowSettings, KeySettings, MarketSettings, ReferenceSettings
from venue.base.venue_errors import BadVenue

STILL = FlowSettings(limit_rate=0, market_rate=0)


def market(**changes):
    changes.setdefault("start_price", D(100))
    changes.setdefault("lot_size", D("0.001"))
    changes.setdefault("min_size", D("0.001"))
    changes.setdefault("min_notional", D(0))
    return MarketSettings(flow=STILL, **changes)


def rich(name, **more):
    key = KeySettings(api_key=f"key-{name}", secret=f"secret-{name}")
    return AccountSettings(name=name, keys=[key], balances={"BTC": D(10**6), "USDT": D(10**9)}, **more)


@pytest.fixture
def exchange(world):
    def make(ann=None, max_orders=None, **changes):
        accounts = [ann or rich("ann"), rich("bob")]
        return world(markets=[market(**changes)], accounts=accounts, max_orders=max_orders)

    return make


def check(world, name, good, bad):
    """`good` orders are taken, `bad` ones refused by the filter; each is (side, size, price), or its parameters."""
    for order in good:
        answered, body = place(world, order)
        assert answered == 200, (order, body)
    for order in bad:
        assert place(world, order) == (400, {"code": -1013, "msg": f"Filter failure: {name}"}), order


def place(world, order):
    if isinstance(order, dict):
        return world.signed("POST", "order", symbol="BTCUSDT", **order)
    return world.order(*order)


def row(world, name):
    (symbol,) = world.get("exchangeInfo")["symbols"]
    (found,) = [one for one in symbol["filters"] if one["filterType"] == name]
    return found


def test_price_filter(exchange):
    world = exchange(min_price=D(50), max_price=D(200), tick_size=D("0.5"))
    assert row(world, "PRICE_FILTER") == {
        "filterType": "PRICE_FILTER",
        "minPrice": "50.00000000",
        "maxPrice": "200.00000000",
        "tickSize": "0.50000000",
    }
    good = [("BUY", "1", "50"), ("SELL", "1", "200"), ("BUY", "1", "60.5")]
    check(world, "PRICE_FILTER", good, [("BUY", "1", "49.5"), ("SELL", "1", "200.5"), ("BUY", "1", "60.25")])


def test_price_filter_without_bounds(exchange):
    wide = {"bid_multiplier_down": D(0), "ask_multiplier_up": D(10**9)}
    world = exchange(min_price=D(0), max_price=D(0), **wide)
    check(world, "PRICE_FILTER", [("BUY", "1", "0.01"), ("SELL", "1", "8999999")], [])
    assert place(world, ("BUY", "1", "0"))[1]["msg"] == "Price * QTY is zero or less."


def test_percent_price(exchange):
    world = exchange(multiplier_up=D("1.3"), multiplier_down=D("0.7"))
    assert row(world, "PERCENT_PRICE") == {
        "filterType": "PERCENT_PRICE",
        "multiplierUp": "1.3000",
        "multiplierDown": "0.7000",
        "avgPriceMins": 5,
    }
    good = [("BUY", "1", "70"), ("SELL", "1", "130")]
    bad = [("BUY", "1", "69.99"), ("SELL", "1", "130.01"), ("BUY", "1", "130.01"), ("SELL", "1", "69.99")]
    check(world, "PERCENT_PRICE", good, bad)


def test_percent_price_by_side(exchange):
    bands = {"bid_multiplier_up": D("1.2"), "bid_multiplier_down": D("0.2")}
    world = exchange(**bands, ask_multiplier_up=D(5), ask_multiplier_down=D("0.8"))
    assert row(world, "PERCENT_PRICE_BY_SIDE") == {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": "1.2",
        "bidMultiplierDown": "0.2",
        "askMultiplierUp": "5",
        "askMultiplierDown": "0.8",
        "avgPriceMins": 5,
    }
    good = [("BUY", "1", "20"), ("SELL", "1", "500"), ("SELL", "1", "121"), ("BUY", "1", "79")]
    bad = [("BUY", "1", "19.99"), ("BUY", "1", "120.01"), ("SELL", "1", "500.01"), ("SELL", "1", "79.99")]
    check(world, "PERCENT_PRICE_BY_SIDE", good, bad)


@pytest.mark.parametrize(("minutes", "highest"), [(5, "115.5"), (0, "121")])
def test_prices_are_measured_by_the_average_or_the_last_price(exchange, minutes, highest):
    world = exchange(multiplier_up=D("1.1"), multiplier_down=D("0.3"), average_minutes=minutes)
    for price in ("95", "100", "110"):
        world.order("SELL", "1", price, who="bob")
        world.order("BUY", "1", price)
        if price == "95":
            world.advance(400_000)
    check(world, "PERCENT_PRICE", [("SELL", "1", highest)], [("SELL", "1", D(highest) + D("0.01"))])


def test_prices_are_measured_by_the_reference_price_while_there_is_one(exchange):
    reference = ReferenceSettings(bucket_count=2, bucket_width_ms=1000)
    world = exchange(multiplier_up=D("1.1"), multiplier_down=D("0.3"), min_notional=D(10), reference_price=reference)
    for price in ("100", "110"):
        world.order("SELL", "1", price, who="bob")
        world.order("BUY", "1", price)
        world.advance(5000)
    over = ("SELL", "1", "115.51")
    check(world, "PERCENT_PRICE", [("SELL", "1", "115.5")], [over])
    world.order("SELL", "1", "110", who="bob")
    world.order("BUY", "1", "110")
    check(world, "PERCENT_PRICE", [over, ("SELL", "1", "121")], [("SELL", "1", "121.01")])
    world.order("SELL", "1", "115", who="bob")
    check(world, "NOTIONAL", [], [("BUY", "0.09", None)])
    check(world, "NOTIONAL", [("BUY", "0.091", None)], [])
    world.advance(5000)
    check(world, "PERCENT_PRICE", [("SELL", "1", "117")], [("SELL", "1", "118")])


def test_lot_size(exchange):
    world = exchange(min_size=D("0.002"), max_size=D(50))
    good = [("BUY", "0.002", "50"), ("BUY", "50", "50"), ("BUY", "0.003", "50")]
    check(world, "LOT_SIZE", good, [("BUY", "0.001", "50"), ("BUY", "50.001", "50"), ("BUY", "0.0025", "50")])


def test_market_lot_size(exchange):
    world = exchange(market_min_size=D("0.01"), market_max_size=D(5), market_lot_size=D("0.01"))
    assert row(world, "MARKET_LOT_SIZE") == {
        "filterType": "MARKET_LOT_SIZE",
        "minQty": "0.01000000",
        "maxQty": "5.00000000",
        "stepSize": "0.01000000",
    }
    world.order("SELL", "1000", "100", who="bob")
    good = [("BUY", "0.01", None), ("BUY", "5", None), ("BUY", "0.001", "50")]
    check(world, "MARKET_LOT_SIZE", good, [("BUY", "0.005", None), ("BUY", "5.01", None), ("BUY", "0.015", None)])


def test_orders_by_quote_quantity_meet_the_lots_of_the_book(exchange):
    world = exchange(min_size=D("0.01"), market_min_size=D("0.1"), market_lot_size=D("0.01"))

    def buy(quote):
        return world.order("BUY", None, quoteOrderQty=quote)[1]

    text = "Order book liquidity is less than {} minimum quantity."
    assert buy(50) == {"code": -2010, "msg": text.format("symbol")}
    world.order("SELL", "0.029", "100", who="bob")
    assert buy(50) == {"code": -2010, "msg": text.format("`MARKET_LOT_SIZE` filter")}
    assert buy("0.5") == {"code": -2010, "msg": text.format("`LOT_SIZE` filter")}
    world.order("SELL", "1", "100", who="bob")
    assert buy("12.9")["executedQty"] == "0.12000000", "whole market lots"


def test_notional(exchange):
    world = exchange(min_notional=D(10), max_notional=D(1000))
    assert row(world, "NOTIONAL") == {
        "filterType": "NOTIONAL",
        "minNotional": "10.00000000",
        "applyMinToMarket": True,
        "maxNotional": "1000.00000000",
        "applyMaxToMarket": False,
        "avgPriceMins": 5,
    }
    world.order("SELL", "9", "100", who="bob")
    world.order("SELL", "9", "100", who="bob")
    good = [("BUY", "0.2", "50"), ("BUY", "20", "50"), ("BUY", "0.1", None), ("BUY", "10.1", None)]
    bad = [("BUY", "0.199", "50"), ("BUY", "20.001", "50"), ("BUY", "0.099", None)]
    check(world, "NOTIONAL", good, bad)
    by_quote = {"side": "BUY", "type": "MARKET", "quoteOrderQty": "9.99"}
    check(world, "NOTIONAL", [{**by_quote, "quoteOrderQty": "10"}], [by_quote])


def test_notional_of_market_orders(exchange):
    world = exchange(min_notional=D(10), max_notional=D(1000), apply_min_to_market=False, apply_max_to_market=True)
    world.order("SELL", "10", "100", who="bob")
    check(world, "NOTIONAL", [("BUY", "0.001", None), ("BUY", "9", None)], [("BUY", "10.001", None)])


def test_min_notional(exchange):
    world = exchange(notional_filter="MIN_NOTIONAL", min_notional=D(10), max_notional=D(1000))
    assert row(world, "MIN_NOTIONAL") == {
        "filterType": "MIN_NOTIONAL",
        "minNotional": "10.00000000",
        "applyToMarket": True,
        "avgPriceMins": 5,
    }
    world.order("SELL", "1", "100", who="bob")
    good = [("BUY", "0.2", "50"), ("BUY", "2000", "50"), ("BUY", "0.1", None)]
    check(world, "MIN_NOTIONAL", good, [("BUY", "0.199", "50"), ("BUY", "0.099", None)])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"stp_modes": ("NONE",)}, "default_stp_mode EXPIRE_MAKER is not among stp_modes"),
        ({"multiplier_up": D(2)}, "both multiplier_up and multiplier_down"),
        ({"market_lot_size": D("0.0015")}, "market_lot_size must be a multiple of lot_size"),
    ],
)
def test_rules_that_contradict_each_other_are_refused_at_the_start(exchange, changes, text):
    with pytest.raises(BadVenue, match=text):
        exchange(**changes)


def test_max_num_orders_and_those_of_the_exchange(exchange):
    world = exchange(max_orders=3)
    assert world.get("exchangeInfo")["exchangeFilters"] == [
        {"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 3}
    ]
    check(world, "EXCHANGE_MAX_NUM_ORDERS", [("BUY", "1", "50")] * 3, [("BUY", "1", "50")])
    world.signed("DELETE", "openOrders", symbol="BTCUSDT")
    check(world, "EXCHANGE_MAX_NUM_ORDERS", [("BUY", "1", "50")], [])


def test_max_position(exchange):
    ann = rich("ann")
    world = exchange(ann, max_owned=D(10**6 + 5))
    assert row(world, "MAX_POSITION") == {"filterType": "MAX_POSITION", "maxPosition": "1000005.00000000"}
    good = [("SELL", "3", "200"), ("BUY", "2", "50"), ("BUY", "3", "50")]
    check(world, "MAX_POSITION", good, [("BUY", "0.001", "50")])
    world.signed("DELETE", "openOrders", symbol="BTCUSDT")
    check(world, "MAX_POSITION", [("BUY", "5", "50"), ("SELL", "1", "200")], [("BUY", "0.001", "50")])


def test_max_asset(exchange):
    ann = rich("ann", max_asset={"BTC": D(2), "USDT": D(120), "EUR": D(1)})
    world = exchange(ann)
    world.order("SELL", "1", "100", who="bob")
    good = [("BUY", "2", "60"), ("SELL", "1", "120"), ("BUY", "1", None)]
    bad = [("BUY", "2.001", "50"), ("BUY", "2", "60.01"), ("SELL", "1.201", None)]
    check(world, "MAX_ASSET", good, bad)
    _, mine = world.signed("GET", "myFilters", symbol="BTCUSDT")
    assert mine["assetFilters"] == [
        {"filterType": "MAX_ASSET", "asset": "BTC", "limit": "2.00000000"},
        {"filterType": "MAX_ASSET", "asset": "USDT", "limit": "120.00000000"},
    ]
    assert world.signed("GET", "myFilters", "bob", symbol="BTCUSDT")[1]["assetFilters"] == []
