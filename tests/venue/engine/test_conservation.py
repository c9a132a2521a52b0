"""Conservation: twenty accounts trade at random, and every event is compared with a referee.

A share of a million orders runs with the suite. The whole, which takes some minutes:

    TICKBUS_RANDOM_ORDERS=1000000 .venv/bin/python -m pytest tests/venue/engine/test_conservation.py -k large -s
"""

import os
import time
from collections import Counter
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import codes
from market.matching import FastMatching, PlainMatching
from protocol.enums import OrdType, Side
from venue.api.dispatch import BY_ROUTE, BY_WS_METHOD
from venue.api.requests.endpoint import ApiCall
from venue.base.api_errors import ApiError
from venue.base.params import Params
from venue.base.settings import AccountSettings, FlowSettings, KeySettings, LimitSettings, MarketSettings, VenueSettings
from venue.exchange import Exchange

ORDERS = int(os.environ.get("TICKBUS_RANDOM_ORDERS", "20000"))
SEED = 20260923
ACCOUNTS = 20
OWNED = {"BTC": Decimal(50), "USDT": Decimal(3_000_000)}
START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000
CHECKED_EVERY = 2000
MANY_OPEN = 60
"""An account with so many open orders cancels one, so that the book keeps its size."""
MIDDLE, SPACING = 60_000, 2
PEGS = ("PRIMARY_PEG", "MARKET_PEG")
LIST_PATHS = ("orderList/oco", "orderList/oto", "orderList/otoco")


class Referee:
    """Stands before a matching engine, and compares its events with a simple book of its own."""

    def __init__(self, engine):
        self.engine = engine
        self.sides = {Side.BUY: {}, Side.SELL: {}}  # price -> order id -> open lots, first come first
        self.at = {}  # order id -> (side, price)
        self.icebergs = {}  # order id -> [most lots shown, lots shown]
        self.traded = 0

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def __len__(self):
        return len(self.engine)

    def submit(self, order_id, account, side, ord_type, tif, price, size, *more):
        events = self.engine.submit(order_id, account, side, ord_type, tif, price, size, *more)
        if events[0][0] == codes.REJECTED:
            return events
        limit = None if ord_type == OrdType.MARKET else price
        left = size
        for event in events[1:]:
            if event[0] == codes.TRADE:
                left -= self._met(side, limit, event, event[4], event[4], event[5], event[6], left)
                self.traded += 1
            elif event[0] == codes.PREVENTED:
                left -= self._met(side, limit, event, event[4], event[5], event[6], event[7], left)
            elif event[0] == codes.EXPIRED and event[1] == order_id:
                left = 0
            elif event[0] == codes.EXPIRED:
                assert event[1] not in self.at
        assert events[0] == (codes.ACCEPTED, order_id, left)
        if left:
            self.sides[side].setdefault(price, {})[order_id] = left
            self.at[order_id] = (side, price)
            _, peak, shown = (*more, 0, 0, 0)[:3]
            if 0 < min(peak, shown or peak) < left:
                self.icebergs[order_id] = [peak, min(peak, shown or peak)]
        return events

    def cancel(self, order_id):
        events = self.engine.cancel(order_id)
        assert [event[2] for event in events] == ([self._open(order_id)] if order_id in self.at else [])
        for _ in events:
            self._take(order_id, self._open(order_id))
        return events

    def reduce(self, order_id, new_size_lots):
        events = self.engine.reduce(order_id, new_size_lots)
        for event in events:
            if event[0] == codes.REDUCED:
                assert 0 < event[2] < self._open(order_id)
                self._take(order_id, self._open(order_id) - event[2])
        return events

    def _met(self, side, limit, event, maker_lots, taker_lots, maker_left, taker_left, left):
        """One meeting: with the first of the best price, within the limit, for no more than either has."""
        _, maker, _, price, *_ = event
        levels = self.sides[side.opposite]
        assert price == (min(levels) if side is Side.BUY else max(levels)), "a better price was passed over"
        assert maker == next(iter(levels[price])), "an earlier order was passed over"
        assert limit is None or (price <= limit if side is Side.BUY else price >= limit)
        assert 0 <= maker_lots <= self._open(maker)
        assert 0 <= taker_lots <= left
        assert (maker_left, taker_left) == (self._open(maker) - maker_lots, left - taker_lots)
        is_trade = event[0] == codes.TRADE
        assert not is_trade or maker not in self.icebergs or maker_lots <= self.icebergs[maker][1]
        self._take(maker, maker_lots, is_trade)
        return taker_lots

    def _open(self, order_id):
        side, price = self.at[order_id]
        return self.sides[side][price][order_id]

    def _take(self, order_id, lots, is_trade=False):
        """An iceberg that has sold what it shows stands behind the others with the next of it."""
        side, price = self.at[order_id]
        level = self.sides[side][price]
        level[order_id] -= lots
        if not level[order_id]:
            del level[order_id], self.at[order_id]
            self.icebergs.pop(order_id, None)
        elif order_id in self.icebergs:
            peak, shown = self.icebergs[order_id]
            shown = shown - lots if is_trade else min(shown, level[order_id])
            if not shown:
                level[order_id] = level.pop(order_id)
            self.icebergs[order_id][1] = shown or min(peak, level[order_id])
        if not level:
            del self.sides[side][price]


