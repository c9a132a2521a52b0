"""A strategy in the sim driver, and Broker: a double of a connector, held to the real one by test_broker_double."""

from decimal import Decimal

import pytest

from actors.actor import Actor
from actors.sim.driver import Sim
from market.levels import pack_levels
from protocol import (
    Answer,
    AnswerCode,
    Balances,
    BookDelta,
    BookSnapshot,
    BookStatus,
    CancelAll,
    CancelOrder,
    Fill,
    Liquidity,
    OrdersSnapshot,
    OrderUpdate,
    OrdStatus,
    OrdType,
    PlaceOrder,
    PositionRow,
    RefusalCode,
    ReplaceOrder,
    Rules,
    Side,
    StreamState,
    Tick,
    topics,
)

SYMBOL = "BTC-USDT"
NAME = "binance"
EXTERNAL = topics.EXTERNAL
TICK_NS = 100_000_000


def rules_message(**changes) -> Rules:
    """One tick is 0.01 USDT, one lot 0.001 BTC."""
    fields = {
        "symbol": SYMBOL,
        "base": "BTC",
        "quote": "USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_price_ticks": 1,
        "max_price_ticks": 10**9,
        "min_size_lots": 1,
        "max_size_lots": 10**9,
        "min_notional": Decimal("0.1"),
        "maker_fee": Decimal("0.001"),
        "taker_fee": Decimal("0.001"),
    }
    return Rules(**{**fields, **changes})


