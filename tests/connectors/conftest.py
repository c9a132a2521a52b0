"""A whole connector in the sim driver, trading on the local exchange through a network that can be made bad."""

import json
from decimal import Decimal
from random import Random

import msgspec
import pytest

from actors.actor import Actor
from actors.log.secret import ApiKey, Secret
from actors.net import HttpAnswer, HttpRequest
from actors.sim.driver import Sim
from connectors.binance import BinanceSpot
from connectors.binance.sign import signed_query
from connectors.core.records import decode_record
from connectors.orders.risk_gate import Limits
from protocol import (
    Balances,
    CancelAll,
    CancelOrder,
    Control,
    Fill,
    OrdersSnapshot,
    OrderUpdate,
    OrdType,
    PlaceOrder,
    ReplaceOrder,
    Side,
    TimeInForce,
    topics,
)
from tests.connectors.parts import Parts, new_order
from tests.stocked import stocked_accounts
from venue.base import demo
from venue.base.settings import FlowSettings, MarketSettings, VenueSettings
from venue.sim_service import SimVenue

SYMBOL = "BTC-USDT"
SECOND_NS = 1_000_000_000
LIMITS = Limits(
    max_order_notional=Decimal(20_000),
    max_position=Decimal("1.5"),
    max_open_orders=100,
    max_orders_per_s=50,
    price_collar_bps=2_000,
    max_book_age_ms=10_000,
    duplicate_ms=0,
)


class BadNet:
    """What a network and an exchange do to requests and user events, by chance or on demand.

    `next_http`: fates of coming requests by (method, path end), each "lost" (never arrives), "unanswered" (arrives,
    no answer), "late" (arrives, the answer after the timeout), "503", "1007" (arrives, such an answer), "cut"
    (arrives, half an answer), "refused" (503 without arriving).
    """

    FATES = ("lost", "unanswered", "late", "503", "1007", "cut", "refused")

    def __init__(self, seed: int = 0) -> None:
        self.random = Random(seed)
        self.rate = 0.0  # share of signed requests that meet a fate
        self.slow_ns = 0  # answers come up to this later: after the user stream has reported the same
        self.event_rate = 0.0  # share of user events that are lost, doubled or swapped
        self.next_http: dict[tuple[str, str], list[str]] = {}
        self.requests: list[tuple[int, str, str]] = []  # (time, method, path)

    def fate(self, method: str, path: str) -> str:
        name = path.split("?", 1)[0].rsplit("/", 1)[-1]
        queue = self.next_http.get((method, name))
        if queue:
            return queue.pop(0)
        if self.random.random() < self.rate and "signature=" in path:
            return self.random.choice(self.FATES)
        return ""


class Venue(SimVenue):
    """The local exchange behind a BadNet."""

    def __init__(self, settings, now_ns, net, log=None) -> None:
        super().__init__(settings, now_ns, log)
        self.net = net
        self.users: set[int] = set()
        self.is_closed = False  # takes no new websocket

    def restart(self, now_ns):
        return Venue(self.settings, now_ns, self.net, self.log)

    def http(self, request, path, now_ns):
        self.net.requests.append((now_ns, request.method, path))
        fate = self.net.fate(request.method, path)
        if fate == "lost":
            return None, 0
        if fate == "refused":
            return HttpAnswer(503, {}, b"<html>busy</html>"), 0
        answer, delay_ns = super().http(request, path, now_ns)
        if fate == "unanswered" or answer is None:
            return None, delay_ns
        if fate == "late":
            return answer, 30 * SECOND_NS
        if fate == "503":
            return HttpAnswer(503, {}, b""), 0
        if fate == "1007":
            return HttpAnswer(504, {}, b'{"code":-1007,"msg":"Timeout waiting for response from backend server."}'), 0
        if fate == "cut":
            return HttpAnswer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]), 0
        return answer, delay_ns + round(self.net.random.random() * self.net.slow_ns)

    def open(self, conn_id, path, now_ns):
        if self.is_closed:
            return False
        if "ws-api" in path:
            self.users.add(conn_id)
        return super().open(conn_id, path, now_ns)

    def take_pushes(self):
        found = []
        for conn_id, data in super().take_pushes():
            chance = self.net.random.random()
            is_event = conn_id in self.users and data is not None and b'"event"' in data
            if not is_event or chance >= self.net.event_rate:
                found.append((conn_id, data))
            elif chance < self.net.event_rate / 3:
                continue
            elif chance < self.net.event_rate * 2 / 3:
                found += [(conn_id, data), (conn_id, data)]
            else:
                found.insert(max(0, len(found) - 1), (conn_id, data))
        return found


