"""Filters over an account's open orders on the whole exchange (filters.md), on two markets."""

from decimal import Decimal as D

import pytest

from venue.base.settings import FlowSettings, MarketSettings

STILL = FlowSettings(limit_rate=0, market_rate=0)
STOP = {"type": "STOP_LOSS_LIMIT", "stopPrice": "200", "timeInForce": "GTC"}
LIST = {
    "side": "SELL", "quantity": "0.1", "aboveType": "LIMIT_MAKER", "abovePrice": "200",
    "belowType": "STOP_LOSS", "belowStopPrice": "50",
}  # fmt: skip


@pytest.fixture
def exchange(world):
    """Two markets at 100 with wide limits of their own, and limits of the exchange as given."""

    def make(**limits):
        wide = {"max_algo_orders": 100, "min_notional": D(0), "start_price": D(100), "flow": STILL}
        markets = [MarketSettings(symbol=name, **wide) for name in ("BTC-USDT", "ETH-USDT")]
        return world(markets=markets, **limits)

    return make


def failure(name):
    return 400, {"code": -1013, "msg": f"Filter failure: {name}"}


def shown(world):
    """The filters of the exchange as both endpoints list them."""
    reported = world.get("exchangeInfo")["exchangeFilters"]
    assert world.signed("GET", "myFilters", symbol="ETHUSDT")[1]["exchangeFilters"] == reported
    return reported


def test_without_settings_the_exchange_has_no_filters(exchange):
    assert shown(exchange()) == []


def test_all_four_are_shown_as_documented(exchange):
    world = exchange(max_orders=1000, max_algo_orders=200, max_iceberg_orders=10_000, max_order_lists=20)
    assert shown(world) == [
        {"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 1000},
        {"filterType": "EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 200},
        {"filterType": "EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": 10_000},
        {"filterType": "EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
    ]


def test_contingent_orders_of_both_markets_are_counted_together_and_no_others(exchange):
    world = exchange(max_algo_orders=2)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert world.order("BUY", "0.1", "210", symbol=symbol, **STOP)[0] == 200
    assert world.order("BUY", "0.1", "210", **STOP) == failure("EXCHANGE_MAX_NUM_ALGO_ORDERS")
    assert world.order("BUY", "0.1", "90")[0] == 200
    assert world.order("BUY", "0.1", "210", "bob", **STOP)[0] == 200
    world.signed("DELETE", "openOrders", symbol="ETHUSDT")
    assert world.order("BUY", "0.1", "210", **STOP)[0] == 200


def test_a_list_brings_as_many_contingent_orders_as_it_has(exchange):
    world = exchange(max_algo_orders=1)
    two = {**LIST, "aboveType": "TAKE_PROFIT", "aboveStopPrice": "200"}
    del two["abovePrice"]
    assert world.signed("POST", "orderList/oco", symbol="BTCUSDT", **two) == failure("EXCHANGE_MAX_NUM_ALGO_ORDERS")
    assert world.signed("POST", "orderList/oco", symbol="BTCUSDT", **LIST)[0] == 200


def test_icebergs_of_both_markets_are_counted_together_and_no_others(exchange):
    world = exchange(max_iceberg_orders=1)
    assert world.order("BUY", "1", "90", icebergQty="0.1", symbol="ETHUSDT")[0] == 200
    assert world.order("BUY", "1", "90", icebergQty="0.1") == failure("EXCHANGE_MAX_NUM_ICEBERG_ORDERS")
    assert world.order("BUY", "1", "90")[0] == 200


def test_order_lists_of_both_markets_are_counted_together(exchange):
    world = exchange(max_order_lists=1)
    world.exchange.accounts.by_name["ann"].balance("ETH").free = 10**9
    assert world.signed("POST", "orderList/oco", symbol="ETHUSDT", **LIST)[0] == 200
    requested = {"symbol": "BTCUSDT", **LIST}
    assert world.signed("POST", "orderList/oco", **requested) == failure("EXCHANGE_MAX_NUM_ORDER_LISTS")
    assert world.signed("POST", "orderList/oco", "bob", **requested)[0] == 200
    world.signed("DELETE", "openOrders", symbol="ETHUSDT")
    assert world.signed("POST", "orderList/oco", **requested)[0] == 200


def test_my_filters_lists_all_filters_that_count_on_a_symbol(exchange):
    _, mine = exchange().signed("GET", "myFilters", symbol="BTCUSDT")
    assert [one["filterType"] for one in mine["symbolFilters"]] == [
        "MAX_NUM_ORDERS", "MAX_NUM_ORDER_LISTS", "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ICEBERG_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
    ]  # fmt: skip
