"""Exchange: the whole exchange without clock and I/O: requests and frames in; answers, pushes, ledger records out."""

from collections.abc import Iterable
from urllib.parse import unquote

from protocol import Message
from venue.accounts.accounts import Accounts
from venue.accounts.commission import Commissions
from venue.accounts.rate_limits import RateLimits
from venue.api.dispatch import RequestDispatcher, error_response, time_unit
from venue.api.websocket_dispatch import WebsocketApi
from venue.base import demo
from venue.base.api_errors import ApiError
from venue.base.params import Params, split_pairs
from venue.base.settings import VenueSettings
from venue.base.units import TENTH_NS
from venue.base.venue_errors import BadVenue
from venue.base.wire import CLOSE, PongFrame, Push, Request, Response, Signal
from venue.control_api import PREFIX, ControlApi
from venue.engine.engine import Engine
from venue.engine.funds import Funds
from venue.engine.ledger_records import LedgerRecords
from venue.engine.recovery import Recovery
from venue.engine.settlement import Settlement
from venue.faults.injector import FaultInjector
from venue.faults.kinds.profiles import PROFILES
from venue.sources.paper import PaperTrading
from venue.sources.replay import Replay
from venue.sources.sources import sources
from venue.streams.connections import MARKET, USER, Connection, Connections
from venue.streams.market_streams import MarketStreams
from venue.streams.stream_subscriptions import StreamSubscriptions
from venue.streams.user_data_stream import UserDataStream
from venue.symbols import filters
from venue.symbols.symbol import Symbol

WS_API_PATH = "/ws-api/v3"
CONNECTION_WEIGHT = 2


