"""One bot for a whole file of tests: the default bot with short intervals, its bus, and its exchange's ledger."""

import contextlib
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from decimal import Decimal
from pathlib import Path

import pytest

from actors.live.run_time import RunTime
from actors.tap import Tap, Tapped
from protocol import (
    Balances,
    BookSnapshot,
    Health,
    Heartbeat,
    OrdersSnapshot,
    OrderUpdate,
    PositionRow,
    StreamState,
    TickReport,
)
from tickbus.bot.supervisor_client import Supervisor
from venue.base import demo

DEFAULT = Path(__file__).resolve().parents[2] / "runs" / "default.toml"
QUICKER = {
    "tick_ms = 1000": "tick_ms = 200",
    "order_refresh_ms = 5000": "order_refresh_ms = 1000",
    "filled_order_delay_ms = 2000": "filled_order_delay_ms = 200",
    # An order whose placement was lost is searched for until its request has expired: a short time here.
    '[actors.binance.settings]\n': '[actors.binance.settings]\nrecv_window_ms = 1000\nnot_placed_margin_ms = 1000\n',
    "max_position = 0.5": "max_position = 5",
}  # fmt: skip
ACTORS = ("binance", "maker")


class Bot:
    """A bot through its user's tools: the command line, a tap, supervisord, the control API of the exchange."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_file = folder / "bot.toml"
        self.run_dir = folder / ".tickbus" / "bot"
        text = DEFAULT.read_text()
        for slow, quick in QUICKER.items():
            assert slow in text
            text = text.replace(slow, quick)
        self.run_file.write_text(text)
        self.supervisor = Supervisor(self.run_dir)
        self.received: deque[Tapped] = deque(maxlen=50_000)
        self._tap: Tap | None = None

    # -- processes ------------------------------------------------------------------------------------

    def tickbus(self, *args: object) -> str:
        names = dict.fromkeys(("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "TMPDIR"), str(self.folder))
        command = [sys.executable, "-m", "tickbus.main", *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | names)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self) -> None:
        self.tickbus("up", self.run_file)
        if self._tap is None:
            self._tap = Tap(self.run_dir)

    def pids(self) -> dict[str, int]:
        return {one.name: one.pid for one in self.supervisor.processes()}

    def processes(self) -> list[int]:
        """Returns the pid of every process of this bot."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and str(self.folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found

    # -- messages ---------------------------------------------------------------------------------------

    def receive(self, seconds: float = 0.05) -> None:
        self.received.extend(self._tap.poll(seconds))

    def wait(self, what, timeout_s: float = 30.0):
        """Receives messages until `what()` is true; returns its value."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.receive()
            if found := what():
                return found
        raise AssertionError(f"did not come true in {timeout_s} s; {self.last(Health)} {self.last(TickReport)}")

    def since(self, kind: type, ts_ns: int = 0, sender: str = "") -> list:
        """Returns the messages of a type that were sent after a time of the bus, oldest first."""
        return [
            one for one in self.received
            if isinstance(one.body, kind) and one.ts_ns > ts_ns and (not sender or one.sender == sender)
        ]  # fmt: skip

    def last(self, kind: type, sender: str = ""):
        found = self.since(kind, sender=sender)
        return found[-1] if found else None

    def now_ns(self) -> int:
        return RunTime(self.run_dir).now_ns()

    def is_ticked(self, ts_ns: int = 0) -> bool:
        """Returns whether a tick reached every actor after a time."""
        return any({name for name, _ in one.body.hops} == set(ACTORS) for one in self.since(TickReport, ts_ns))

    def is_trading(self, ts_ns: int = 0) -> bool:
        beats = self.since(Heartbeat, ts_ns, "binance")
        return bool(beats) and beats[-1].body.state == "TRADING" and bool(self.ledger()["open_orders"])

    def live_book(self, ts_ns: int):
        """Returns the first snapshot of a live book after a time."""
        found = [one for one in self.since(BookSnapshot, ts_ns) if one.body.state is StreamState.LIVE]
        return found[0] if found else None

    # -- its exchange -------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None):
        base = json.loads((self.run_dir / "venue.address").read_text())["http"]
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(base + path, data, headers or {}, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def ledger(self) -> dict:
        """Returns the exchange's ledger; an empty one while the exchange does not respond."""
        try:
            return self.call("GET", "/control/ledger?account=maker")
        except (OSError, urllib.error.URLError):
            return {"open_orders": [], "trades": [], "orders": [], "balances": {}}

    def ledger_of_file(self) -> dict:
        """Returns the exchange's ledger also before its address is known."""
        return self.ledger() if (self.run_dir / "venue.address").exists() else {"open_orders": []}

    def trade_against_us(self, tick_size: str = "0.01") -> int:
        """Sends an order of another account against one of ours; returns our number of trades after it."""
        tick = Decimal(tick_size)
        ours = self.wait(
            lambda: [
                one for one in self.ledger()["open_orders"] if not _is_manual(one) and not Decimal(one["price"]) % tick
            ]
        )
        order = ours[0]
        side = "SELL" if order["side"] == "BUY" else "BUY"
        query = urllib.parse.urlencode({
            "symbol": order["symbol"], "side": side, "type": "LIMIT", "timeInForce": "IOC", "price": order["price"],
            "quantity": "0.9", "timestamp": time.time_ns() // 1_000_000,
        })  # fmt: skip
        signature = hmac.new(demo.EXTERNAL_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        with contextlib.suppress(ValueError, RecursionError):  # a fault may replace the body of the answer
            self.call(
                "POST", f"/api/v3/order?{query}&signature={signature}", headers={"X-MBX-APIKEY": demo.EXTERNAL_KEY}
            )
        return len(self.ledger()["trades"])

    def trade(self, tick_size: str = "0.01") -> None:
        """Returns when the bot has at least one more fill."""
        before = len(self.ledger()["trades"])
        self.wait(lambda: self.trade_against_us(tick_size) > before)

    # -- both, side by side -------------------------------------------------------------------------------

    def differences(self) -> dict:
        """Returns the differences between the connector's snapshots and the exchange's ledger at this moment."""
        requested_ns = self.now_ns()
        for prefix in ("ord.binance.maker.", "acct.binance."):
            if not self._tap.request_snapshots("binance", prefix):
                return {"binance": "is not connected"}
        end = time.monotonic() + 2
        while not (self.since(OrdersSnapshot, requested_ns) and self.since(Balances, requested_ns)):
            if time.monotonic() > end:
                return {"binance": "does not respond"}
            self.receive(0.02)
        ours = _ours(self.last(OrdersSnapshot).body, self.last(Balances).body)
        theirs = _theirs(self.ledger())
        return {what: (ours[what], theirs[what]) for what in theirs if ours[what] != theirs[what]}

    def assert_books_agree(self, timeout_s: float = 30.0) -> None:
        """Waits until nothing differs: a comparison may fall between a fill and its report, so it is repeated."""
        end = time.monotonic() + timeout_s
        while found := self.differences():
            assert time.monotonic() < end, found
            self.receive(0.1)


def _is_manual(order: dict) -> bool:
    """Returns whether an order is an external one; a storm places some in the bot's account."""
    return order["clientOrderId"].startswith("web_")


def _ours(snapshot: OrdersSnapshot, balances: Balances) -> dict:
    rows = {row.symbol: row for row in snapshot.positions}
    row = rows.get("BTC-USDT")
    return {
        "open orders": {one.cl_ord_id: one.cum_lots * lot_of(one) for one in snapshot.orders},
        "fills": snapshot.fill_no,
        "bought": row.bought_lots * lot_of(row) if row else 0,
        "sold": row.sold_lots * lot_of(row) if row else 0,
        "paid": row.bought_notional if row else 0,
        "received": row.sold_notional if row else 0,
        "fees": {asset: fee for asset, fee in row.fees if fee} if row else {},
        "balances": {asset: (free, locked) for asset, free, locked in balances.rows},
    }


def lot_of(message: OrderUpdate | PositionRow) -> Decimal:
    """Returns the size of one lot of a message, by its own scale."""
    return Decimal(1).scaleb(-message.size_digits)


def _theirs(ledger: dict) -> dict:
    bought = [one for one in ledger["trades"] if one["isBuyer"]]
    sold = [one for one in ledger["trades"] if not one["isBuyer"]]
    fees: dict[str, Decimal] = {}
    for one in ledger["trades"]:
        fees[one["commissionAsset"]] = fees.get(one["commissionAsset"], Decimal(0)) + Decimal(one["commission"])
    return {
        "open orders": {one["clientOrderId"]: Decimal(one["executedQty"]) for one in ledger["open_orders"]},
        "fills": len(ledger["trades"]),
        "bought": sum(Decimal(one["qty"]) for one in bought),
        "sold": sum(Decimal(one["qty"]) for one in sold),
        "paid": sum(Decimal(one["quoteQty"]) for one in bought),
        "received": sum(Decimal(one["quoteQty"]) for one in sold),
        "fees": {asset: fee for asset, fee in fees.items() if fee},
        "balances": {asset: (Decimal(b["free"]), Decimal(b["locked"])) for asset, b in ledger["balances"].items()},
    }


@pytest.fixture(scope="module")
def bot():
    """A bot that trades; all its processes end after the tests."""
    folder = Path(tempfile.mkdtemp(prefix="tb-"))
    built = Bot(folder)
    try:
        built.up()
        built.wait(lambda: built.is_ticked() and built.is_trading(), 60)
        for asset, amount in (("BTC", 1_000), ("USDT", 100_000_000)):
            built.call("POST", "/control/deposit", {"account": "external", "asset": asset, "amount": amount})
        yield built
    finally:
        end_of(built)


def end_of(bot: Bot) -> None:
    """Ends every process of a bot, and removes its folder."""
    if bot._tap is not None:
        bot._tap.close()
    with contextlib.suppress(Exception):
        bot.supervisor.shutdown()
    end = time.monotonic() + 20
    while bot.processes() and time.monotonic() < end:
        time.sleep(0.1)
    for pid in bot.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    shutil.rmtree(bot.folder, ignore_errors=True)
