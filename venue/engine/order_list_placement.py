"""Placing order lists, each in one step: all of it or nothing."""

import msgspec

from venue.accounts.accounts import Account
from venue.base import errors
from venue.engine.engine import Engine, Intent
from venue.orders.order import Execution, Order
from venue.orders.order_lists import OrderList
from venue.orders.stops import would_trigger
from venue.symbols.symbol import Symbol

BAD_PRICES = "The relationship of the prices for the orders is not correct."


class Wanted(msgspec.Struct):
    """An order list that is asked for; of an OTO the working order comes first."""

    contingency: str
    intents: list[Intent]
    client_id: str | None = None
    is_paid: bool = False

    @property
    def symbol(self) -> Symbol:
        return self.intents[0].symbol


class Placed(msgspec.Struct):
    """A list as its placement is answered: before what has come due by it."""

    order_list: OrderList
    orders: list[tuple[Order, list[Execution]]]


def place(engine: Engine, account: Account, wanted: Wanted, now_ns: int) -> Placed:
    """Place all orders of a list. Raises -2010 where it is refused, with nothing changed."""
    if engine.lists.is_open(account.name, wanted.client_id):
        raise errors.rejected("Duplicate order sent.")
    check_client_ids(engine, account, wanted.intents)
    is_oto = wanted.contingency == "OTO"
    if is_oto:
        engine.check(account, wanted.intents[0])
    else:
        check_relation(wanted.intents)
        for intent in wanted.intents:
            engine.check(account, intent)
    orders = [engine.order_of(account, intent, now_ns) for intent in wanted.intents]
    engine.keeper.hold(wanted.symbol, orders[:1] if is_oto else orders, now_ns)
    one = order_list_of(engine, account, wanted, orders, now_ns)
    for order in orders:
        order.list_id = one.list_id
        engine.register(account, order)
    for order in orders[1:] if is_oto else ():
        order.status, order.working_ns = "PENDING_NEW", 0
    engine.lists.add(one)
    if is_oto:
        fills = [engine.working.start(wanted.symbol, orders[0], now_ns)] + [[] for _ in orders[1:]]
    else:
        fills = [engine.working.start(wanted.symbol, order, now_ns) for order in orders]
        engine.keeper.tell(one, now_ns)
    told = Placed(
        msgspec.structs.replace(one), [(engine.working.told(o), f) for o, f in zip(orders, fills, strict=True)]
    )
    engine.finish(now_ns)
    return told


def order_list_of(engine: Engine, account: Account, wanted: Wanted, orders: list[Order], now_ns: int) -> OrderList:
    list_id = engine.records.counter("list").take()
    return OrderList(
        list_id=list_id,
        symbol=wanted.symbol.name,
        account=account.name,
        client_id=wanted.client_id or engine.new_client_id("list", list_id),
        contingency=wanted.contingency,
        orders=[(order.order_id, order.client_order_id) for order in orders],
        time_ns=now_ns,
        update_ns=now_ns,
        is_waiting=wanted.contingency == "OTO",
        is_paid=wanted.is_paid,
    )


def check_client_ids(engine: Engine, account: Account, intents: list[Intent]) -> None:
    """Raises -2010 for a client order id that an open order has, or two orders of the list."""
    seen = [intent.client_order_id for intent in intents if intent.client_order_id is not None]
    taken = any((intents[0].symbol.name, one) in account.open_by_client_id for one in seen)
    if taken or len(set(seen)) < len(seen):
        raise errors.rejected("Duplicate order sent.")


def check_relation(intents: list[Intent]) -> None:
    """Raises -2010 where the last price does not lie between those of an OCO (POST /api/v3/orderList/oco)."""
    for intent in intents:
        last_ticks = intent.symbol.last_ticks
        is_bad = would_trigger(intent, last_ticks)
        if not intent.peg and intent.ord_type in ("LIMIT_MAKER", "TAKE_PROFIT_LIMIT"):
            is_bad = is_bad or intent.side.sign * (last_ticks - intent.price_ticks) <= 0
        if is_bad:
            raise errors.rejected(BAD_PRICES)
