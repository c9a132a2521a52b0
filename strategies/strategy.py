"""Strategy: an actor that trades. It queries its markets and sends orders; its replicas are updated for it."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from operator import index
from typing import Any, ClassVar, Unpack

from actors.actor import Actor
from actors.stages import stages_of
from market.instrument import Instrument
from protocol import (
    ACCEPTED,
    Answer,
    AnswerCode,
    CancelAll,
    CancelOrder,
    Control,
    Fill,
    OrdStatus,
    OrdType,
    PlaceOrder,
    Refusal,
    RefusalCode,
    ReleaseTag,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from protocol.errors import BadHandler
from strategies.flatten import Flattener
from strategies.handlers import Handlers
from strategies.hooks import bind
from strategies.market import Market
from strategies.order import Order, set_cancel_wanted
from strategies.order_options import OrderOptions
from strategies.replicas import Replicas
from strategies.stage_names import DECIDE, ORDER, SEND, STAGES

MS_NS = 1_000_000
CANCEL_RETRY_NS = 250 * MS_NS  # while stopping: delay before a cancel request that was not accepted is sent again


class Strategy(Handlers, Actor):
    """The base of every strategy.

    Override `on_tick` and, if useful, other handlers: `on_fill`, `on_trade`, `on_order_update`, ... and
    `order_changed`. No super() is needed: the replicas are updated before the handler runs. Markets in a settings
    field `market` or `markets`, with names like "binance:BTC-USDT", are subscribed at the start; any other market is
    subscribed by its first `self.market(name)`.
    """

    network: ClassVar[bool] = False
    answer_within_ms: ClassVar[int] = 2_000  # deadline of each command: after it the connector drops the command
    cancel_on_stop: ClassVar[bool] = True  # an orderly stop cancels all open orders first
    flatten_on_stop: ClassVar[bool] = False  # it then also closes what is held, with market orders
    extra_streams: ClassVar[tuple[str, ...]] = ()  # market data beyond book, trade and rules: ("top",)

    def __init__(self, name: str, settings: Any, runtime: Any) -> None:
        super().__init__(name, settings, runtime)
        self.stages = stages_of(self.effects, STAGES)
        self.paused = False
        self.stopping = False
        self.replicas = Replicas(self)
        self.markets = self.replicas.markets
        self.flattener = Flattener(self)
        bind(self, Strategy, self.replicas.updates())
        # These two call the class's own: for a fill that was not counted before, and before orders are cancelled.
        setattr(self, "on_fill", self.replicas.on_fill)  # noqa: B010
        setattr(self, "on_stop", self._begin_stop)  # noqa: B010

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ours = {name for name in vars(Strategy) if name.startswith("_") and not name.startswith("__")}
        for name in sorted(ours & set(vars(cls))):
            raise BadHandler(
                f"{cls.__module__}.{cls.__qualname__}: {name} is a method of Strategy: choose another name"
            )

    def market(self, name: str) -> Market:
        """The market with a name like "binance:BTC-USDT" (connector:symbol). The first call subscribes to it."""
        known = self.markets.get(name)
        return known if known is not None else self.replicas.open(name)

    @classmethod
    def order_sizes(cls, settings: Any, instruments: Mapping[str, Instrument] | None = None) -> dict[str, Decimal]:
        """The largest order, in base, that these settings lead to, by market ("binance:BTC-USDT"), for `tickbus check`.

        `instruments`: the rules of markets, where they are known. A market whose size is not known is left out. It
        reads the settings `size` (in base) and `size_lots`, of the setting `market`.
        """
        market = getattr(settings, "market", "")
        size, lots = getattr(settings, "size", None), getattr(settings, "size_lots", None)
        if not isinstance(market, str):
            return {}
        rules = (instruments or {}).get(market)
        if isinstance(size, Decimal):
            return {market: size}
        return {market: lots * rules.lot_size} if isinstance(lots, int) and rules is not None else {}

    # -- orders ---------------------------------------------------------------------------------------

    def buy(self, market: Market, *, price_ticks: int, size_lots: int, **how: Unpack[OrderOptions]) -> Order:
        """Places a buy order and returns it at once. An order that cannot be sent has ended, and has a reason.

        A price between two of the exchange's steps is rounded away from the market, and a size down. `how`: see
        OrderOptions. For a MARKET order price_ticks is 0. Orders with one `tag` have a ledger of their own: see
        `Market.ledger`.
        """
        return self._place(market, Side.BUY, price_ticks, size_lots, **how)

    def sell(self, market: Market, *, price_ticks: int, size_lots: int, **how: Unpack[OrderOptions]) -> Order:
        """Places a sell order; see `buy`."""
        return self._place(market, Side.SELL, price_ticks, size_lots, **how)

    def cancel(self, market: Market, order: Order) -> None:
        """Cancels an order. Once accepted, its connector repeats the cancel request until the order has ended."""
        if order.is_open and not order.cancel_wanted:
            set_cancel_wanted([order], True)
            command = CancelOrder(self.new_id(), self._deadline_ns(), order.order_ref)
            self.send(market.connector, command, partial(self._on_cancel_answer, market, [order]))

    def cancel_all(self, market: Market, tag: str = "") -> None:
        """Cancels every open order of this strategy in a market, or those with one tag."""
        orders = set_cancel_wanted(market.orders(tag) if tag else market.open_orders, True)
        if orders or not market.account.orders.known:
            command = CancelAll(self.new_id(), self._deadline_ns(), market.symbol, tag)
            self.send(market.connector, command, partial(self._on_cancel_answer, market, orders))

    def flatten(self, market: Market) -> None:
        """Cancels every open order of this strategy in a market, then closes what it holds with market orders.

        It goes on by itself until what is left is below the smallest order, also after refusals (with growing pauses),
        and splits an order that is over a limit. Meanwhile `market` takes no other order; see `is_flattening`.
        """
        self.flattener.start(market)

    def is_flattening(self, market: Market) -> bool:
        """Whether `flatten` is not done yet in this market."""
        return self.flattener.is_active(market)

    def release_tag(self, market: Market, tag: str) -> None:
        """Lets the connector drop the ledger of a tag that has no open order. Their number is limited."""
        command = ReleaseTag(self.new_id(), self._deadline_ns(), market.symbol, tag)
        self.send(market.connector, command, partial(self._on_release_answer, market, tag))

    def replace(
        self, market: Market, order: Order, *, price_ticks: int, size_lots: int, allow_stale: bool = False
    ) -> Order:
        """Cancels an order and then places another with its side, type and tag; returns the new order.

        All its other options stay, so none can be given: a post-only order is replaced by a post-only one alone.
        """
        return self._place(
            market, order.side, price_ticks, size_lots, ord_type=order.ord_type, time_in_force=order.time_in_force,
            allow_stale=allow_stale, tag=order.tag, replaces=order,
        )  # fmt: skip

    # -- how orders are sent --------------------------------------------------------------------------

    def place_flattening(self, market: Market, side: Side, size_lots: int) -> Order:
        """Places a MARKET order of the Flattener, also while paused or stopping."""
        return self._place(market, side, 0, size_lots, ord_type=OrdType.MARKET, is_closing=True)

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
        tag: str = "",
        replaces: Order | None = None,
        is_closing: bool = False,
    ) -> Order:
        self.stages.ensure(self.now_ns)
        self.stages.lap(DECIDE)
        price, size = index(price_ticks), index(size_lots)  # TypeError for a float
        kind = OrdType.LIMIT_MAKER if post_only else ord_type
        if market.rules is not None:
            size = market.rules.valid_lots(size)
            price = market.rules.passive_ticks(price, side)
        order_ref, until = self.new_id(), self.now_ns + self.answer_within_ms * MS_NS
        order = Order(order_ref, market.symbol, side, price, size, kind, time_in_force, self.now_ns, until, tag)
        refusal = ACCEPTED if is_closing else self._why_blocked(market)
        refusal = refusal or self._refusal(market, order, replaces, allow_stale)
        if refusal:
            order.end(OrdStatus.REJECTED, refusal.text, refusal.code)
            self.log.warning("order not sent", market=market.name, side=side.name, reason=refusal)
            return order
        market.account.orders.add(order)
        command: PlaceOrder | ReplaceOrder
        if replaces is None:
            book = market.book_seq, market.book_age_ns(self.now_ns)
            symbol = market.symbol
            command = PlaceOrder(
                order_ref, until, symbol, side, price, size, kind, time_in_force, stp, *book, tag, market.price_digits,
                market.size_digits,
            )  # fmt: skip
        else:
            set_cancel_wanted([replaces], True)
            command = ReplaceOrder(
                order_ref, until, replaces.order_ref, price, size, market.price_digits, market.size_digits
            )  # fmt: skip
        self.send(market.connector, command, partial(self._on_answer, market, order, replaces))
        self.stages.lap(ORDER)
        self.queue(self.stages.lap, SEND)
        return order

    def _why_blocked(self, market: Market) -> Refusal:
        """The reason why this strategy sends no order of its own in a market; ACCEPTED if it does."""
        if self.stopping or self.paused:
            return Refusal(f"this strategy is {'stopping' if self.stopping else 'paused'}", RefusalCode.PAUSED)
        if self.flattener.is_active(market):
            return Refusal(f"{market.name} is being flattened", RefusalCode.PAUSED)
        return ACCEPTED

    def _refusal(self, market: Market, order: Order, replaces: Order | None, allow_stale: bool) -> Refusal:
        """The reason why an order cannot be sent; ACCEPTED if it can."""
        if not market.ready and not allow_stale:
            text = f"{market.name} is not ready: {market.why_not_ready} (allow_stale=True sends it anyway)"
            return Refusal(text, RefusalCode.LATER)
        if replaces is not None and not replaces.is_open:
            text = f"the order to replace has ended: {replaces.status.name}"
            return Refusal(text, RefusalCode.UNKNOWN_ORDER)
        if market.rules is not None:
            is_market = order.ord_type is OrdType.MARKET
            problems = market.rules.check(order.price_ticks, order.size_lots, market=is_market)
            return Refusal("; ".join(problems), RefusalCode.NEVER)
        return ACCEPTED if order.size_lots > 0 else Refusal("size_lots must be above 0", RefusalCode.NEVER)

    def _deadline_ns(self) -> int:
        return self.now_ns + self.answer_within_ms * MS_NS

    def _on_answer(self, market: Market, order: Order, replaces: Order | None, answer: Answer) -> None:
        moved = market.account.orders.on_answer(order, answer)
        if answer.code is AnswerCode.OK:
            return
        if answer.code is AnswerCode.UNREACHABLE:
            self.replicas.set_unreachable(market.connector)
        if replaces is not None:
            set_cancel_wanted([replaces], False)
        if moved:
            self.log.warning("order not accepted", order_ref=order.order_ref, code=answer.code.name, reason=answer.text)
            self.order_changed(order)
        if order.in_doubt:
            self.replicas.request_soon()  # a snapshot made after the deadline shows whether it was placed

    def _on_release_answer(self, market: Market, tag: str, answer: Answer) -> None:
        if answer.code is AnswerCode.OK:
            market.account.orders.ledgers.pop((market.symbol, tag), None)
        else:
            self.log.warning("tag not released", market=market.name, tag=tag, code=answer.code.name, reason=answer.text)

    def _on_cancel_answer(self, market: Market, orders: list[Order], answer: Answer) -> None:
        """A cancel request that was not accepted may be sent again."""
        if answer.code is AnswerCode.OK:
            return
        if answer.code is AnswerCode.UNREACHABLE:
            self.replicas.set_unreachable(market.connector)
        set_cancel_wanted(orders, False)
        self.log.warning("cancel request not accepted", market=market.name, code=answer.code.name, reason=answer.text)
        if self.stopping:
            self.after(CANCEL_RETRY_NS, self.cancel_all, market)

    # -- handlers -------------------------------------------------------------------------------------

    def cursor(self, topic: str) -> int:
        """The cursor of a snapshot request: the fill number after which an order stream's fills are needed."""
        return self.replicas.cursor(topic)

    def apply_scale(self, market: Market, price_factor: int, size_factor: int) -> None:
        """Converts what is kept of a market whose scale has become finer, then calls `scale_changed`."""
        self.flattener.multiply(market, size_factor)
        self.scale_changed(market, price_factor, size_factor)

    def new_fill(self, fill: Fill) -> None:
        """Calls the class's own on_fill, for a fill that was not counted before."""
        type(self).on_fill(self, fill)

    def on_control(self, control: Control) -> Answer | None:
        """An operator's command: pause, resume, cancel_all, flatten, stop."""
        if control.command in ("pause", "resume"):
            self.paused = control.command == "pause"
        elif control.command == "cancel_all":
            for market in self.markets.values():
                self.cancel_all(market)
        elif control.command == "flatten":
            self.paused = True
            for market in self.markets.values():
                self.flatten(market)
        elif control.command == "stop":
            self.request_stop()
        else:
            text = f"unknown command {control.command!r}: use pause, resume, cancel_all, flatten or stop"
            return Answer(control.cmd_id, AnswerCode.REFUSED, text, RefusalCode.NEVER)
        return None

    def may_stop(self) -> bool:
        """The stop is complete when every order has ended, and nothing is being flattened."""
        if self.flattener.is_busy:
            return False
        return not self.cancel_on_stop or not any(market.open_orders for market in self.markets.values())

    def _begin_stop(self) -> None:
        """Begins a stop: calls the class's own on_stop, then refuses new orders and cancels the open ones."""
        type(self).on_stop(self)
        self.stopping = True
        if self.cancel_on_stop:
            for market in self.markets.values():
                self.cancel_all(market)
        if self.flatten_on_stop:
            for market in self.markets.values():
                self.flatten(market)
