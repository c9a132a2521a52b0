"""Commissions: the worked example of Binance's FAQ, the precedence of settings, and the discount asset."""

from decimal import Decimal as D

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venue.base.settings import (
    AccountSettings,
    CommissionSettings,
    FlowSettings,
    KeySettings,
    MarketSettings,
    RateSettings,
)
from venue.base.venue_errors import BadVenue

STILL = FlowSettings(limit_rate=0, market_rate=0)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FAQ = CommissionSettings(
    standard=RateSettings(D("0.00000010"), D("0.00000020"), D("0.00000030"), D("0.00000040")),
    special=RateSettings(D("0.01"), D("0.02"), D("0.03"), D("0.04")),
    tax=RateSettings(D("0.00000112"), D("0.00000114"), D("0.00000118"), D("0.00000116")),
)
BTC = MarketSettings(start_price=D(35000), flow=STILL, commission=FAQ)
BNB = MarketSettings(
    symbol="BNB-USDT", lot_size=D("0.001"), min_size=D("0.001"), start_price=D(260), flow=STILL, min_notional=D(0)
)


def account(name, has_discount=True, bnb="100", **more):
    key = KeySettings(api_key=f"key-{name}", secret=f"secret-{name}")
    balances = {"BTC": D(100), "USDT": D(1_000_000), "BNB": D(bnb)}
    return AccountSettings(name=name, keys=[key], balances=balances, has_discount=has_discount, **more)


@pytest.fixture
def faq(world):
    """`faq(ann)` is the FAQ's exchange, where 1 BNB = 260 USDT; a quarter of the standard commission is paid in BNB."""

    def make(ann, **changes):
        changes.setdefault("markets", [BTC, BNB])
        return world(accounts=[ann, account("bob", has_discount=False)], discount=D("0.25"), **changes)

    return make


def sell_for_17491(world):
    """Ann's order of the FAQ: a market order to sell 0.49975 BTC at 35,000; its only fill."""
    world.order("BUY", "0.49975", "35000", who="bob")
    (fill,) = world.order("SELL", "0.49975")[1]["fills"]
    return fill


def test_the_sum_of_all_kinds_is_taken_from_what_is_received(faq):
    world = faq(account("ann", has_discount=False))
    fill = sell_for_17491(world)
    standard, tax, special = D("0.01049475"), D("0.04022988"), D("1049.47500000")
    assert (D(fill["commission"]), fill["commissionAsset"]) == (standard + tax + special, "USDT")
    assert world.balance("USDT")[0] == 1_000_000 + D("17491.25") - standard - tax - special
    assert world.balance("BNB") == (100, 0)


def test_in_the_discount_asset_only_the_standard_commission_is_less(faq):
    world = faq(account("ann"))
    fill = sell_for_17491(world)
    assert (fill["commission"], fill["commissionAsset"]) == ("4.03660713", "BNB"), "the FAQ has 4.036607129"
    assert world.balance("BNB") == (100 - D("4.03660713"), 0)
    assert world.balance("USDT") == (1_000_000 + D("17491.25"), 0)
    (trade,) = world.signed("GET", "myTrades", symbol="BTCUSDT")[1]
    assert (trade["commission"], trade["commissionAsset"]) == ("4.03660713", "BNB")


def test_without_enough_of_the_discount_asset_all_is_taken_from_what_is_received(faq):
    world = faq(account("ann", bnb="4.03660712"))
    assert sell_for_17491(world)["commissionAsset"] == "USDT"
    assert world.balance("BNB") == (D("4.03660712"), 0)
    exact = faq(account("ann", bnb="4.03660713"))
    assert sell_for_17491(exact)["commissionAsset"] == "BNB"
    assert exact.balance("BNB") == (0, 0)


