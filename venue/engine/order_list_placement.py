"""Places order lists, each atomically: all of its orders or none."""

import msgspec

from venue.accounts.accounts import ExchangeAccount
from venue.base import api_errors
from venue.engine.engine import Engine, NewOrder
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.orders.order_lists import OrderList
from venue.orders.stops import would_trigger
from venue.symbols.symbol import Symbol

BAD_PRICES = "The relationship of the prices for the orders is not correct."


class NewOrderList(msgspec.Struct):
    """A new order list; in an OTO the working order comes first."""

    contingency: str
    new_orders: list[NewOrder]
    client_id: str | None = None
    is_paid: bool = False

    @property
    def symbol(self) -> Symbol:
        return self.new_orders[0].symbol


class PlacedOrderList(msgspec.Struct):
    """A list for the answer to its placement: its state before the due orders are activated."""

    order_list: OrderList
    orders: list[tuple[ExchangeOrder, list[Execution]]]


def place(engine: Engine, account: ExchangeAccount, new_list: NewOrderList, now_ns: int) -> PlacedOrderList:
    """Places all orders of a list. Raises -2010 if it is rejected; then nothing has changed."""
    if engine.lists.is_open(account.name, new_list.client_id):
        raise api_errors.rejected("Duplicate order sent.")
    check_client_ids(engine, account, new_list.new_orders)
    is_oto = new_list.contingency == "OTO"
    if is_oto:
        engine.check(account, new_list.new_orders[0])
    else:
        check_relation(new_list.new_orders)
        for new_order in new_list.new_orders:
            engine.check(account, new_order)
    orders = [engine.order_of(account, new_order, now_ns) for new_order in new_list.new_orders]
    engine.list_rules.hold(new_list.symbol, orders[:1] if is_oto else orders, now_ns)
    one = order_list_of(engine, account, new_list, orders, now_ns)
    for order in orders:
        order.list_id = one.list_id
        engine.register(account, order)
    for order in orders[1:] if is_oto else ():
        order.status, order.working_ns = "PENDING_NEW", 0
    engine.lists.add(one)
    if is_oto:
        fills = [engine.activation.activate(new_list.symbol, orders[0], now_ns)] + [[] for _ in orders[1:]]
    else:
        fills = [engine.activation.activate(new_list.symbol, order, now_ns) for order in orders]
        engine.list_rules.report(one, now_ns)
    placed = PlacedOrderList(
        msgspec.structs.replace(one), [(engine.activation.as_placed(o), f) for o, f in zip(orders, fills, strict=True)]
    )
    engine.finish(now_ns)
    return placed


def order_list_of(
    engine: Engine, account: ExchangeAccount, new_list: NewOrderList, orders: list[ExchangeOrder], now_ns: int
) -> OrderList:
    list_id = engine.records.counter("list").next_id()
    return OrderList(
        list_id=list_id,
        symbol=new_list.symbol.name,
        account=account.name,
        client_id=new_list.client_id or engine.new_client_id("list", list_id),
        contingency=new_list.contingency,
        orders=[(order.order_id, order.client_order_id) for order in orders],
        time_ns=now_ns,
        update_ns=now_ns,
        is_waiting=new_list.contingency == "OTO",
        is_paid=new_list.is_paid,
    )


def check_client_ids(engine: Engine, account: ExchangeAccount, new_orders: list[NewOrder]) -> None:
    """Raises -2010 for a client order id that an open order or another order of the list has."""
    seen = [new_order.client_order_id for new_order in new_orders if new_order.client_order_id is not None]
    taken = any((new_orders[0].symbol.name, one) in account.open_by_client_id for one in seen)
    if taken or len(set(seen)) < len(seen):
        raise api_errors.rejected("Duplicate order sent.")


def check_relation(new_orders: list[NewOrder]) -> None:
    """Raises -2010 if the last price is not between the prices of an OCO (POST /api/v3/orderList/oco)."""
    for new_order in new_orders:
        last_ticks = new_order.symbol.last_ticks
        is_bad = would_trigger(new_order, last_ticks)
        if not new_order.peg and new_order.ord_type in ("LIMIT_MAKER", "TAKE_PROFIT_LIMIT"):
            is_bad = is_bad or new_order.side.sign * (last_ticks - new_order.price_ticks) <= 0
        if is_bad:
            raise api_errors.rejected(BAD_PRICES)
