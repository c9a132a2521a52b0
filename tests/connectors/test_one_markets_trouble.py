"""One market's trouble is its own: with it and without it, the other market's orders and book are the same."""

import json

import pytest

from actors.actor import Actor
from actors.net import HttpAnswer
from protocol import AnswerCode, BookDelta, BookSnapshot, OrdStatus, PlaceOrder, Side
from tests.connectors.conftest import SECOND_NS, World

BTC, ETH = "BTC-USDT", "ETH-USDT"
FAR_BID, BID = 5_900_000, 5_999_000
INVALID_SYMBOL = HttpAnswer(400, {}, b'{"code":-1121,"msg":"Invalid symbol."}')


class BookWatcher(Actor):
    """Notes each message about the books of the connector, by market, with the second in which it came."""

    ticks = False

    def on_start(self):
        self.seen = {BTC: [], ETH: []}
        self.subscribe("md.binance.")

    def note(self, symbol, *what):
        self.seen[symbol].append((self.now_ns // SECOND_NS, *what))

    def on_book_snapshot(self, message: BookSnapshot):
        self.note(message.symbol, message.update_id, message.bids, message.asks, message.state)

    def on_book_delta(self, message: BookDelta):
        self.note(message.symbol, message.update_id, message.bids, message.asks)

    def on_book_status(self, message):
        self.note(message.symbol, message.state, message.reason)


class Fault:
    """Changes what the exchange sends about ETH-USDT, from `begin` on."""

    def __init__(self, world, change=None, control=None, frames=None, path="exchangeInfo") -> None:
        self.world, self.change, self.control, self.frames, self.path = world, change, control, frames, path
        self.is_on = False
        venue = world.venue
        self.http, self.take_pushes = venue.http, venue.take_pushes
        venue.http, venue.take_pushes = self.changed_http, self.changed_pushes

    def begin(self) -> None:
        self.is_on = True
        if self.control is not None:
            self.world.control("POST", "faults", add=[{**self.control, "symbol": ETH, "for_s": 0}])

    def changed_http(self, request, path, now_ns):
        answer, delay_ns = self.http(request, path, now_ns)
        if self.is_on and self.change is not None and self.path in path and "ETHUSDT" in path and answer is not None:
            answer = self.change(answer)
        return answer, delay_ns

    def changed_pushes(self):
        pushes = self.take_pushes()
        if self.is_on and self.frames is not None:
            pushes = [(conn, self.frames(data) if data and b'"s":"ETHUSDT"' in data else data) for conn, data in pushes]
            pushes = [(conn, data) for conn, data in pushes if data != b""]
        return pushes


def row_changed(change):
    """An exchangeInfo whose row of ETHUSDT is another one."""

    def changed(answer):
        if answer.status != 200:
            return answer
        body = json.loads(answer.body)
        for row in body["symbols"]:
            if row["symbol"] == "ETHUSDT":
                change(row)
        return HttpAnswer(200, answer.headers, json.dumps(body).encode())

    return changed


def in_break(row):
    row.update(status="BREAK", filters=[])


def without_lot_size(row):
    row["filters"] = [one for one in row["filters"] if one["filterType"] != "LOT_SIZE"]


def zero_tick(row):
    for one in row["filters"]:
        if one["filterType"] == "PRICE_FILTER":
            one["tickSize"] = "0.00000000"


def with_odd_filters(row):
    row["filters"] += [{"filterType": "OF_NEXT_YEAR", "x": None}, {"filterType": "NOTIONAL", "minNotional": "many"}]


def without_names(row):
    row.clear()


def of_other_types(row):
    row.update(filters="none", status=7)


def frames_of_no_form(data):
    return b'{"e":"depthUpdate","s":"ETHUSDT"}'


def without_depth(data):
    return b"" if b"depthUpdate" in data else data


FAULTS = {
    "delisted": {"control": {"name": "delisted"}},
    "not in exchangeInfo": {"change": lambda answer: INVALID_SYMBOL},
    "halted": {"control": {"name": "symbol_halt", "status": "BREAK"}},
    "in a break, without filters": {"change": row_changed(in_break)},
    "without LOT_SIZE": {"change": row_changed(without_lot_size)},
    "tick 0": {"change": row_changed(zero_tick)},
    "odd filters": {"change": row_changed(with_odd_filters)},
    "a row without names": {"change": row_changed(without_names)},
    "a row of other types": {"change": row_changed(of_other_types)},
    "invalid frames": {"frames": frames_of_no_form},
    "no deltas": {"frames": without_depth},
    "no depth snapshots": {"change": lambda answer: HttpAnswer(500, {}, b""), "path": "/depth"},
    "depth of no form": {"change": lambda answer: HttpAnswer(200, {}, b'{"bids":7}'), "path": "/depth"},
    "open orders refused": {"change": lambda answer: INVALID_SYMBOL, "path": "openOrders"},
    "open orders of no form": {"change": lambda answer: HttpAnswer(200, {}, b'{"a":1}'), "path": "openOrders"},
    "own trades without an answer": {"change": lambda answer: HttpAnswer(503, {}, b""), "path": "myTrades"},
}


def story(fault_name, restart):
    """Trades in BTC-USDT for two minutes, while ETH-USDT has a fault. Returns the world and what BTC-USDT brought."""
    world = World(symbols=(BTC, ETH))
    watcher = world.sim.add("watcher", BookWatcher, follows=["binance"])
    fault = Fault(world, **FAULTS.get(fault_name, {}))
    world.ready()
    world.run(5)
    resting = world.place(Side.BUY, FAR_BID, 3_000)
    world.eth = world.act(PlaceOrder, ETH, Side.BUY, FAR_BID, 1_000)
    world.run(2)
    if restart:
        world.kill_connector()
        world.run(1)
    fault.begin()
    if restart:
        world.start_connector()
    world.run(20)
    trades = [world.trade_by_hand("SELL", "59000", "0.01")["status"]]  # takes the trader's own bid with it
    world.run(10)
    world.control("POST", "faults", add=[{"name": "user_event_lost", "for_s": 3}])
    trades.append(world.trade_by_hand("SELL", "59000", "0.005")["status"])
    world.run(45)  # the lost fill is found by a reconciliation
    world.make_book()
    world.run(1)
    replaced = world.replace(resting, FAR_BID + 100, 2_000)
    world.run(5)
    bought = world.place(Side.BUY, 6_001_000, 700)
    cancelled = world.place(Side.BUY, FAR_BID)
    world.run(5)
    world.cancel(cancelled)
    world.run(5)
    updates = [
        (update.order_ref, update.status, update.cum_lots, update.size_lots)
        for update in world.trader.updates
        if update.symbol == BTC
    ]
    fills = [(fill.order_ref, fill.last_ticks, fill.last_lots) for fill in world.trader.fills.values()]
    answers = {name: world.trader.answers[ref].code for name, ref in (("bought", bought), ("replaced", replaced))}
    kinds = ("BTCUSDT", "/account")
    requests = [path.partition("?")[0] for _, method, path in world.net.requests if any(one in path for one in kinds)]
    signed = [one for one in requests if "/order" in one]
    return world, (trades, updates, fills, answers, signed, watcher.seen[BTC])


@pytest.fixture(scope="module")
def healthy():
    """What BTC-USDT brings while ETH-USDT has no fault, running and with a restart."""
    return {restart: story("", restart)[1] for restart in (False, True)}


@pytest.mark.parametrize("restart", [False, True], ids=["while running", "at a restart"])
@pytest.mark.parametrize("fault_name", FAULTS)
def test_a_market_in_order_trades_as_if_the_other_had_no_trouble(healthy, fault_name, restart):
    world, seen = story(fault_name, restart)
    for got, expected in zip(seen, healthy[restart], strict=True):
        assert got == expected
    assert world.state[0] == "TRADING"
    assert seen[3] == {"bought": AnswerCode.OK, "replaced": AnswerCode.OK}
    feed = world.connector.feed
    assert feed.session.recycles == 0
    assert feed.session.connects == 1
    world.sim.request_stop("binance")
    world.run(8)
    left = [row for row in world.ledger["open_orders"] if row["symbol"] == "BTCUSDT"]
    assert left == []


SHOWN = [
    name
    for name in FAULTS
    if name not in ("odd filters", "no depth snapshots", "depth of no form", "invalid frames", "no deltas")
]


@pytest.mark.parametrize("fault_name", SHOWN)
def test_the_troubled_market_is_named_in_the_state(fault_name):
    world, _ = story(fault_name, restart=True)
    assert world.state[0] == "TRADING"
    assert ETH in world.state[1], world.state


def test_without_a_fault_nothing_is_named():
    world, _ = story("", restart=True)
    assert world.state == ("TRADING", "")
    assert world.last(world.eth).status is OrdStatus.NEW