class Trader(Actor):
    """A strategy that sends what the test gives, and keeps what it receives."""

    ticks = False

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.updates: list[OrderUpdate] = []
        self.fills: dict[str, Fill] = {}
        self.snapshots: list[OrdersSnapshot] = []
        self.balances: Balances | None = None
        self.answers: dict[int, object] = {}
        self.fill_no = 0

    def on_start(self) -> None:
        self.subscribe(topics.orders("binance", self.name))
        self.subscribe(topics.account("binance"))

    def cursor(self, topic: str) -> int:
        return self.fill_no

    def on_order_update(self, update: OrderUpdate) -> None:
        self.updates.append(update)

    def on_fill(self, fill: Fill) -> None:
        assert fill.fill_no == self.fill_no + 1, "a fill is missing, or published twice"
        self.fill_no = fill.fill_no
        self.fills[fill.trade_id + fill.side.name] = fill

    def on_orders_snapshot(self, snapshot: OrdersSnapshot) -> None:
        self.snapshots.append(snapshot)
        for fill in snapshot.fills:
            if fill.fill_no > self.fill_no:
                self.on_fill(fill)

    def on_balances(self, balances: Balances) -> None:
        self.balances = balances

    def ask(self, kind, *args) -> int:
        cmd_id = self.new_id()
        command = kind(cmd_id, self.now_ns + SECOND_NS, *args)
        self.send("binance", command, lambda answer: self.answers.update({cmd_id: answer}))
        return cmd_id


