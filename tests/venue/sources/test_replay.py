"""Recordings played into the local exchange: the same book at every update, our orders in it, and how it ends."""

import gzip
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from actors.log.secret import ApiKey, Secret
from actors.sim.driver import Sim
from clockd.clock import Clock
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from market.levels import unpack_levels
from protocol import BookDelta, BookSnapshot, TopOfBook, Trade
from strategies.pure_market_making import PureMarketMaking
from venue.base import demo
from venue.base.settings import MarketSettings, ReplaySettings, VenueSettings
from venue.base.venue_errors import BadVenue
from venue.base.wire import Request
from venue.sim_service import SimVenue
from venue.sources.replay_file import messages, trades_first
from venue.symbols.symbol import Symbol

FILES = {"BTC-USDT": "binance_spot/btcusdt_20240808.gz", "ETH-USDT": "binance_spot/ethusdt_20240808.gz"}
LOTS = {"BTC-USDT": Decimal("0.00001"), "ETH-USDT": Decimal("0.0001")}


def settings_of(name, path, **replay):
    return {
        "markets": [MarketSettings(symbol=name, lot_size=LOTS[name])],
        "replay": ReplaySettings(file=str(path), **replay),
    }


@pytest.fixture(params=list(FILES))
def name(request):
    return request.param


def played(world, seconds):
    """Let the exchange run; the source that plays."""
    world.advance(int(seconds * 1000))
    return world.exchange.flows[0]


@pytest.mark.slow
def test_without_our_orders_every_best_price_and_every_level_is_the_recorded_one(world, recorded, name):
    path = recorded(FILES[name])
    one = world(**settings_of(name, path, book_delay_ms=0))
    symbol = one.exchange.engine.symbols[name.replace("-", "")]
    replay, matching = one.exchange.flows[0], symbol.matching
    recording = [message for _, message in messages(path, Symbol(one.settings.markets[0]))]
    reported = {
        message.update_id: (message.bid_ticks, message.bid_lots, message.ask_ticks, message.ask_lots)
        for message in recording if isinstance(message, TopOfBook)
    }  # fmt: skip
    books = {}
    book = {}
    checked = levels_checked = 0
    for message in recording:
        if isinstance(message, BookSnapshot | BookDelta):
            for side, packed in ((1, message.bids), (2, message.asks)):
                book |= {(side, price): lots for price, lots in unpack_levels(packed)}
            books[message.update_id] = dict(book) if len(books) % 100 == 0 else None
    while replay.next_ns is not None:
        replay.advance(replay.next_ns, 0)
        if symbol.update_id in reported:
            best = matching.best_bid_ticks, matching.best_bid_lots, matching.best_ask_ticks, matching.best_ask_lots
            assert best == reported[symbol.update_id], symbol.update_id
            checked += 1
        if books.get(symbol.update_id) and replay.market.book_id == symbol.update_id == replay.market.update_id:
            bids, asks = (dict(unpack_levels(side)) for side in matching.snapshot())
            expected = {key: lots for key, lots in books.pop(symbol.update_id).items() if lots}
            assert {**{(1, p): n for p, n in bids.items()}, **{(2, p): n for p, n in asks.items()}} == expected
            levels_checked += 1
    assert checked > 24_000
    assert levels_checked > 5
    trades = [message for message in recording if isinstance(message, Trade)]
    assert [(t.trade_id, t.price_ticks, t.size_lots, t.buyer_is_maker) for t in symbol.trades] == [
        (t.trade_id, t.price_ticks, t.size_lots, t.side == 2) for t in trades
    ]


def test_trades_come_before_the_book_changes_that_they_explain(recorded):
    path = recorded(FILES["BTC-USDT"])
    symbol = Symbol(MarketSettings())
    plain = list(messages(path, symbol))
    moved = list(trades_first(iter(plain), 5_000_000))
    assert len(moved) == len(plain)
    assert all(a[0] <= b[0] for a, b in pairwise(moved))
    assert [one for one in moved if isinstance(one[1], Trade)] == [one for one in plain if isinstance(one[1], Trade)]
    assert moved[0][0] == plain[0][0] + 5_000_000


