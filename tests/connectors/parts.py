"""The parts of an order side, for tests of one of them: effects are recorded, the test gives the answers."""

import heapq
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import structlog

from actors.log.secret import ApiKey, Secret
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link, Listener
from connectors.binance.requests import BinanceOrders
from connectors.core.market_scales import MarketScales
from connectors.core.records import (
    AnyRecord,
    EpochRecord,
    NewOrderRecord,
    ScaleRecord,
    decode_record,
    encode_record,
)
from connectors.core.reports import OrderReport, TradeReport
from connectors.net.ban import Ban
from connectors.net.client import ExchangeClient
from connectors.net.server_clock import ServerClock
from connectors.orders.client_id import encode_id, journal_tag
from connectors.orders.halts import Halts
from connectors.orders.issued_ids import IssuedIds
from connectors.orders.missing_orders import MissingOrders
from connectors.orders.order_journal import JOURNAL, OrderJournal
from connectors.orders.rechecks import Recheck, Rechecks
from connectors.orders.report_handler import ReportHandler
from connectors.orders.tracker import OrderTracker
from market.instrument import Instrument
from market.scale import Scale
from protocol import Liquidity, Message, OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce

SYMBOL = "BTC-USDT"
RULES = Instrument(SYMBOL, "BTC", "USDT", Decimal(1), Decimal("0.1"))
TAG = journal_tag("binance", "account", 1)
SECOND_NS = 1_000_000_000
MARGIN_NS = 70 * SECOND_NS


