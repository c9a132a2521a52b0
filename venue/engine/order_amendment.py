"""Reduces an open order in its place in the queue (order_amend_keep_priority.md of Binance's docs)."""

from venue.accounts.accounts import ExchangeAccount
from venue.accounts.amendments import Amendment
from venue.base import api_errors
from venue.engine.engine import Engine
from venue.orders.exchange_order import ExchangeOrder
from venue.orders.order_lists import OrderList


def amend_order(
    engine: Engine, order: ExchangeOrder, new_lots: int, client_order_id: str | None, now_ns: int
) -> Amendment:
    """Sets a smaller size and another client order id of an open order. Raises -2038 if that is not allowed."""
    account = engine.accounts.by_name[order.account]
    number = len(account.amendments.get(order.order_id, ()))
    if number >= engine.symbols[order.symbol].settings.max_order_amends:
        raise api_errors.amend_rejected("Filter failure: MAX_NUM_ORDER_AMENDS")
    client_order_id = client_order_id or engine.new_client_id("amend", order.order_id, number)
    if account.open_by_client_id.get((order.symbol, client_order_id), order) is not order:
        raise api_errors.amend_rejected("Duplicate order sent.")
    one = engine.lists.open.get(order.list_id)
    known = engine.settlement.open_orders
    others = [known[other] for other in siblings(one, order) if other in known]
    old_id = order.client_order_id
    amendment = reduce_order(engine, account, order, new_lots, client_order_id, now_ns)
    for other in others:
        if other.is_open:  # it has ended with the first if nothing of that was left open
            reduce_order(engine, account, other, new_lots, other.client_order_id, now_ns)
    if one is not None and client_order_id != old_id:
        one.rename(order.order_id, client_order_id)
        engine.records.order_list(one)
        engine.settlement.user_listener.list_status(one, now_ns, "UPDATED")
    engine.finish(now_ns)
    return amendment


def check_amendable(engine: Engine, order: ExchangeOrder) -> None:
    """Raises -2038 for a pending order whose size depends on the fills of another."""
    one = engine.lists.open.get(order.list_id)
    if one is not None and one.is_paid and order.status == "PENDING_NEW":
        raise api_errors.amend_rejected("Order amend (pending OPO order) is not supported.")


def siblings(one: OrderList | None, order: ExchangeOrder) -> list[int]:
    """The other order of an OCO, which has the same size while both are open; at most one."""
    pair = () if one is None else one.pair
    return [other for other in pair if order.order_id in pair and other != order.order_id]


def reduce_order(
    engine: Engine, account: ExchangeAccount, order: ExchangeOrder, new_lots: int, client_order_id: str, now_ns: int
) -> Amendment:
    """Reduces an order and what it locks, and records the amendment; the order ends if nothing is left open."""
    symbol = engine.symbols[order.symbol]
    old_id, old_lots, open_lots = order.client_order_id, order.size_lots, order.open_lots
    freed_lots = min(old_lots - new_lots, open_lots)
    if order.is_working:
        symbol.reduce(order.order_id, freed_lots)
    account.rename_order(order, client_order_id)
    order.size_lots = new_lots
    freed_atoms = order.locked_atoms * freed_lots // open_lots
    execution_id = engine.settlement.amended(symbol, order, old_id, freed_atoms, now_ns)
    amendment = Amendment(
        order.symbol, order.order_id, account.name, execution_id, old_id, client_order_id, old_lots, new_lots, now_ns
    )
    account.amendments.setdefault(order.order_id, []).append(amendment)
    engine.records.amendment(amendment)
    return amendment
