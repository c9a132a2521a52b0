"""A still exchange in memory with a signing client, and real venue processes."""

import hashlib
import hmac
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest

from venue.base import demo
from venue.base.settings import AccountSettings, FlowSettings, KeySettings, LimitSettings, MarketSettings, VenueSettings
from venue.base.wire import CLOSE, Request
from venue.exchange import Exchange

START_NS = 1_700_000_000_000_000_000
STILL = FlowSettings(limit_rate=0, market_rate=0)
ROOT = Path(__file__).resolve().parents[2]


def account(name: str, **balances: str) -> AccountSettings:
    key = KeySettings(api_key=f"key-{name}", secret=f"secret-{name}")
    return AccountSettings(name=name, keys=[key], balances={k: Decimal(v) for k, v in balances.items()})


class ExchangeWorld:
    """An exchange in memory, a clock that moves only in `advance`, and clients of its accounts."""

    def __init__(self, log: list[bytes] | None = None, **settings: object) -> None:
        settings.setdefault("markets", [MarketSettings(flow=STILL, history_days=0)])
        settings.setdefault("accounts", [account(n, BTC="10", USDT="1000000") for n in ("ann", "bob")])
        self.settings = VenueSettings(**settings)  # type: ignore[arg-type]
        self.now_ns = START_NS
        self.log = [] if log is None else log
        self.pushes: list[tuple[int, object]] = []
        self.connections = 0
        self.exchange = Exchange(self.settings, self.now_ns, list(self.log), is_logged=True)
        self._settle()

    def _settle(self) -> None:
        self.log += self.exchange.take_records()
        self.pushes += self.exchange.take_pushes()

    def advance(self, milliseconds: int) -> None:
        end_ns = self.now_ns + milliseconds * 1_000_000
        while self.exchange.next_wake_ns <= end_ns:
            self.now_ns = self.exchange.next_wake_ns
            self.exchange.advance(self.now_ns)
            self._settle()
        self.now_ns = end_ns

    def request(self, method: str, path: str, query: str = "", body: str = "", headers: dict | None = None):
        requested = Request(method, path, query, headers or {}, body.encode())
        answer = self.exchange.handle(requested, self.now_ns)
        self._settle()
        return answer

    def get(self, path: str, **params: object):
        answer = self.request("GET", f"/api/v3/{path}", urlencode(params))
        return json.loads(answer.body)

    def signed(self, method: str, path: str, who: str = "ann", **params: object):
        """(status, JSON) of a signed request."""
        query = urlencode({**params, "timestamp": self.now_ns // 1_000_000})
        query += "&signature=" + self.sign(query, who)
        answer = self.request(method, f"/api/v3/{path}", query, headers={"x-mbx-apikey": f"key-{who}"})
        return answer.status, json.loads(answer.body)

    def sign(self, payload: str, who: str = "ann") -> str:
        return hmac.new(f"secret-{who}".encode(), payload.encode(), hashlib.sha256).hexdigest()

    def order(self, side: str, size: object, price: object = None, who: str = "ann", **params: object):
        """Place an order: LIMIT GTC with a price, else MARKET."""
        requested = {"symbol": "BTCUSDT", "side": side, "quantity": size}
        requested |= {"type": "MARKET"} if price is None else {"type": "LIMIT", "timeInForce": "GTC", "price": price}
        requested |= params
        requested = {k: v for k, v in requested.items() if v is not None}
        return self.signed("POST", "order", who, **requested)

    def balance(self, asset: str, who: str = "ann") -> tuple[Decimal, Decimal]:
        """(free, locked)"""
        found = self.exchange.accounts.by_name[who].balance(asset)
        return Decimal(found.free).scaleb(-8), Decimal(found.locked).scaleb(-8)

    def open(self, path: str, query: str = "") -> int:
        self.connections += 1
        assert self.exchange.open(self.connections, path, self.now_ns, query)
        self._settle()
        return self.connections

    def send(self, conn_id: int, **message: object):
        """Send a JSON message; the answers to it."""
        seen = len(self.pushes)
        self.exchange.receive(conn_id, json.dumps(message), self.now_ns)
        self._settle()
        return [json.loads(text) for to, text in self.pushes[seen:] if to == conn_id and isinstance(text, bytes)]

    def received(self, conn_id: int) -> list[dict]:
        """All frames that a websocket has received, as JSON."""
        return [json.loads(text) for to, text in self.pushes if to == conn_id and isinstance(text, bytes)]

    def was_closed(self, conn_id: int) -> bool:
        return (conn_id, CLOSE) in self.pushes

    def subscribe_user(self, who: str = "ann") -> int:
        """A websocket API connection that is subscribed to the account."""
        conn_id = self.open("/ws-api/v3")
        params = {"apiKey": f"key-{who}", "timestamp": self.now_ns // 1_000_000}
        payload = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
        signed = {**params, "signature": self.sign(payload, who)}
        answers = self.send(conn_id, id=1, method="userDataStream.subscribe.signature", params=signed)
        assert answers[0]["status"] == 200, answers
        return conn_id


def misfit(ours: object, documented: list, where: str = "$", optional: frozenset = frozenset()) -> str | None:
    """How `ours` differs in keys and types from each of the `documented` examples; None where one of them fits.

    A list fits where each element does, and is empty only where the examples are or `where` ends in an `optional`.
    """
    if isinstance(ours, dict):
        same = [one for one in documented if isinstance(one, dict) and not (one.keys() ^ ours.keys()) - optional]
        if not same:
            nearest = min(
                (one for one in documented if isinstance(one, dict)),
                key=lambda one: len(one.keys() ^ ours.keys()),
                default={},
            )
            return (
                f"{where}: missing {sorted(nearest.keys() - ours.keys())}, more {sorted(ours.keys() - nearest.keys())}"
            )
        inner = (
            misfit(ours[key], [one[key] for one in same if key in one], f"{where}.{key}", optional) for key in ours
        )
        return next((found for key, found in zip(ours, inner, strict=True) if found and key not in optional), None)
    if isinstance(ours, list):
        lists = [one for one in documented if isinstance(one, list)]
        if not lists:
            return f"{where}: a list"
        rows = [row for one in lists for row in one]
        if rows and not ours and where.rpartition(".")[2] not in optional:
            return f"{where}: empty"
        inner = (misfit(row, rows, f"{where}[{n}]", optional) for n, row in enumerate(ours) if rows)
        return next(filter(None, inner), None)
    if type(ours) in {type(one) for one in documented}:
        return None
    return f"{where}: {ours!r} is no {' or '.join(sorted({type(one).__name__ for one in documented}))}"


class StillMarket(ExchangeWorld):
    """A still market around 40,000 in which Bob and Cal trade at will; Ann has 10 BTC and 1,000,000 USDT."""

    def __init__(self, log: list[bytes] | None = None, **market: object) -> None:
        settings = MarketSettings(flow=STILL, start_price=Decimal(40_000), **market)  # type: ignore[arg-type]
        owners = [account(name, BTC="10", USDT="1000000") for name in ("ann", "bob", "cal")]
        super().__init__(log, markets=[settings], accounts=owners)

    def trade(self, *prices: object) -> None:
        """Trades between Bob and Cal; the last is the last price. Resting orders in between trade too."""
        for price in prices:
            self.order("SELL", "0.001", price, who="bob")
            self.order("BUY", "0.001", price, who="cal")
            for who in ("bob", "cal"):
                self.signed("DELETE", "openOrders", who, symbol="BTCUSDT")

    def found(self, order_id: int, who: str = "ann") -> dict:
        """An order as in the answer to GET /api/v3/order."""
        return self.signed("GET", "order", who, symbol="BTCUSDT", orderId=order_id)[1]

    def call(self, conn_id: int, method: str, who: str = "ann", **params: object) -> dict:
        """The answer to a signed request over the websocket API."""
        requested = {**params, "apiKey": f"key-{who}", "timestamp": self.now_ns // 1_000_000}
        payload = "&".join(f"{name}={value}" for name, value in sorted(requested.items()))
        answers = self.send(conn_id, id=1, method=method, params={**requested, "signature": self.sign(payload, who)})
        return next(answer for answer in answers if "id" in answer)

    def events(self, conn_id: int, kind: str = "executionReport") -> list[dict]:
        """The user events of a kind that a websocket has received."""
        received = [message["event"] for message in self.received(conn_id) if "event" in message]
        return [event for event in received if event["e"] == kind]


class VenueClient:
    """A client of a venue process that writes its address into `folder`."""

    trusted: ssl.SSLContext | None = None  # for https; urllib keeps the context of its first call, so give it each time

    def __init__(self, folder: Path, process: subprocess.Popen, before: int = 0) -> None:
        self.folder = folder
        self.process = process
        for _ in range(400):
            if stamp(folder) != before:
                break
            assert process.poll() is None, "the venue died at its start"
            time.sleep(0.025)
        address = json.loads((folder / "address.json").read_text())
        self.http, self.ws = address["http"], address["ws"]

    def call(self, method: str, path: str, body: object = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.http + path, data, method=method)
        with urllib.request.urlopen(request, timeout=5, context=self.trusted) as answer:
            return json.loads(answer.read())

    def signed(self, method: str, path: str, **params: object):
        """(status, JSON) of a request of the demo account `maker`."""
        query = urlencode({**params, "timestamp": time.time_ns() // 1_000_000})
        query += "&signature=" + hmac.new(demo.MAKER_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.http}/api/v3/{path}?{query}", method=method)
        request.add_header("X-MBX-APIKEY", demo.MAKER_KEY)
        try:
            with urllib.request.urlopen(request, timeout=5, context=self.trusted) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def stamp(folder: Path) -> int:
    """Which address file this is; 0 for none."""
    file = folder / "address.json"
    return file.stat().st_ino if file.exists() else 0


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(one)}" for name, one in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


class Venue(VenueClient):
    """A venue process, started at once; `kill` is kill -9."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.file = folder / "venue.toml"
        lines = [f"{name} = {toml(value)}" for name, value in settings.items()]
        self.file.write_text("\n".join(["[venue]", f'address_file = "{folder}/address.json"', *lines]) + "\n")
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        before = stamp(self.folder)
        process = subprocess.Popen([sys.executable, "-m", "venue.server.main", self.file], cwd=ROOT, env=environment)
        super().__init__(self.folder, process, before)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(10)


@pytest.fixture(name="misfit")
def misfit_of():
    """`misfit(ours, documented)` describes how they differ in keys and types."""
    return misfit


@pytest.fixture(scope="session")
def documented(recorded):
    """The examples of the exchange's documents: `rest`, `wsapi`, `streams`, `user`."""
    return json.loads(recorded("binance_docs/binance_docs_examples.json").read_text())


@pytest.fixture
def world():
    """`world()` is a fresh still exchange; settings of VenueSettings may be given."""
    return ExchangeWorld


@pytest.fixture
def market():
    """`market()` is a fresh Market; settings of MarketSettings may be given."""
    return StillMarket


@pytest.fixture
def ann_and_bob(world):
    """A still exchange with two accounts of 10 BTC and 1,000,000 USDT each."""
    return world()


@pytest.fixture
def tight():
    """Limits that a test can reach."""
    return LimitSettings(weight_1m=100, orders_10s=3, orders_1d=5, ban_after=2, messages_1s=5, connections_5m=3)


@pytest.fixture
def venue(tmp_path):
    """`venue(**settings)` starts a venue process; it is killed when the test ends."""
    started: list[Venue] = []

    def start(**settings: object) -> Venue:
        started.append(Venue(tmp_path, **settings))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def venue_client():
    """`venue_client(folder, process)` speaks with a venue that the test started by itself."""
    return VenueClient


@pytest.fixture
def stop_after():
    """`stop_after(process)` ends it, by its own id, when the test ends."""
    started: list[subprocess.Popen] = []

    def keep(process: subprocess.Popen) -> subprocess.Popen:
        started.append(process)
        return process

    yield keep
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="module")
def shared_venue(tmp_path_factory):
    """One venue process for all tests of a module."""
    one = Venue(tmp_path_factory.mktemp("venue"))
    yield one
    one.kill()