def test_the_price_of_the_discount_asset_may_be_configured(faq):
    world = faq(account("ann"), markets=[BTC], discount_prices={"USDT": D(130)})
    assert D(sell_for_17491(world)["commission"]) == pytest.approx(2 * D("4.036607129"), rel=D("1e-8"))
    nowhere = faq(account("ann"), markets=[BTC])
    assert sell_for_17491(nowhere)["commissionAsset"] == "USDT", "there is no price of BNB at all"


def test_what_is_bought_is_valued_through_the_quote_asset(faq):
    world = faq(account("ann"))
    world.order("SELL", "0.5", "35000", who="bob")
    (fill,) = world.order("BUY", "0.5")[1]["fills"]
    rate = D("0.00000050") * D("0.25") + D("0.05") + D("0.00000232")
    value = D("0.5") * 35000 / 260 * rate
    assert fill["commissionAsset"] == "BNB"
    assert abs(D(fill["commission"]) - value) < D("0.000001")
    assert world.balance("BTC") == (D("100.5"), 0)


def test_a_maker_pays_as_a_maker_and_a_seller_as_a_seller(faq):
    world = faq(account("ann", has_discount=False))
    world.order("SELL", "1", "35000")
    world.order("BUY", "1", "35000", who="bob")
    (made,) = world.signed("GET", "myTrades", symbol="BTCUSDT")[1]
    (taken,) = world.signed("GET", "myTrades", "bob", symbol="BTCUSDT")[1]
    assert D(made["commission"]) == 35000 * (D("0.0000005") + D("0.05") + D("0.00000228"))
    assert D(taken["commission"]) == D("0.0000005") + D("0.05") + D("0.00000232")
    assert (made["commissionAsset"], taken["commissionAsset"]) == ("USDT", "BTC")


def test_the_discount_asset_itself_may_be_what_is_received(faq):
    world = faq(account("ann", bnb="0"))
    world.order("SELL", "10", "260", who="bob", symbol="BNBUSDT")
    (fill,) = world.order("BUY", "10", symbol="BNBUSDT")[1]["fills"]
    assert (D(fill["commission"]), fill["commissionAsset"]) == (10 * D("0.001") * D("0.25"), "BNB")
    assert world.balance("BNB") == (D("9.9975"), 0)


def test_the_account_overrules_the_market_which_overrules_the_venue(faq):
    own = {"BTC-USDT": CommissionSettings(standard=RateSettings(maker=D("0.0002"), taker=D("0.0004")))}
    world = faq(account("ann", commissions=own, maker_fee=D("0.003")))
    rates = world.signed("GET", "account/commission", symbol="BTCUSDT")[1]
    zero = {"buyer": "0.00000000", "seller": "0.00000000"}
    assert rates["standardCommission"] == {"maker": "0.00020000", "taker": "0.00040000", **zero}
    assert rates["specialCommission"]["seller"] == "0.04000000"
    assert rates["discount"] == {
        "enabledForAccount": True,
        "enabledForSymbol": True,
        "discountAsset": "BNB",
        "discount": "0.25000000",
    }
    other = world.signed("GET", "account/commission", symbol="BNBUSDT")[1]
    assert other["standardCommission"] == {"maker": "0.00300000", "taker": "0.00100000", **zero}
    assert set(other["taxCommission"].values()) == {"0.00000000"}


def test_a_test_order_returns_the_commission_of_its_side(faq):
    world = faq(account("ann"))
    order = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "35000"}
    for side, standard in (("SELL", ("0.00000050", "0.00000060")), ("BUY", ("0.00000040", "0.00000050"))):
        _, reported = world.signed("POST", "order/test", side=side, computeCommissionRates="true", **order)
        assert reported["standardCommissionForOrder"] == dict(zip(("maker", "taker"), standard, strict=True))
    assert reported["specialCommissionForOrder"] == {"maker": "0.04000000", "taker": "0.05000000"}
    assert reported["taxCommissionForOrder"] == {"maker": "0.00000230", "taker": "0.00000232"}
    assert world.signed("POST", "order/test", side="BUY", **order) == (200, {})