class Broker(Actor):
    """A connector and its exchange in one: accepts orders at once, trades and fails on demand."""

    ticks = False

    def __init__(self, name, settings, runtime) -> None:
        super().__init__(name, settings, runtime)
        self.rules: Rules | None = rules_message()
        self.levels = ([(9_990, 50), (9_980, 100)], [(10_010, 50), (10_020, 100)])
        self.free = {"BTC": Decimal(10), "USDT": Decimal(10_000)}
        self.places: list[PlaceOrder] = []
        self.cancels: list[int] = []
        self.cancel_alls = 0
        self.orders: dict[int, OrderUpdate] = {}  # open
        self.fills: list[Fill] = []
        self.row = PositionRow(SYMBOL, 0, 0, Decimal(0), Decimal(0))
        self.known: set[int] = set()
        self.refuse = ""  # the reason to refuse commands
        self.refusal = RefusalCode.OTHER  # the code beside it
        self.rejects = ""  # the exchange's reason to reject orders
        self.loses_answers = False  # the answers to placements do not arrive
        self.holds_cancels = False
        self.held: list[int] = []
        self.owner = "maker"

    def on_start(self) -> None:
        self.publish(self.md("rules"), self.rules)
        self.publish(self.md("book"), self.snapshot(self.md("book"), 0))
        self.publish_balances()

    def md(self, kind: str) -> str:
        return topics.market_data(self.name, SYMBOL, kind)

    @property
    def ord(self) -> str:
        return topics.orders(self.name, self.owner)

    def snapshot(self, topic, cursor):
        if topic == self.md("rules"):
            return self.rules
        if topic == self.md("book"):
            bids, asks = (pack_levels(side) for side in self.levels)
            return BookSnapshot(SYMBOL, 1, bids, asks)
        if topic == topics.account(self.name):
            return self.balances()
        if topic == self.ord:
            fills = [fill for fill in self.fills if fill.fill_no > cursor]
            return OrdersSnapshot(self.owner, list(self.orders.values()), [self.row], fills, len(self.fills))
        return None

    # -- commands -------------------------------------------------------------------------------------

    def on_place_order(self, command: PlaceOrder) -> Answer | None:
        self.places.append(command)
        if self.refuse:
            return Answer(command.cmd_id, AnswerCode.REFUSED, self.refuse, self.refusal)
        self.accept(command.cmd_id, command.side, command.price_ticks, command.size_lots, command.ord_type)
        return None

    def on_cancel_order(self, command: CancelOrder) -> Answer | None:
        self.cancels.append(command.order_ref)
        if command.order_ref not in self.known:
            return Answer(command.cmd_id, AnswerCode.REFUSED, "no such order")
        self.cancel(command.order_ref)
        return None

    def on_cancel_all(self, command: CancelAll) -> None:
        self.cancel_alls += 1
        self.cancel(*self.orders)

    def on_replace_order(self, command: ReplaceOrder) -> Answer | None:
        old = self.orders.get(command.order_ref)
        if old is None:
            return Answer(command.cmd_id, AnswerCode.REFUSED, "the order has ended")
        self.want_cancel(command.order_ref)
        self.begin(command.cmd_id, old.side, command.price_ticks, command.size_lots, old.ord_type)
        self.confirm_cancel(command.order_ref)
        self.answer_placement(command.cmd_id)
        return None

    # -- events at its exchange -----------------------------------------------------------------------

    def accept(self, order_ref, side, price_ticks, size_lots, ord_type=OrdType.LIMIT) -> None:
        self.begin(order_ref, side, price_ticks, size_lots, ord_type)
        self.answer_placement(order_ref)

    def begin(self, order_ref, side, price_ticks, size_lots, ord_type) -> None:
        """The order is journaled, and its request leaves."""
        what = (self.owner, order_ref, f"c{order_ref}", SYMBOL, side, ord_type, price_ticks, size_lots)
        self.known.add(order_ref)
        self.orders[order_ref] = OrderUpdate(*what, 0, OrdStatus.PENDING_NEW, ts_event_ns=self.now_ns)
        self.publish(self.ord, self.orders[order_ref])

    def answer_placement(self, order_ref: int) -> None:
        """The exchange accepts or rejects the order, or its answer is lost."""
        if self.rejects:
            self.end(order_ref, OrdStatus.REJECTED, self.rejects)
        elif self.loses_answers:
            self.change(order_ref, status=OrdStatus.UNKNOWN)
        else:
            self.find(order_ref)

    def find(self, order_ref: int) -> None:
        """The exchange shows that the order rests."""
        self.change(order_ref, status=OrdStatus.NEW, order_id=f"e{order_ref}", ts_event_ns=self.now_ns)
        self.publish_balances()

    def cancel(self, *order_refs: int) -> None:
        """Cancels open orders; with `holds_cancels` the exchange does not confirm it."""
        for order_ref in order_refs:
            self.want_cancel(order_ref)
        for order_ref in order_refs:
            self.confirm_cancel(order_ref)

    def want_cancel(self, order_ref: int) -> None:
        order = self.orders.get(order_ref)
        if order is not None and not order.cancel_wanted:
            self.change(order_ref, status=OrdStatus.PENDING_CANCEL, cancel_wanted=True)

    def confirm_cancel(self, order_ref: int) -> None:
        if self.holds_cancels:
            self.held.append(order_ref)
        else:
            self.end(order_ref, OrdStatus.CANCELED)

    def change(self, order_ref: int, **fields) -> None:
        """Publishes a change of an open order."""
        self.orders[order_ref] = changed(self.orders[order_ref], **fields)
        self.publish(self.ord, self.orders[order_ref])

    def end(self, order_ref: int, status: OrdStatus, reason: str = "", publish: bool = True) -> None:
        order = self.orders.pop(order_ref, None)
        if order is not None:
            if publish:
                self.publish(self.ord, changed(order, status=status, reason=reason))
            self.publish_balances()

    def place_externally(self, side: Side, price_ticks: int, size_lots: int) -> None:
        """An order on the account that the bot did not place."""
        what = (EXTERNAL, 0, "x1", SYMBOL, side, OrdType.LIMIT, price_ticks, size_lots, 0, OrdStatus.NEW, "e1")
        self.publish(topics.orders(self.name, EXTERNAL), OrderUpdate(*what, ts_event_ns=self.now_ns))

    def trade(self, order_ref: int, lots: int, publish: bool = True) -> Fill:
        order = self.orders[order_ref]
        cum = order.cum_lots + lots
        done = cum == order.size_lots
        open_status = OrdStatus.PENDING_CANCEL if order.cancel_wanted else OrdStatus.PARTIALLY_FILLED
        update = changed(order, cum_lots=cum, status=OrdStatus.FILLED if done else open_status)
        notional = order.price_ticks * lots * Decimal("0.00001")
        sign = order.side.sign
        self.free["BTC" if sign > 0 else "USDT"] += lots * Decimal("0.001") if sign > 0 else notional
        self.free["USDT" if sign > 0 else "BTC"] -= notional if sign > 0 else lots * Decimal("0.001")
        row = self.row
        bought, sold = (lots, 0) if sign > 0 else (0, lots)
        spent, got = (notional, Decimal(0)) if sign > 0 else (Decimal(0), notional)
        self.row = PositionRow(
            SYMBOL,
            row.bought_lots + bought,
            row.sold_lots + sold,
            row.bought_notional + spent,
            row.sold_notional + got,
        )
        what = (self.owner, order_ref, order.cl_ord_id, f"t{len(self.fills)}", SYMBOL, order.side)
        how = (order.price_ticks, lots, cum, Liquidity.MAKER, Decimal(0), "USDT")
        fill = Fill(*what, *how, fill_no=len(self.fills) + 1, ts_event_ns=self.now_ns)
        self.fills.append(fill)
        self.orders[order_ref] = update
        if done:
            del self.orders[order_ref]
        if publish:
            self.publish(self.ord, fill)
            self.publish(self.ord, update)
        self.publish_balances()
        return fill

    def balances(self) -> Balances:
        locked = {"BTC": Decimal(0), "USDT": Decimal(0)}
        for order in self.orders.values():
            left = order.size_lots - order.cum_lots
            if order.side is Side.BUY:
                locked["USDT"] += order.price_ticks * left * Decimal("0.00001")
            else:
                locked["BTC"] += left * Decimal("0.001")
        rows = [(asset, total - locked[asset], locked[asset]) for asset, total in self.free.items()]
        return Balances(rows, ts_event_ns=self.now_ns, reconciled=True)

    def publish_balances(self) -> None:
        self.publish(topics.account(self.name), self.balances())

    def set_book(self, bids, asks) -> None:
        """Replace the book by a delta."""
        gone = [[(price, 0) for price, _ in side] for side in self.levels]
        self.levels = (bids, asks)
        packed = [pack_levels([*old, *new]) for old, new in zip(gone, self.levels, strict=True)]
        self.publish(self.md("book"), BookDelta(SYMBOL, 2, 2, *packed))

    def stale(self, reason: str) -> None:
        self.publish(self.md("book"), BookStatus(SYMBOL, StreamState.STALE, reason))

    def live(self) -> None:
        self.publish(self.md("book"), self.snapshot(self.md("book"), 0))