def small(tmp_path, name="small.gz", symbol="BTCUSDT", seconds=2):
    """A recording by hand: a book, a trade and a move each second."""

    def event(**fields):
        return {"stream": "x", "data": {"s": symbol, **fields}}

    rows = [(0, {"lastUpdateId": 10, "bids": [["100.00", "1"]], "asks": [["101.00", "1"]]})]
    for n in range(1, seconds + 1):
        at, bid = n * 1_000_000_000, f"{100 + n % 2 * 0.5:.2f}"
        rows.append((at, event(e="trade", E=n, T=n, t=n, p="100.00", q="0.1", m=True)))
        other = "100.50" if bid == "100.00" else "100.00"
        rows.append((at, event(e="depthUpdate", E=n, U=10 + n, u=10 + n, b=[[bid, "1"], [other, "0"]], a=[])))
        rows.append((at + 1, event(u=10 + n, b=bid, B="1", a="101.00", A="1")))
    path = tmp_path / name
    with gzip.open(path, "wb") as file:
        for at, row in rows:
            file.write(b"%d %s\n" % (1_723_000_000_000_000_000 + at, json.dumps(row).encode()))
    return path


def best_bid(world):
    return Decimal(world.get("ticker/bookTicker", symbol="BTCUSDT")["bidPrice"])


def test_speed_and_the_end_where_the_book_stays(world, tmp_path):
    slow = world(**settings_of("BTC-USDT", small(tmp_path, seconds=4)))
    fast = world(**settings_of("BTC-USDT", small(tmp_path, seconds=4), speed=10))
    assert (best_bid(slow), best_bid(fast)) == (100, 100)
    assert played(slow, 1.5).next_ns is not None
    assert best_bid(slow) == Decimal("100.5")
    assert played(fast, 0.45).next_ns is None
    assert best_bid(fast) == 100
    assert [one["id"] for one in fast.get("trades", symbol="BTCUSDT")] == [1, 2, 3, 4]
    fast.advance(5000)
    assert best_bid(fast) == 100
    status, body = fast.order("SELL", "0.5", "100", who="ann")
    assert (status, body["status"]) == (200, "FILLED"), "the book stays, and can still be taken"
    assert not fast.exchange.is_over


def test_an_exchange_that_stops_with_its_recording(world, tmp_path):
    one = world(**settings_of("BTC-USDT", small(tmp_path), at_end="stop"))
    one.advance(1500)
    assert not one.exchange.is_over
    one.advance(1500)
    assert one.exchange.is_over


def test_a_loop_goes_on_with_ids_that_clients_can_follow(world, tmp_path):
    one = world(**settings_of("BTC-USDT", small(tmp_path, seconds=3), at_end="loop"))
    conn = one.open("/stream", "streams=btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker")
    one.advance(20_000)
    assert one.exchange.flows[0].turns > 3
    received = [frame["data"] for frame in one.received(conn)]
    diffs = [frame for frame in received if frame.get("e") == "depthUpdate"]
    assert len(diffs) > 12
    assert all(b["U"] == a["u"] + 1 for a, b in pairwise(diffs))
    ids = [frame["t"] for frame in received if frame.get("e") == "trade"]
    assert ids == list(range(1, len(ids) + 1))
    tops = [frame["u"] for frame in received if "B" in frame]
    assert tops == sorted(set(tops))
    book = {}
    for frame in diffs:
        book |= dict(frame["b"])
    assert {price for price, size in book.items() if float(size)} == {f"{best_bid(one):.8f}"}