class FakeEffects:
    """The Effects of a part. Time and answers are the test's; `perform` performs what is queued, as a driver does."""

    def __init__(self, name: str = "binance") -> None:
        self.name = name
        self.now_ns = 0
        self.log = structlog.get_logger()
        self.published: list[tuple[str, Any]] = []
        self.requests: list[tuple[HttpRequest, Callable[[HttpAnswer | HttpFailure], None]]] = []
        self.links: list[Link] = []
        self.frames: list[str] = []  # sent on websockets
        self.journal: list[bytes] = []  # the content of the order journal
        self.journals: dict[str, list[bytes]] = {}  # the others, by name
        self.appended: list[bytes] = []  # every record that was written, also what a compaction has replaced
        self.rewritten: list[list[bytes]] = []
        self.journal_trouble = ""
        self._journal_misses = ""
        self.events: list[str] = []  # what was performed, in order: "append", "publish", "http", "ws"
        self.stop_requested = False
        self.heartbeat_counts: dict[str, int] = {}  # by actor
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._timers: list[tuple[int, int]] = []
        self._calls: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}
        self._count = 0

    # -- Effects ----------------------------------------------------------------------------------------------

    def publish(self, topic: str, message: Message) -> int:
        self._queue.append((self._publish, (topic, message)))
        return len(self.published)

    def _publish(self, topic: str, message: Message) -> None:
        self.events.append("publish")
        self.published.append((topic, message))

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int:
        self._count += 1
        self._calls[self._count] = (call, args)
        heapq.heappush(self._timers, (self.now_ns + delay_ns, self._count))
        return self._count

    def cancel_timer(self, timer: int) -> None:
        self._calls.pop(timer, None)

    def queue(self, call: Callable[..., None], *args: Any) -> None:
        self._queue.append((call, args))

    def http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        self._queue.append((self._http, (request, then)))

    def _http(self, request: HttpRequest, then: Callable[[HttpAnswer | HttpFailure], None]) -> None:
        self.events.append("http")
        self.requests.append((request, then))

    def connect(self, url: str, listener: Listener) -> Link:
        link = Link(len(self.links), url, listener, self)
        self.links.append(link)
        return link

    def append(self, journal: str, record: bytes, then: Callable[[str], None] | None = None) -> None:
        if journal == JOURNAL:
            self._queue.append((self._append, (record, then)))
        else:
            self.journals.setdefault(journal, []).append(record)

    def _append(self, record: bytes, then: Callable[[str], None] | None) -> None:
        self.events.append("append")
        self._journal_misses = self._journal_misses or self.journal_trouble  # until it is rewritten, as in a driver
        if not self._journal_misses:
            self.journal.append(record)
            self.appended.append(record)
        if then is not None:
            then(self._journal_misses)

    def rewrite(self, journal: str, records: list[bytes], then: Callable[[str], None] | None = None) -> None:
        self._queue.append((self._rewrite, (records, then)))

    def _rewrite(self, records: list[bytes], then: Callable[[str], None] | None) -> None:
        self.events.append("rewrite")
        if not self.journal_trouble:
            self.rewritten.append(records)
            self.journal = list(records)
            self._journal_misses = ""
        if then is not None:
            then(self.journal_trouble)

    def heartbeats(self, name: str) -> int:
        return self.heartbeat_counts.get(name, 0)

    def request_stop(self) -> None:
        self.stop_requested = True

    # -- LinkEffects ------------------------------------------------------------------------------------------

    def ws_send(self, link: Link, data: str | bytes) -> None:
        self.queue(self.ws_send_now, link, data)

    def ws_send_now(self, link: Link, data: str | bytes) -> None:
        self.events.append("ws")
        self.frames.append(data if isinstance(data, str) else data.decode())

    def ws_close(self, link: Link) -> None:
        self.queue(self.close, link, "closed by us")

    # -- the test's side --------------------------------------------------------------------------------------

    def perform(self) -> None:
        """Perform what is queued, in order."""
        while self._queue:
            call, args = self._queue.popleft()
            call(*args)

    def run(self, seconds: float) -> None:
        """Let time pass; run timers."""
        end_ns = self.now_ns + round(seconds * SECOND_NS)
        self.perform()
        while self._timers and self._timers[0][0] <= end_ns:
            at_ns, timer = heapq.heappop(self._timers)
            call, args = self._calls.pop(timer, (None, ()))
            if call is not None:
                self.now_ns = max(self.now_ns, at_ns)
                call(*args)
                self.perform()
        self.now_ns = end_ns

    def open(self, link: Link) -> None:
        """The connection is open."""
        link.is_open = True
        link.listener.ws_opened(link)
        self.perform()

    def close(self, link: Link, reason: str = "reset") -> None:
        """The connection is closed."""
        if not link.is_closed:
            link.is_open, link.is_closed = False, True
            link.listener.ws_closed(link, reason)

    def frame(self, link: Link, data: bytes) -> None:
        """A frame arrives."""
        link.listener.ws_frame(link, data)
        self.perform()

    def answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> HttpRequest:
        """Answer the oldest request; returns it."""
        return self.result(HttpAnswer(status, headers or {}, body))

    def fail(self, sent: bool) -> HttpRequest:
        """The oldest request fails; returns it."""
        return self.result(HttpFailure(sent, "connection lost"))

    def result(self, result: HttpAnswer | HttpFailure) -> HttpRequest:
        self.perform()
        request, then = self.requests.pop(0)
        then(result)
        self.perform()
        return request

    @property
    def paths(self) -> list[str]:
        """The requests without an answer, as "METHOD name"."""
        self.perform()
        return [f"{request.method} {request.url.partition('?')[0].rpartition('/')[2]}" for request, _ in self.requests]

    @property
    def records(self) -> list[AnyRecord]:
        """What was journaled, also what a compaction has replaced."""
        self.perform()
        return [decode_record(record) for record in self.appended]

    def messages(self, topic: str) -> list[Any]:
        """What was published on a topic."""
        self.perform()
        return [message for at, message in self.published if at == topic]