def changed(update: OrderUpdate, **fields) -> OrderUpdate:
    """The same with other fields."""
    values = {name: getattr(update, name) for name in update.__struct_fields__}
    return OrderUpdate(**{**values, **fields})


class Bot:
    """A simulation with a broker and one strategy; `tick()` gives the strategy its turn."""

    def __init__(self) -> None:
        self.sim = Sim()
        self.n = 0
        self.start_broker()

    def start_broker(self) -> None:
        self.broker = self.sim.add(NAME, Broker)

    def start(self, kind, name="maker", **settings):
        """Starts a strategy and lets it receive everything."""
        self.strategy = self.sim.add(name, kind, kind.Settings(**settings), clock="")
        self.sim.run_for(2)
        return self.strategy

    def act(self, actor, call, *args, **kwargs):
        """Runs a call of an actor as its handler would, then lets the messages arrive."""
        port = self.sim.processes[actor.name]
        port.runtime.begin(self.sim.now_ns)
        result = call(*args, **kwargs)
        port.settle()
        self.sim.run_for(0.01)
        return result

    def tick(self, times=1, late=()) -> None:
        for _ in range(times):
            self.n += 1
            tick = Tick(self.n, self.sim.now_ns, TICK_NS, late=list(late))
            self.act(self.strategy, self.strategy.on_tick, tick)
            self.sim.run_for(TICK_NS / 1e9 - 0.01)

    def exchange(self, call, *args, **kwargs):
        """An event at the broker."""
        return self.act(self.broker, call, *args, **kwargs)


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def instrument():
    """The Instrument of the broker's rules."""
    from market.instrument import Instrument

    return Instrument("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), min_notional=Decimal("0.1"))
