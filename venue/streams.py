"""Market streams: who subscribed to what, control messages, pushes at each event, tenth and second."""

from typing import Any

import msgspec

from venue import events
from venue.candles import INTERVALS_NS
from venue.connections import MARKET, Connection, Connections
from venue.engine import Engine
from venue.faults import Faults
from venue.orders import AggTrade, PublicTrade
from venue.symbol import Symbol

ENCODER = msgspec.json.Encoder()
DEPTHS = (5, 10, 20)
PROPERTIES = ("combined",)
METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


class Control(msgspec.Struct):
    """A control message."""

    method: str
    id: int | str | None = None
    params: list[Any] = []


class DepthState(msgspec.Struct):
    """What a symbol's diffs have told so far: at each tenth of a second, and at each second."""

    told_id: int = 0
    told_second_id: int = 0
    second_bids: dict[int, int] = {}
    second_asks: dict[int, int] = {}
    best: tuple[int, int, int, int] = (0, 0, 0, 0)


class Streams:
    """All market streams of the exchange."""

    def __init__(self, engine: Engine, connections: Connections, faults: Faults, most: int) -> None:
        self.engine = engine
        self.connections = connections
        self.faults = faults
        self.most = most
        self.listeners: dict[str, dict[int, Connection]] = {}
        self.states = {name: DepthState() for name in engine.symbols}
        self._decoder = msgspec.json.Decoder(Control)

    def start(self) -> None:
        """From here on diffs are told: what is in the books now is for snapshots."""
        for symbol in self.engine.symbols.values():
            symbol.matching.changes()
            state = self.states[symbol.name]
            state.told_id = state.told_second_id = symbol.update_id

    # Subscriptions

    def subscribe(self, connection: Connection, name: str) -> None:
        connection.streams[name] = None
        self.listeners.setdefault(name, {})[connection.conn_id] = connection

    def unsubscribe(self, connection: Connection, name: str) -> None:
        connection.streams.pop(name, None)
        listening = self.listeners.get(name)
        if listening is not None:
            listening.pop(connection.conn_id, None)
            if not listening:
                del self.listeners[name]

    def leave(self, connection: Connection) -> None:
        for name in list(connection.streams):
            self.unsubscribe(connection, name)

    def receive(self, connection: Connection, text: bytes) -> None:
        """Answer a control message."""
        self.connections.send(connection.conn_id, ENCODER.encode(self._answer(connection, text)))

    def _answer(self, connection: Connection, text: bytes) -> dict[str, Any]:
        try:
            control = self._decoder.decode(text)
        except msgspec.ValidationError as error:
            return {"error": {"code": 2, "msg": f"Invalid request: {error}"}}
        except msgspec.DecodeError:
            return {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}
        names = [name for name in control.params if isinstance(name, str)]
        result: Any = None
        if control.method == "SUBSCRIBE":
            if len({*connection.streams, *names}) > self.most:
                return self._error(control, 2, "Invalid request: too many parameters")
            for name in names:
                self.subscribe(connection, name)
        elif control.method == "UNSUBSCRIBE":
            for name in names:
                self.unsubscribe(connection, name)
        elif control.method == "LIST_SUBSCRIPTIONS":
            result = list(connection.streams)
        elif control.method in ("SET_PROPERTY", "GET_PROPERTY"):
            return self._property(connection, control)
        else:
            wrong = f"Invalid request: unknown variant `{control.method}`"
            return self._error(control, 2, f"{wrong}, expected one of {METHODS} at line 1 column 28")
        return {"result": result, "id": control.id}

    def _property(self, connection: Connection, control: Control) -> dict[str, Any]:
        if not control.params or not isinstance(control.params[0], str):
            return self._error(control, 2, "Invalid request: property name must be a string")
        if control.params[0] not in PROPERTIES:
            return self._error(control, 0, "Unknown property")
        if control.method == "GET_PROPERTY":
            return {"result": connection.is_combined, "id": control.id}
        if len(control.params) < 2 or not isinstance(control.params[1], bool):
            return self._error(control, 1, "Invalid value type: expected Boolean")
        connection.is_combined = control.params[1]
        return {"result": None, "id": control.id}

    def _error(self, control: Control, code: int, text: str) -> dict[str, Any]:
        return {"code": code, "msg": text, "id": control.id}

    # Pushes

    def push(self, name: str, event: events.Event, now_ns: int) -> None:
        """Send an event to all who hear the stream; `event(unit_ns)` makes its JSON object, once per unit."""
        listening = self.listeners.get(name)
        if not listening or self.faults.is_silent(MARKET, now_ns):
            return
        texts: dict[tuple[int, bool], bytes] = {}
        for connection in listening.values():
            shape = (connection.unit_ns, connection.is_combined)
            text = texts.get(shape)
            if text is None:
                text = ENCODER.encode(event(connection.unit_ns))
                if connection.is_combined:
                    text = b'{"stream":"%s","data":%s}' % (name.encode(), text)
                texts[shape] = text
            self.connections.send(connection.conn_id, text)

    def traded(self, symbol: Symbol, trades: list[PublicTrade], aggregates: list[AggTrade], now_ns: int) -> None:
        """Real-time: trades of one taker order."""
        name = symbol.name.lower()
        if name + "@trade" in self.listeners:
            for trade in trades:
                self.push(name + "@trade", events.trade(symbol, trade, now_ns), now_ns)
        if name + "@aggTrade" in self.listeners:
            for row in aggregates:
                self.push(name + "@aggTrade", events.agg_trade(symbol, row, now_ns), now_ns)

    def book_changed(self, symbol: Symbol, now_ns: int) -> None:
        """Real-time: the best prices, where they or their sizes moved."""
        stream = symbol.name.lower() + "@bookTicker"
        if stream not in self.listeners:
            return
        matching = symbol.matching
        best = (
            matching.best_bid_ticks,
            matching.best_bid_lots,
            matching.best_ask_ticks,
            matching.best_ask_lots,
        )
        state = self.states[symbol.name]
        if best != state.best:
            state.best = best
            self.push(stream, events.book_ticker(symbol), now_ns)

    def each_tenth(self, now_ns: int, is_second: bool) -> None:
        """Diffs, partial books; and each second the slower streams too."""
        for symbol in self.engine.symbols.values():
            name = symbol.name.lower()
            self._depth(symbol, name, now_ns, is_second)
            for n in DEPTHS:
                self.push(f"{name}@depth{n}@100ms", events.partial(symbol, n), now_ns)
                if is_second:
                    self.push(f"{name}@depth{n}", events.partial(symbol, n), now_ns)
                    self.push(f"{name}@depth{n}@1000ms", events.partial(symbol, n), now_ns)
            if is_second:
                self._each_second(symbol, name, now_ns)
        if is_second:
            self.push("!miniTicker@arr", events.all_mini_tickers(self.engine.symbols.values(), now_ns), now_ns)

    def _each_second(self, symbol: Symbol, name: str, now_ns: int) -> None:
        self.push(name + "@miniTicker", events.mini_ticker(symbol, now_ns), now_ns)
        self.push(name + "@ticker", events.ticker(symbol, now_ns), now_ns)
        self.push(name + "@avgPrice", events.average(symbol, now_ns), now_ns)
        is_even = now_ns // 1_000_000_000 % 2 == 0
        for interval, length_ns in INTERVALS_NS.items():
            stream = f"{name}@kline_{interval}"
            if stream in self.listeners and (interval == "1s" or is_even):
                candle = symbol.candles.latest(length_ns, now_ns - 1, symbol.last_ticks)
                self.push(stream, events.kline(symbol, candle, interval, length_ns, now_ns), now_ns)

    def _depth(self, symbol: Symbol, name: str, now_ns: int, is_second: bool) -> None:
        state = self.states[symbol.name]
        if symbol.update_id > state.told_id:
            bids, asks = symbol.matching.changes()
            first_id, state.told_id = state.told_id + 1, symbol.update_id
            self.push(name + "@depth@100ms", events.diff(symbol, first_id, bids, asks, now_ns), now_ns)
            state.second_bids.update(events.pairs(bids))
            state.second_asks.update(events.pairs(asks))
        if is_second and state.told_id > state.told_second_id:
            first_id, state.told_second_id = state.told_second_id + 1, state.told_id
            bids, asks = events.packed(state.second_bids, reverse=True), events.packed(state.second_asks)
            for stream in (name + "@depth", name + "@depth@1000ms"):
                self.push(stream, events.diff(symbol, first_id, bids, asks, now_ns), now_ns)
            state.second_bids.clear()
            state.second_asks.clear()