class Exchange:
    """The driver calls `handle`, `open`, `receive`, `pong` and `close` for events, and `advance` at `next_wake_ns`.

    After every call it writes `take_records()` to the ledger, sends the frames of `take_pushes()`, then responds.
    Every call takes the current time in ns UTC; the exchange's time never runs backwards.
    """

    def __init__(
        self, settings: VenueSettings, now_ns: int, log: Iterable[bytes] = (), is_logged: bool = False
    ) -> None:
        """Builds the exchange and recovers its state from the ledger records `log`. Raises BadVenue, LedgerDamaged."""
        self.settings = settings
        symbols = [Symbol(market) for market in settings.markets]
        if len({symbol.name for symbol in symbols}) < len(symbols):
            raise BadVenue("two markets have the same symbol: remove one")
        account_settings = demo.accounts() if settings.accounts is None else settings.accounts
        self.accounts = Accounts(
            account_settings, settings.maker_fee, settings.taker_fee, settings.orders_kept, settings.trades_kept
        )
        self.limits = RateLimits(settings.limit_settings())
        self.records = LedgerRecords(is_logged)
        self.connections = Connections(settings.ping_interval_s, settings.pong_timeout_s)
        self.user_stream = UserDataStream(self.connections, self.records)
        for symbol in symbols:
            filters.check_settings(symbol)
        self.commissions = Commissions(settings, {symbol.name: symbol for symbol in symbols})
        for account in self.accounts.by_name.values():
            self.commissions.check(account)
        self.subscriptions = StreamSubscriptions(self.connections, self.limits.settings.streams)
        self.streams = MarketStreams(symbols, self.subscriptions)
        self.funds = Funds(self.accounts, self.commissions, self.records)
        self.settlement = Settlement(
            self.accounts, self.funds, self.limits, self.records, self.streams, self.user_stream
        )
        self.engine = Engine(
            symbols, self.accounts, self.limits, self.records, self.settlement, settings.order_limits()
        )
        self.dispatcher = RequestDispatcher(self.engine, self.limits)
        self.ws_api = WebsocketApi(self.dispatcher, self.connections, self.user_stream, settings.hmac_logon)
        seed = settings.seed if settings.faults_seed is None else settings.faults_seed
        self.faults = FaultInjector(self.engine, self.connections, self.dispatcher, seed, self._close)
        self.control = ControlApi(self.engine, self.connections, self.user_stream, self.faults)
        self.recovery = Recovery(self.engine, self.records)
        self.recovery.replay(log)
        self.now_ns = now_ns
        self.paper = PaperTrading(self.engine, settings.paper, now_ns) if settings.paper is not None else None
        self.flows = sources(self.engine, settings, self.paper, now_ns)
        self.streams.start()
        self.next_tenth_ns = now_ns - now_ns % TENTH_NS + TENTH_NS
        self.faults.clock.read(now_ns)
        self.faults.add(PROFILES[settings.faults](), now_ns)

    # Time

    @property
    def next_wake_ns(self) -> int:
        """When `advance` must be called next."""
        wake_ns = self.next_tenth_ns
        for flow in self.flows:
            if flow.next_ns is not None and flow.next_ns < wake_ns:
                wake_ns = flow.next_ns
        return self.faults.clock.real_ns(min(wake_ns, self.connections.next_late_ns, self.faults.next_ns))

    def advance(self, now_ns: int) -> None:
        """Does everything that is due by now: order flow, stream deltas, pings."""
        floor_ns = self.now_ns
        now_ns = self._now(now_ns)
        self.faults.advance(now_ns)
        while self.next_tenth_ns <= now_ns:
            tenth_ns = self.next_tenth_ns
            if now_ns - tenth_ns > 10 * TENTH_NS:  # after a pause: one delta for all of it
                tenth_ns = now_ns - now_ns % TENTH_NS
            self.next_tenth_ns = tenth_ns + TENTH_NS
            for flow in self.flows:
                flow.advance(tenth_ns, floor_ns)
            is_second = tenth_ns % (10 * TENTH_NS) == 0
            self.streams.each_tenth(tenth_ns, is_second)
            if is_second:
                for connection in self.connections.keep_alive(now_ns):
                    self._close(connection)
        for flow in self.flows:
            flow.advance(now_ns, floor_ns)
        self.connections.send_late(now_ns)

    def _now(self, now_ns: int) -> int:
        self.now_ns = max(self.now_ns, self.faults.clock.read(now_ns))
        return self.now_ns

    # Requests

    def handle(self, request: Request, now_ns: int) -> Response:
        """Answers one HTTP request."""
        if request.received_ns is not None:
            request.received_ns = self.faults.clock.at(request.received_ns)
        now_ns = self._now(now_ns)
        if request.path.startswith(PREFIX):
            return self.control.handle(request, now_ns)
        answer = self.faults.requests.http(request, now_ns, self.dispatcher.handle)
        return answer if self.paper is None else self.paper.without_weights(answer)

    def on_live_message(self, message: Message, now_ns: int) -> None:
        """Handles a message of the live market that paper orders are matched in."""
        assert self.paper is not None
        self.paper.on_message(message, self._now(now_ns))

    @property
    def is_over(self) -> bool:
        """Whether the exchange ends by itself, with the recording that it plays."""
        return any(isinstance(source, Replay) and source.is_over for source in self.flows)

    # Websockets

    def open(self, conn_id: int, path: str, now_ns: int, query: str = "", remote: str = "127.0.0.1") -> bool:
        """Opens a websocket; False if it is refused."""
        return self.upgrade(conn_id, path, now_ns, query, remote) is None

    def upgrade(
        self, conn_id: int, path: str, now_ns: int, query: str = "", remote: str = "127.0.0.1"
    ) -> Response | None:
        """Opens a websocket: returns None, or the answer of a refused one (429, 418, 503, 404)."""
        now_ns = self._now(now_ns)
        if (closed := self.faults.requests.unavailable()) is not None:
            return closed
        try:
            options = Params(split_pairs(query))
            unit_ns = time_unit(options.optional("timeUnit"))
            self.limits.connect(remote, now_ns)
            if path == WS_API_PATH:
                self.limits.charge(remote, CONNECTION_WEIGHT, now_ns)
        except ApiError as error:
            return error_response(error)
        connection = Connection(conn_id, USER if path == WS_API_PATH else MARKET, remote, now_ns, unit_ns=unit_ns)
        connection.returns_limits = options.flag("returnRateLimits", True)
        names: list[str] = []
        if path == "/stream":
            connection.is_combined = True
            # The `+` of a time zone was decoded to a space; stream names have no spaces.
            named = (options.values.get("streams") or "").replace(" ", "+")
            names = [name for name in named.split("/") if name]
        elif path == "/ws" or path.startswith("/ws/"):
            names = [unquote(name) for name in path[4:].split("/") if name]
        elif path != WS_API_PATH:
            return Response(404, {"content-type": "text/plain"}, b"no such stream")
        self.connections.add(connection)
        for name in names[: self.limits.settings.streams]:
            self.subscriptions.subscribe(connection, name)
        return None

    def receive(self, conn_id: int, data: str | bytes, now_ns: int) -> None:
        """Handles a frame; the answers are among the pushes."""
        now_ns = self._now(now_ns)
        connection = self.connections.by_id.get(conn_id)
        if connection is None or self.is_half_open(conn_id) or not self._within_rate(connection, now_ns):
            return
        text = data.encode() if isinstance(data, str) else data
        if connection.kind == USER:
            self.faults.requests.frame(connection, text, now_ns, self.ws_api.receive)
        else:
            self.subscriptions.receive(connection, text)

    def ping(self, conn_id: int, payload: bytes, now_ns: int) -> None:
        """Answers a client's ping."""
        connection = self.connections.by_id.get(conn_id)
        if connection is not None and self._within_rate(connection, self._now(now_ns)):
            self.connections.outbox.append((conn_id, PongFrame(payload)))

    def pong(self, conn_id: int, now_ns: int, payload: bytes | None = None) -> None:
        """Handles a client's pong: `payload` must be that of a ping (None: it answers all)."""
        connection = self.connections.by_id.get(conn_id)
        if connection is not None and self._within_rate(connection, self._now(now_ns)):
            self.connections.on_pong(connection, payload)

    def announce_shutdown(self, now_ns: int) -> None:
        """Sends the event `serverShutdown` to every websocket."""
        for connection in self.connections.by_id.values():
            self.connections.announce_shutdown(connection, self._now(now_ns))

    def close(self, conn_id: int, now_ns: int) -> None:
        """Forgets a closed websocket."""
        self._now(now_ns)
        self._forget(conn_id)

    def _forget(self, conn_id: int) -> None:
        connection = self.connections.by_id.pop(conn_id, None)
        self.faults.streams.forget(conn_id)
        if connection is not None:
            self.subscriptions.remove(connection)
            self.user_stream.remove(connection)

    def _within_rate(self, connection: Connection, now_ns: int) -> bool:
        """Counts a message of a client. Beyond `messages_1s`, pings and pongs included, a market stream is closed."""
        if connection.kind == USER or connection.messages is None:
            return True
        if connection.messages.add(now_ns, 1) <= self.limits.settings.messages_1s:
            return True
        self._close(connection)
        return False

    def is_half_open(self, conn_id: int) -> bool:
        """Whether a fault has made the websocket half-open: frames of its client are lost."""
        return conn_id in self.faults.streams.half_open

    def _close(self, connection: Connection, how: Signal = CLOSE) -> None:
        self.connections.outbox.append((connection.conn_id, how))
        self._forget(connection.conn_id)

    # Output

    def take_pushes(self) -> list[Push]:
        """Frames to send, in order; (id, CLOSE) closes a websocket."""
        outbox = self.connections.outbox
        if outbox:
            self.connections.outbox = []
        return self.faults.streams.filter(outbox, self.now_ns)

    def take_records(self) -> list[bytes]:
        """Records to append to the ledger before any frame or answer is sent."""
        pending = self.records.pending
        if pending:
            self.records.pending = []
        return pending


__all__ = ["CLOSE", "Exchange"]