class Parts:
    """The lower parts of an order side over FakeEffects: a test builds the part that it is about on top of them."""

    def __init__(self, orders: list[NewOrderRecord] = []) -> None:  # noqa: B006
        self.fx = FakeEffects()
        self.api = BinanceOrders("http://x", "ws://x", ApiKey("key", Secret("secret")), 5_000, 5_000)
        self.api.add_market(RULES)
        self.clock = ServerClock()
        self.ban = Ban(self.fx, self.clock)
        self.troubles: list[Any] = []
        self.client = ExchangeClient(self.fx, self.api, self.clock, None, self.ban, self.troubles.append)
        self.changes = 0
        self.halts = Halts(self.fx.log, self.changed)
        self.sent: list[Recheck] = []
        self.rechecks = Rechecks(self.fx, MARGIN_NS, self.send_recheck)
        self.tracker = OrderTracker()
        self.journal = OrderJournal(self.fx, self.tracker, self.rechecks, self.halts)
        self.ids = IssuedIds(self.fx, self.tracker)
        self.scales = MarketScales(self.fx.log, self.record_scale)
        self.scales.load({SYMBOL: RULES.scale})
        self.reports = ReportHandler(self.fx, self.tracker, self.journal, self.rechecks, self.ids, self.scales)
        self.missing = MissingOrders(self.fx, self.api, self.client, self.tracker, self.journal, self.reports)
        self.expected: list[tuple[str, bool]] = []
        self.journal.commit([EpochRecord(1, TAG, 0), ScaleRecord(SYMBOL, RULES.tick_size, RULES.lot_size), *orders])
        self.fx.perform()

    def changed(self) -> None:
        self.changes += 1

    def record_scale(self, symbol: str, scale: Scale) -> None:
        self.journal.commit([ScaleRecord(symbol, scale.tick, scale.lot)])

    def send_recheck(self, recheck: Recheck) -> bool:
        self.sent.append(recheck)
        return True

    def expect(self, cl_ord_id: str, ended: bool) -> None:
        self.expected.append((cl_ord_id, ended))


def new_order(counter: int = 1, owner: str = "maker", side: Side = Side.BUY, **changes: Any) -> NewOrderRecord:
    """A record as the executor writes it: 10 lots at 100 ticks."""
    fields: dict[str, Any] = {
        "counter": counter, "cl_ord_id": encode_id(TAG, owner, 1, counter), "owner": owner, "order_ref": 70 + counter,
        "symbol": SYMBOL, "side": side, "ord_type": OrdType.LIMIT, "time_in_force": TimeInForce.GTC,
        "stp": SelfTradePrevention.NONE, "price_ticks": 100, "size_lots": 10, "ts_ns": 0,
        "valid_until_ns": 5 * SECOND_NS,
    }  # fmt: skip
    return NewOrderRecord(**{**fields, **changes})


def report(
    order: NewOrderRecord, status: OrdStatus = OrdStatus.NEW, cum_lots: int = 0, order_id: str = "9"
) -> OrderReport:
    """The order as the exchange reports it."""
    return OrderReport(
        SYMBOL, order.cl_ord_id, order_id, order.side, order.ord_type, status, Decimal(order.price_ticks),
        RULES.size(order.size_lots), RULES.size(cum_lots), 5,
    )  # fmt: skip


def trade(order: NewOrderRecord, trade_id: int, lots: int, order_id: str = "9") -> TradeReport:
    """A trade of the order as the exchange reports it."""
    return TradeReport(
        SYMBOL, trade_id, order_id, order.side, Decimal(order.price_ticks), RULES.size(lots), Decimal("0.05"), "USDT",
        Liquidity.MAKER, 6, order.cl_ord_id,
    )  # fmt: skip


def order_body(order: NewOrderRecord, status: str = "NEW", cum_lots: int = 0, order_id: int = 9) -> bytes:
    """Binance's answer about the order."""
    return (
        f'{{"symbol":"BTCUSDT","orderId":{order_id},"clientOrderId":"{order.cl_ord_id}","status":"{status}",'
        f'"price":"{order.price_ticks}","origQty":"{RULES.size(order.size_lots)}",'
        f'"executedQty":"{RULES.size(cum_lots)}","type":"LIMIT","side":"{order.side.name}","transactTime":5}}'
    ).encode()


def error_body(code: int, msg: str = "no") -> bytes:
    """Binance's error body."""
    return f'{{"code":{code},"msg":"{msg}"}}'.encode()


def replayed(journal: list[bytes]) -> OrderTracker:
    """The tracker that a journal leads to."""
    tracker = OrderTracker()
    for record in journal:
        tracker.apply(decode_record(record))
    return tracker


def same(tracker: OrderTracker, journal: list[bytes]) -> bool:
    """Whether a replay of the journal leads to the same tracker."""
    return encode_record(replayed(journal).compaction()) == encode_record(tracker.compaction())