class Traders:
    """Accounts on an exchange in memory; seven small numbers determine each of their actions: see `act`."""

    def __init__(self, matching_class, accounts=ACCOUNTS):
        still = MarketSettings(flow=FlowSettings(limit_rate=0, market_rate=0))
        names = [f"a{number}" for number in range(accounts)]
        keys = {name: [KeySettings(api_key=name, secret="-")] for name in names}
        wanted = [AccountSettings(name=name, keys=keys[name], balances=OWNED) for name in names]
        limits = LimitSettings(weight_1m=10**12, orders_10s=10**9, orders_1d=10**12, raw_requests_5m=10**12)
        self.now_ns = START_NS
        kept = {"orders_kept": 4000, "trades_kept": 10_000}
        self.exchange = Exchange(VenueSettings(markets=[still], accounts=wanted, rate_limits=limits, **kept), START_NS)
        self.symbol = self.exchange.engine.symbol("BTCUSDT")
        self.symbol.matching = self.referee = Referee(matching_class())
        self.accounts = [self.exchange.accounts.by_name[name] for name in names]
        reported = self.call(0, "GET", "exchangeInfo")["symbols"][0]
        self.types, self.modes = reported["orderTypes"], reported["allowedSelfTradePreventionModes"]
        self.done, self.orders = Counter(), 0

    def call(self, who, method, path, **params):
        """An endpoint, called by an authenticated client; ApiError for a rejected call."""
        self.now_ns += STEP_NS
        one = self.exchange
        values = Params({name: str(value) for name, value in params.items()})
        call = ApiCall(one.engine, one.limits, values, self.now_ns, "127.0.0.1", caller=self.accounts[who])
        return BY_ROUTE[method, f"/api/v3/{path}"].handler(call)

    def act(self, who, what, buys, distance, size, mode, more):
        """One request of an account: mostly an order, at `distance` from the middle; now and then a cancel."""
        who %= len(self.accounts)
        account, side = self.accounts[who], "BUY" if buys % 2 else "SELL"
        price = MIDDLE + (distance % 60 - 22) * SPACING * (-1 if side == "BUY" else 1)
        mode = self.modes[mode % len(self.modes)]
        order = {"symbol": "BTCUSDT", "side": side, "selfTradePreventionMode": mode}
        open_ids = list(account.open_orders)
        if open_ids and (len(open_ids) > MANY_OPEN or what % 64 < 6):
            name, method, path, requested = self.about(open_ids[more % len(open_ids)], what, price, size, order)
        elif 6 <= what % 64 < 9 and ("POST", f"/api/v3/{LIST_PATHS[0]}") in BY_ROUTE:
            name, method, path, requested = self.list_of(order, what % 64 - 6, price, size, more)
        else:
            name, requested = self.order_of(order, self.types[what % len(self.types)], price, size, more)
            requested = self.pegged(requested, distance // 60) if "LIMIT" in name else requested
            name = f"pegged {name}" if "pegPriceType" in requested else name
            method, path = "POST", "order"
        self.orders += method == "POST"
        try:
            self.call(who, method, path, **requested)
        except ApiError as refused:
            self.done["refused", refused.code] += 1
        else:
            self.done[name] += 1
            self.done[mode] += 1

    def order_of(self, order, kind, price, size, more):
        """(name, parameters) of one order."""
        amount = f"0.{size % 200 + 1:03}"
        requested = {**order, "type": kind, "quantity": amount}
        if kind == "MARKET" and more % 2:
            del requested["quantity"]
            return "MARKET by quote", {**requested, "quoteOrderQty": 10 + size % 9000}
        name = kind
        if "LIMIT" in kind:
            requested["price"] = price
        if kind.endswith("LIMIT"):
            requested["timeInForce"] = ("GTC", "GTC", "GTC", "IOC", "FOK")[more % 5]
            name += " " + requested["timeInForce"]
        if kind.startswith(("STOP", "TAKE")):
            requested |= {"trailingDelta": 10 + more % 50} if more % 3 == 0 else {"stopPrice": MIDDLE + more % 61 - 30}
        elif "LIMIT" in kind and requested.get("timeInForce", "GTC") == "GTC" and more % 7 == 0 and len(self.types) > 3:
            requested["icebergQty"] = f"0.{size % 200 // 2 + 1:03}"
            name += " iceberg"
        return name, requested

    def pegged(self, requested, which):
        """One in five at a price of the book in place of its own."""
        if which % 5:
            return requested
        peg = {"pegPriceType": PEGS[requested["type"] != "LIMIT_MAKER" and which // 5 % 2]}
        if which // 10 % 2:
            peg |= {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": 1 + which // 20 % 5}
        return {name: value for name, value in requested.items() if name != "price"} | peg

    def about(self, order_id, what, price, size, order):
        """(name, method, path, parameters) of what is done to an open order."""
        requested = {"symbol": "BTCUSDT", "orderId": order_id}
        if what % 4 == 0:
            amount = f"0.{size % 200 + 1:03}"
            new = {**order, "type": "LIMIT", "timeInForce": "GTC", "quantity": amount, "price": price}
            return "replace", "POST", "order/cancelReplace", {
                **new, "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": order_id
            }  # fmt: skip
        if what % 4 == 1 and "order.amend.keepPriority" in BY_WS_METHOD:
            return "amend", "PUT", "order/amend/keepPriority", {**requested, "newQty": f"0.{size % 50 + 1:03}"}
        return "cancel", "DELETE", "order", requested

    def list_of(self, order, which, price, size, more):
        """(name, method, path, parameters) of an order list."""
        path, amount = LIST_PATHS[which], f"0.{size % 200 + 1:03}"
        last = self.symbol.last_ticks // 100
        above, below = last + 1 + more % 30, last - 1 - more % 29
        sells = (order["side"] == "SELL") == (path == "orderList/oco")
        limit, stop = ("LIMIT_MAKER", "STOP_LOSS") if sells else ("STOP_LOSS", "LIMIT_MAKER")
        pair = {"above": (limit, above), "below": (stop, below)}
        legs = {}
        for name, (kind, at) in pair.items():
            prefix = name if path == "orderList/oco" else "pending" + name.title()
            legs |= {f"{prefix}Type": kind, f"{prefix}{'Price' if kind == 'LIMIT_MAKER' else 'StopPrice'}": at}
        if path == "orderList/oco":
            return path, "POST", path, {**order, **legs, "quantity": amount}
        mode = {name: order[name] for name in ("symbol", "selfTradePreventionMode")}
        working = {"workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": order["side"],
                   "workingPrice": price, "workingQuantity": amount}  # fmt: skip
        pending = {"pendingSide": "SELL" if order["side"] == "BUY" else "BUY", "pendingQuantity": amount}
        if path == "orderList/oto":
            legs = {"pendingType": "LIMIT", "pendingTimeInForce": "GTC", "pendingPegPriceType": PEGS[more % 2]}
            legs = legs if more % 4 < 2 else {"pendingType": "MARKET"}
        return path, "POST", path, {**mode, **working, **pending, **legs}

    def check(self):
        """All that must hold between two requests. The unit is an atom: 10**-8."""
        house = self.exchange.settlement.funds.outside
        locked = Counter()
        for account in self.accounts:
            for order in account.open_orders.values():
                locked[account.name, self.symbol.held_asset(order)] += order.locked_atoms
            for order in account.orders.values():
                paid, limit = order.quote_atoms, order.price_ticks * order.executed_lots * self.symbol.notional_atoms
                amended = getattr(account, "amendments", {}).get(order.order_id, ())
                largest = max([order.size_lots, *(one.old_lots for one in amended)])
                assert order.executed_lots + order.prevented_lots <= largest, order
                assert not order.price_ticks or (paid <= limit if order.side is Side.BUY else paid >= limit), order
        for asset, opening in OWNED.items():
            balances = [account.balance(asset) for account in self.accounts]
            assert all(one.free >= 0 and one.locked >= 0 for one in balances)
            owned = sum(one.free + one.locked for one in balances) + house.get(asset, 0)
            assert owned == opening * 10**8 * len(self.accounts)
            assert all(account.balance(asset).locked == locked[account.name, asset] for account in self.accounts)

    def outcome(self):
        """The result that both implementations must have."""
        balances = [[(one.free, one.locked) for one in map(account.balance, OWNED)] for account in self.accounts]
        return balances, self.done, self.symbol.matching.state_hash(), self.exchange.settlement.funds.outside


def numbers(rnd):
    """Seven of them."""
    bits = rnd.getrandbits(112)
    return [bits >> shift & 0xFFFF for shift in range(0, 112, 16)]


@pytest.mark.slow
def test_many_traders_trade_and_every_atom_is_accounted_for():
    traders, rnd = Traders(FastMatching or PlainMatching), Random(SEED)
    started = time.process_time()
    while traders.orders < ORDERS:
        traders.act(*numbers(rnd))
        if traders.orders % CHECKED_EVERY == 0:
            traders.check()
    traders.check()
    took_s = time.process_time() - started
    print(f"\n{traders.orders} orders, {traders.referee.traded} trades, {took_s:.0f} s: {dict(traders.done)}")
    assert traders.referee.traded > ORDERS / 10
    lists = [path for path in LIST_PATHS if ("POST", f"/api/v3/{path}") in BY_ROUTE]
    often = [str(done) for done, count in traders.done.items() if count > 5]
    kinds = [*traders.types, *(f"pegged {one}" for one in traders.types if "LIMIT" in one), *traders.modes, *lists]
    rare = [name for name in kinds if not any(one.startswith(name) for one in often)]
    assert not rare, f"of {ORDERS} orders too few were of {rare}: {traders.done}"


actions = st.lists(st.tuples(*[st.integers(0, 0xFFFF)] * 7), max_size=60)


@pytest.mark.skipif(
    FastMatching is None, reason="market._matching is not compiled: only the Python implementation is there"
)
@settings(max_examples=40, deadline=None)
@given(actions)
def test_few_traders_have_the_same_result_on_both_implementations(requested):
    outcomes = []
    for implementation in (PlainMatching, FastMatching):
        traders = Traders(implementation, accounts=3)
        for one in requested:
            traders.act(*one)
            traders.check()
        outcomes.append(traders.outcome())
    assert outcomes[0] == outcomes[1]


def test_the_referee_sees_who_is_passed_over():
    referee = Referee(PlainMatching())
    for order_id, price in ((1, 102), (2, 101), (3, 101)):
        referee.submit(order_id, 1, Side.SELL, OrdType.LIMIT, 1, price, 5)
    for maker, price, lots in ((1, 102, 5), (3, 101, 5), (2, 101, 6)):
        unfair = (codes.TRADE, maker, 4, price, lots, 0, 0, 1, 2)
        referee.engine.submit = lambda *_, unfair=unfair: [(codes.ACCEPTED, 4, 0), unfair]
        with pytest.raises(AssertionError):
            referee.submit(4, 2, Side.BUY, OrdType.MARKET, 1, 0, lots)