def test_reports_and_positions_name_the_asset_that_paid(faq):
    world = faq(account("ann"))
    conn_id = world.subscribe_user()
    sell_for_17491(world)
    events = [received["event"] for received in world.received(conn_id) if "event" in received]
    (trade,) = [event for event in events if event.get("x") == "TRADE"]
    assert (trade["n"], trade["N"]) == ("4.03660713", "BNB")
    assert {row["a"] for row in events[-1]["B"]} == {"BTC", "USDT", "BNB"}


def test_the_discount_asset_is_paid_after_a_restart_too(world, faq):
    first = faq(account("ann"))
    sell_for_17491(first)
    second = faq(account("ann"), log=first.log)
    assert second.balance("BNB") == first.balance("BNB")
    assert second.signed("GET", "myTrades", symbol="BTCUSDT") == first.signed("GET", "myTrades", symbol="BTCUSDT")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"discount": D("1.5")}, "discount must be from 0 to 1"),
        ({"discount_prices": {"USDT": D(0)}}, "must be above zero"),
        ({"commissions": {"BTC-EUR": FAQ}}, "there are BTC-USDT"),
        ({"commissions": {"BTC-USDT": CommissionSettings(tax=RateSettings(maker=D("0.99")))}}, "sum up to more than 1"),
        ({"commissions": {"BTC-USDT": CommissionSettings(tax=RateSettings(maker=D("-0.1")))}}, "from 0 to 1"),
        ({"commissions": {"BTC-USDT": CommissionSettings(tax=RateSettings(maker=D("1e-9")))}}, "eight decimals"),
    ],
)
def test_commissions_that_cannot_be_are_refused_at_the_start(world, changes, text):
    own = changes.pop("commissions", {})
    with pytest.raises(BadVenue, match=text):
        world(markets=[BTC], accounts=[account("ann", commissions=own)], **changes)


RATES = st.builds(RateSettings, *[st.integers(0, 4_000_000).map(lambda n: D(n).scaleb(-8))] * 4)
TRADES = st.tuples(st.sampled_from(["BTCUSDT", "BNBUSDT"]), st.booleans(), st.integers(1, 3000))


@FEW
@given(
    kinds=st.builds(CommissionSettings, RATES, RATES, RATES),
    bnb=st.integers(0, 300),
    trades=st.lists(TRADES, min_size=1, max_size=12),
)
def test_every_commission_is_accounted_for_outside_the_accounts_to_the_last_unit(world, kinds, bnb, trades):
    markets = [msgspec.structs.replace(market, commission=kinds) for market in (BTC, BNB)]
    ann, bob = account("ann", bnb=D(bnb) / 100), account("bob", bnb=D(bnb) / 10)
    one = world(markets=markets, accounts=[ann, bob])
    opening = {asset: ann.balances[asset] + bob.balances[asset] for asset in ann.balances}
    for name, is_buy, size in trades:
        price = "35000" if name == "BTCUSDT" else "260"
        for who, side in (("bob", "SELL" if is_buy else "BUY"), ("ann", "BUY" if is_buy else "SELL")):
            one.order(side, D(size) / 1000, price, who=who, symbol=name)
    for asset, amount in opening.items():
        owned = sum(sum(one.balance(asset, who)) for who in ("ann", "bob"))
        assert owned + D(one.exchange.settlement.funds.outside.get(asset, 0)).scaleb(-8) == amount
        assert min(one.balance(asset, who)[0] for who in ("ann", "bob")) >= 0
    fees = {}
    for who in ("ann", "bob"):
        for name in ("BTCUSDT", "BNBUSDT"):
            for trade in one.signed("GET", "myTrades", who, symbol=name)[1]:
                fees[trade["commissionAsset"]] = fees.get(trade["commissionAsset"], 0) + D(trade["commission"])
    assert {asset: amount for asset, amount in fees.items() if amount} == {
        asset: D(amount).scaleb(-8) for asset, amount in one.exchange.settlement.funds.outside.items() if amount
    }