class World:
    """A venue, a connector and a trader. Times are virtual."""

    def __init__(self, seed: int = 0, still: bool = True, symbols: tuple[str, ...] = (SYMBOL,), **settings) -> None:
        self.sim = Sim(net_ns=5_000_000, trace=False)
        self.net = BadNet(seed)
        flow = FlowSettings(limit_rate=0, market_rate=0) if still else FlowSettings()
        markets = [MarketSettings(symbol=symbol, flow=flow, max_orders=1000) for symbol in symbols]
        self.venue = Venue(
            VenueSettings(markets=markets, seed=seed, accounts=stocked_accounts()), self.sim.now_ns, self.net
        )
        self.sim.serve("venue", self.venue)
        self.settings = BinanceSpot.Settings(
            markets=list(symbols), limits=dict.fromkeys(symbols, LIMITS), rest_url="local://venue", ws_url="local://venue",
            ws_api_url="local://venue", **settings,
        )  # fmt: skip
        self.keys = ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET))
        self.kill_level = 0
        self.suspended_ns = 0
        self.connector = self.start_connector()
        self.trader = self.sim.add("maker", Trader, follows=["binance"])
        if still:
            for symbol in symbols:
                self.make_book(symbol=symbol)

    def start_connector(self, **options):
        self.connector = self.sim.add(
            "binance",
            BinanceSpot,
            self.settings,
            keys=self.keys,
            kill_switch=lambda: self.kill_level,
            suspended_ns=lambda: self.suspended_ns,
            **options,
        )
        return self.connector

    def make_book(self, bid: str = "59990", ask: str = "60010", symbol: str = SYMBOL) -> None:
        """Another trader rests an order on either side."""
        self.trade_by_hand("BUY", bid, "0.5", symbol=symbol)
        self.trade_by_hand("SELL", ask, "0.5", symbol=symbol)

    def trade_by_hand(
        self, side: str, price: str, size: str, kind: str = "LIMIT", key: str = demo.EXTERNAL_KEY, symbol: str = SYMBOL
    ) -> dict:
        """Trade by hand, on an account of one's own."""
        secret = {demo.EXTERNAL_KEY: demo.EXTERNAL_SECRET, demo.MAKER_KEY: demo.MAKER_SECRET}[key]
        return self.signed(
            "POST", "order", key, secret, symbol=symbol.replace("-", ""), side=side, type=kind, quantity=size,
            **({"price": price, "timeInForce": "GTC"} if kind == "LIMIT" else {}),
        )  # fmt: skip

    def signed(self, method: str, path: str, key: str, secret: str, **params) -> dict:
        params["timestamp"] = self.sim.now_ns // 1_000_000
        query = signed_query(ApiKey(key, Secret(secret)), params)
        request = HttpRequest(method, "", {"X-MBX-APIKEY": key})
        answer, _ = SimVenue.http(self.venue, request, f"/api/v3/{path}?{query}", self.sim.now_ns)
        self.sim.services["venue"].flush()
        return json.loads(answer.body)

    def control(self, method: str, path: str, **body) -> dict:
        request = HttpRequest(method, "", {}, msgspec.json.encode(body))
        answer, _ = SimVenue.http(self.venue, request, f"/control/{path}", self.sim.now_ns)
        self.sim.services["venue"].flush()
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    # -- doing ----------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        self.sim.run_for(seconds)

    def until(self, condition, seconds: float = 60) -> None:
        """Run until `condition()`; fails after `seconds`."""
        self.sim.run_for(seconds, condition)
        assert condition(), f"not within {seconds} s; connector {self.state}"

    def ready(self) -> "World":
        self.until(lambda: self.state[0] == "TRADING" and self.trader.balances is not None)
        return self

    def change(self, path: str, change) -> None:
        """From now on `change(rows)` changes the JSON body of each good answer whose path contains `path`."""
        answer_of = self.venue.http

        def http(request, url, now_ns):
            answer, delay_ns = answer_of(request, url, now_ns)
            if path in url and answer is not None and answer.status == 200:
                rows = json.loads(answer.body)
                change(rows)
                answer = HttpAnswer(200, answer.headers, json.dumps(rows).encode())
            return answer, delay_ns

        self.venue.http = http

    def change_events(self, change) -> None:
        """From now on `change(event)` changes each executionReport of the user stream."""
        take = self.venue.take_pushes

        def take_pushes():
            found = []
            for conn_id, data in take():
                if data and b'"executionReport"' in data:
                    row = json.loads(data)
                    change(row["event"])
                    data = json.dumps(row).encode()
                found.append((conn_id, data))
            return found

        self.venue.take_pushes = take_pushes

    def act(self, kind, *args) -> int:
        """Let the trader send a command; its id."""
        port = self.sim.processes["maker"]
        port.runtime.begin(self.sim.now_ns)
        cmd_id = self.trader.ask(kind, *args)
        port.settle()
        return cmd_id

    def place(
        self, side: Side, price_ticks: int, size_lots: int = 1_000, ord_type: OrdType = OrdType.LIMIT,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> int:  # fmt: skip
        return self.act(PlaceOrder, SYMBOL, side, price_ticks, size_lots, ord_type, time_in_force)

    def cancel(self, order_ref: int) -> int:
        return self.act(CancelOrder, order_ref)

    def cancel_all(self) -> int:
        return self.act(CancelAll, SYMBOL)

    def replace(self, order_ref: int, price_ticks: int, size_lots: int = 1_000) -> int:
        return self.act(ReplaceOrder, order_ref, price_ticks, size_lots)

    def command(self, verb: str, argument: str = "") -> int:
        return self.act(Control, verb, argument)

    def kill_connector(self) -> None:
        self.sim.kill("binance")

    def restart_venue(self) -> None:
        self.sim.services["venue"].down()
        self.venue = self.venue.restart(self.sim.now_ns)
        self.sim.services["venue"].back(self.venue)

    # -- looking --------------------------------------------------------------------------------------

    @property
    def state(self) -> tuple[str, str]:
        effects = self.connector.effects
        return effects.state, effects.detail

    @property
    def ledger(self) -> dict:
        return self.control("GET", "ledger?account=maker")

    @property
    def records(self) -> list:
        return [decode_record(one) for one in self.sim.journals.get(("binance", "orders"), [])]

    def last(self, order_ref: int) -> OrderUpdate:
        """The latest update of an order that the trader received."""
        return [update for update in self.trader.updates if update.order_ref == order_ref][-1]

    def placements(self) -> list[str]:
        """Client ids of every placement that was sent, in order."""
        return [
            part.split("=")[1]
            for _, method, path in self.net.requests
            if method == "POST" and "/order" in path
            for part in path.split("?")[1].split("&")
            if part.startswith("newClientOrderId=")
        ]

    def check(self) -> None:
        """After some quiet time: what we know is what the exchange knows (I1-I4, I6, I7, I26)."""
        ledger, tracker, is_ours = self.ledger, self.connector.tracker, self.connector.issued_ids.is_ours
        ours = [row for row in ledger["orders"] if is_ours(row["clientOrderId"])]
        sent = self.placements()
        assert len(sent) == len(set(sent)), "a placement was sent twice under one id"
        live = {row["clientOrderId"] for row in ledger["open_orders"] if is_ours(row["clientOrderId"])}
        assert live == set(tracker.open), (live, tracker.open)
        mine = {str(row["orderId"]): row["clientOrderId"] for row in ours}
        trades = [row for row in ledger["trades"] if str(row["orderId"]) in mine]
        assert sorted(f"{row['id']}{row['side']}" for row in trades) == sorted(self.trader.fills)
        net = sum((Decimal(row["qty"]) if row["isBuyer"] else -Decimal(row["qty"]) for row in trades), Decimal(0))
        known = sum(one.net_lots for owner in tracker.owners.values() for one in owner.positions.values())
        assert known * Decimal("0.00001") == net
        for row in ours:
            order = tracker.orders.get(row["clientOrderId"])
            assert order is not None, row
            assert order.state.cum_lots * Decimal("0.00001") == Decimal(row["executedQty"])
            wanted = {"EXPIRED_IN_MATCH": "EXPIRED", "REJECTED": "EXPIRED"}.get(row["status"], row["status"])
            shown = order.status.name
            assert shown == wanted or (shown == "PENDING_CANCEL" and wanted in ("NEW", "PARTIALLY_FILLED"))
        received = {asset: (free, locked) for asset, free, locked in self.trader.balances.rows}
        for asset, row in ledger["balances"].items():
            free, locked = received.get(asset, (Decimal(0), Decimal(0)))
            assert (free, locked) == (Decimal(row["free"]), Decimal(row["locked"])), asset


@pytest.fixture
def order():
    """An order that waits for its answer."""
    return new_order()


@pytest.fixture
def parts(order):
    """The lower parts of an order side, with that order; a file of tests about new orders has its own."""
    return Parts([order])


@pytest.fixture
def new_world():
    """`new_world(seed=1, still=True, **settings)`: a World, and time has not begun."""
    return World