def packed(lines):
    """Without the time of packing in it: what is collected must be the same in every worker."""
    return gzip.compress(lines, mtime=0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"no gzip", "gzip"),
        (packed(b""), "no stream frame"),
        (packed(b'1 {"data":{"s":"BTCUSDT","u":1,"b":"1","B":"1","a":"2","A":"1"}}\n'), "no REST snapshot"),
        (packed(b'1 {"data":{"s":"ETHUSDT","u":1,"b":"1","B":"1","a":"2","A":"1"}}\n'), "is a recording of ETHUSDT"),
        (packed(b'1 {"data":{"s":"BTCUSDT","u":1,"b":"1.001","B":"1","a":"2","A":"1"}}\n'), "line 1"),
        (packed(b'{"data":{}}\n'), "expected a time"),
        (packed(b"1 {}\n" * 3), "line 1"),
        (packed(b'1 {"data":{"s":"BTCUSDT","u":1,"b":"1","B":"1","a":"2","A":"1"}}\n' * 9)[:-9], "after line"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_recording_that_cannot_be_played_is_refused_in_one_line(world, tmp_path, content, words):
    path = tmp_path / "bad.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadVenue, match=words) as refused:
        world(**settings_of("BTC-USDT", path))
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


LIMITS = Limits(
    max_order_notional=Decimal(20_000),
    max_position=Decimal("1.5"),
    max_open_orders=100,
    max_orders_per_s=50,
    price_collar_bps=2_000,
    max_book_age_ms=10_000,
    duplicate_ms=0,
)


def trade_on(path: Path, seconds: float):
    """The market maker on a replay in a simulation, stopped at the end; (its market, the exchange's ledger, trace)."""
    sim = Sim(net_ns=5_000_000)
    settings = VenueSettings(**settings_of("BTC-USDT", path), maker_fee=Decimal("0.0001"))
    venue = SimVenue(settings, sim.now_ns)
    sim.serve("venue", venue)
    sim.add("clockd", Clock, Clock.Settings(tick_ms=250, order=[["binance"], ["maker"]]))
    urls = dict.fromkeys(("rest_url", "ws_url", "ws_api_url"), "local://venue")
    wanted = BinanceSpot.Settings(markets=["BTC-USDT"], limits={"BTC-USDT": LIMITS}, **urls)
    sim.add("binance", BinanceSpot, wanted, keys=ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET)))
    making = PureMarketMaking.Settings(
        market="binance:BTC-USDT", bid_spread_bps=Decimal("0.2"), ask_spread_bps=Decimal("0.2"), size=Decimal("0.01"),
        levels=2, level_spacing_bps=Decimal("0.3"), order_refresh_ms=1_000, filled_order_delay_ms=250,
    )  # fmt: skip
    maker = sim.add("maker", PureMarketMaking, making, follows=["binance"])
    sim.run_for(seconds)
    market = maker.market("binance:BTC-USDT")
    sim.request_stop("maker")
    sim.run_for(5)
    answer = venue.exchange.handle(Request("GET", "/control/ledger", "account=maker", {}, b""), sim.now_ns)
    return market, json.loads(answer.body), venue.exchange.engine.symbols["BTCUSDT"]


@pytest.mark.slow
def test_the_bot_on_a_replay_ends_with_the_exchange_s_own_position_and_the_same_each_time(recorded):
    path = recorded(FILES["BTC-USDT"])
    market, ledger, symbol = trade_on(path, 40)
    assert ledger["open_orders"] == []
    assert len(ledger["trades"]) > 3
    bought = sum((Decimal(row["qty"]) for row in ledger["trades"] if row["isBuyer"]), Decimal(0))
    sold = sum((Decimal(row["qty"]) for row in ledger["trades"] if not row["isBuyer"]), Decimal(0))
    size = market.rules.size
    assert (size(market.position.bought_lots), size(market.position.sold_lots)) == (bought, sold)
    owned = {"BTC": Decimal(0)} | {asset: Decimal(amount) for asset, amount in ledger["opening"].items()}
    for row in ledger["trades"]:
        sign = 1 if row["isBuyer"] else -1
        owned["BTC"] += sign * Decimal(row["qty"])
        owned["USDT"] -= sign * Decimal(row["quoteQty"])
        owned[row["commissionAsset"]] -= Decimal(row["commission"])
    for asset, balance in ledger["balances"].items():
        assert Decimal(balance["free"]) + Decimal(balance["locked"]) == owned[asset]
    _, again, same = trade_on(path, 40)
    assert again["trades"] == ledger["trades"]
    assert same.matching.state_hash() == symbol.matching.state_hash()
