"""Strategy: an actor that trades. It asks its markets and says what it wants; its replicas are kept for it."""

from functools import partial
from operator import index
from typing import Any, ClassVar

from actors.actor import Actor
from actors.stages import stages_of
from protocol import (
    Answer,
    AnswerCode,
    CancelAll,
    CancelOrder,
    Control,
    Fill,
    OrdStatus,
    OrdType,
    PlaceOrder,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from protocol.errors import BadHandler
from strategies.handlers import Handlers
from strategies.hooks import bind
from strategies.market import Market
from strategies.order import Order, want_cancel
from strategies.replicas import Replicas
from strategies.stage_names import DECIDE, ORDER, SEND, STAGES

MS_NS = 1_000_000
CANCEL_AGAIN_NS = 250 * MS_NS  # while stopping: how soon a cancel that was not taken is asked for again


class Strategy(Handlers, Actor):
    """The base of every strategy.

    Override `on_tick` and, where it helps, other handlers: `on_fill`, `on_trade`, `on_order_update`, ... (no
    super() needed: the replicas have the news before your handler runs) and `order_changed`. A settings field
    `market`, or `markets`, that holds names like "binance:BTC-USDT" is subscribed at start; any other market
    at its first `self.market(name)`.
    """

    network: ClassVar[bool] = False
    answer_within_ms: ClassVar[int] = 2_000  # a command that its connector has not taken by then is void
    cancel_on_stop: ClassVar[bool] = True  # a stop that was asked for leaves no order behind
    extra_streams: ClassVar[tuple[str, ...]] = ()  # market data beyond book, trade and rules: ("top",)

    def __init__(self, name: str, settings: Any, runtime: Any) -> None:
        super().__init__(name, settings, runtime)
        self.stages = stages_of(self, STAGES)
        self.paused = False
        self.stopping = False
        self.replicas = Replicas(self)
        self.markets = self.replicas.markets
        bind(self, Strategy, self.replicas.upkeep())
        # These two call the class's own: a fill only if it is news, a stop before the orders are cancelled.
        setattr(self, "on_fill", self.replicas.fill)  # noqa: B010
        setattr(self, "on_stop", self._wind_up)  # noqa: B010

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ours = {name for name in vars(Strategy) if name.startswith("_") and not name.startswith("__")}
        for name in sorted(ours & set(vars(cls))):
            raise BadHandler(f"{cls.__module__}.{cls.__qualname__}: {name} is Strategy's own: choose another name")

    def market(self, name: str) -> Market:
        """The market of a name like "binance:BTC-USDT" (connector:symbol). The first call subscribes to it."""
        known = self.markets.get(name)
        return known if known is not None else self.replicas.open(name)

    # -- what a strategy does -------------------------------------------------------------------------

    def buy(self, market: Market, *, price_ticks: int, size_lots: int, **how: Any) -> Order:
        """Place a buy order. The Order comes back at once; one that cannot be sent is over, with a reason.

        `how`: ord_type (LIMIT; MARKET wants price_ticks=0), post_only, time_in_force, stp, allow_stale.
        """
        return self._place(market, Side.BUY, price_ticks, size_lots, **how)

    def sell(self, market: Market, *, price_ticks: int, size_lots: int, **how: Any) -> Order:
        """Place a sell order; as `buy`."""
        return self._place(market, Side.SELL, price_ticks, size_lots, **how)

    def cancel(self, market: Market, order: Order) -> None:
        """Ask for an order's end; its connector, once it has taken the wish, sees to it. Once over: no effect."""
        if order.is_open and not order.cancel_wanted:
            want_cancel([order], True)
            command = CancelOrder(self.new_id(), self._deadline_ns(), order.order_ref)
            self.send(market.connector, command, partial(self._cancel_answered, market, [order]))

    def cancel_all(self, market: Market) -> None:
        """Ask for the end of every open order of this strategy in a market."""
        orders = want_cancel(market.open_orders, True)
        if orders or not market.account.orders.known:
            command = CancelAll(self.new_id(), self._deadline_ns(), market.symbol)
            self.send(market.connector, command, partial(self._cancel_answered, market, orders))

    def replace(self, market: Market, order: Order, *, price_ticks: int, size_lots: int, **how: Any) -> Order:
        """Cancel an order and, once that is done, place another of its side and type: the new Order."""
        how = {"ord_type": order.ord_type, "time_in_force": order.time_in_force, **how}
        return self._place(market, order.side, price_ticks, size_lots, replaces=order, **how)

    # -- how orders are sent --------------------------------------------------------------------------

    def _place(
        self,
        market: Market,
        side: Side,
        price_ticks: int,
        size_lots: int,
        *,
        ord_type: OrdType = OrdType.LIMIT,
        post_only: bool = False,
        time_in_force: TimeInForce = TimeInForce.GTC,
        stp: SelfTradePrevention = SelfTradePrevention.NONE,
        allow_stale: bool = False,
        replaces: Order | None = None,
    ) -> Order:
        self.stages.ensure(self.now_ns)
        self.stages.mark(DECIDE)
        price, size = index(price_ticks), index(size_lots)  # a float is no price: TypeError
        kind = OrdType.LIMIT_MAKER if post_only else ord_type
        order_ref, until = self.new_id(), self.now_ns + self.answer_within_ms * MS_NS
        order = Order(order_ref, market.symbol, side, price, size, kind, time_in_force, self.now_ns, until)
        refusal = self._refusal(market, order, replaces, allow_stale)
        if refusal:
            order.end(OrdStatus.REJECTED, refusal)
            self.log.warning("order not sent", market=market.name, side=side.name, reason=refusal)
            return order
        market.account.orders.add(order)
        command: PlaceOrder | ReplaceOrder
        if replaces is None:
            book = market.book_seq, market.book_age_ns(self.now_ns)
            symbol = market.symbol
            command = PlaceOrder(order_ref, until, symbol, side, price, size, kind, time_in_force, stp, *book)
        else:
            want_cancel([replaces], True)
            command = ReplaceOrder(order_ref, until, replaces.order_ref, price, size)
        self.send(market.connector, command, partial(self._answered, market, order, replaces))
        self.stages.mark(ORDER)
        self.queue(self.stages.mark, SEND)
        return order

    def _refusal(self, market: Market, order: Order, replaces: Order | None, allow_stale: bool) -> str:
        """Why not even to send an order; "" if nothing speaks against it."""
        if self.stopping or self.paused:
            return f"this strategy is {'stopping' if self.stopping else 'paused'}"
        if not market.ready and not allow_stale:
            return f"{market.name} is not ready: {market.why_not_ready} (allow_stale=True sends it all the same)"
        if replaces is not None and not replaces.is_open:
            return f"the order to replace is over: {replaces.status.name}"
        if market.rules is not None:
            is_market = order.ord_type is OrdType.MARKET
            problems = market.rules.check(order.price_ticks, order.size_lots, market=is_market)
            return "; ".join(problems) if problems else ""
        return "" if order.size_lots > 0 else "size_lots must be above 0"

    def _deadline_ns(self) -> int:
        return self.now_ns + self.answer_within_ms * MS_NS

    def _answered(self, market: Market, order: Order, replaces: Order | None, answer: Answer) -> None:
        moved = market.account.orders.answered(order, answer)
        if answer.code is AnswerCode.OK:
            return
        if replaces is not None:
            want_cancel([replaces], False)
        if moved:
            self.log.warning("order not taken", order_ref=order.order_ref, code=answer.code.name, reason=answer.text)
            self.order_changed(order)
        if order.in_doubt:
            self.replicas.ask_soon()  # the connector's list, told after the deadline, is the proof

    def _cancel_answered(self, market: Market, orders: list[Order], answer: Answer) -> None:
        """A wish that the connector has not taken is none: it may be asked for again."""
        if answer.code is AnswerCode.OK:
            return
        want_cancel(orders, False)
        self.log.warning("cancel not taken", market=market.name, code=answer.code.name, reason=answer.text)
        if self.stopping:
            self.after(CANCEL_AGAIN_NS, self.cancel_all, market)

    # -- being told -----------------------------------------------------------------------------------

    def cursor(self, topic: str) -> int:
        """How far the fills of an order stream are counted."""
        return self.replicas.cursor(topic)

    def told_fill(self, fill: Fill) -> None:
        """A fill that is news: to the class's own on_fill."""
        type(self).on_fill(self, fill)

    def on_control(self, control: Control) -> Answer | None:
        """A person's word: pause, resume, cancel_all, stop."""
        if control.verb in ("pause", "resume"):
            self.paused = control.verb == "pause"
        elif control.verb == "cancel_all":
            for market in self.markets.values():
                self.cancel_all(market)
        elif control.verb == "stop":
            self.request_stop()
        else:
            text = f"no verb {control.verb!r}: pause, resume, cancel_all and stop are known"
            return Answer(control.cmd_id, AnswerCode.REFUSED, text)
        return None

    def may_stop(self) -> bool:
        """Stopping is done when every order is proven over."""
        return not self.cancel_on_stop or not any(market.open_orders for market in self.markets.values())

    def _wind_up(self) -> None:
        """A stop was asked for: the class's own on_stop, then no new orders, and the open ones are cancelled."""
        type(self).on_stop(self)
        self.stopping = True
        if self.cancel_on_stop:
            for market in self.markets.values():
                self.cancel_all(market)
