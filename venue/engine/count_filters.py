"""Filters that count an account's open orders on a symbol."""

from venue.accounts.accounts import ExchangeAccount
from venue.base import api_errors
from venue.engine.engine import Engine, NewOrder
from venue.orders.exchange_order import WORKS_AS
from venue.symbols.symbol import Symbol


def check_counts(account: ExchangeAccount, new_orders: list[NewOrder]) -> None:
    """Raises -1013 if the new orders, all of one symbol, plus the open ones are too many."""
    s = new_orders[0].symbol.settings
    algos = icebergs = 0
    for new_order in new_orders:
        algos += new_order.ord_type in WORKS_AS
        icebergs += new_order.iceberg_lots > 0
    is_many = len(account.open_orders) + len(new_orders) > s.max_orders
    if not (is_many or algos or icebergs):  # the common case: no need to scan the open orders
        return
    name = new_orders[0].symbol.name
    here = [order for order in account.open_orders.values() if order.symbol == name]
    if len(here) + len(new_orders) > s.max_orders:
        raise api_errors.filter_failure("MAX_NUM_ORDERS")
    if algos and algos + sum(order.is_contingent for order in here) > s.max_algo_orders:
        raise api_errors.filter_failure("MAX_NUM_ALGO_ORDERS")
    if icebergs and icebergs + sum(order.iceberg_lots > 0 for order in here) > s.max_iceberg_orders:
        raise api_errors.filter_failure("MAX_NUM_ICEBERG_ORDERS")


def check_lists(engine: Engine, account: ExchangeAccount, symbol: Symbol) -> None:
    """Raises -1013 if the account has its maximum number of order lists open."""
    if engine.lists.open_on(account.name, symbol.name) >= symbol.settings.max_order_lists:
        raise api_errors.filter_failure("MAX_NUM_ORDER_LISTS")
    most = engine.order_limits.max_order_lists
    if most is not None and engine.lists.open_of(account.name) >= most:
        raise api_errors.filter_failure("EXCHANGE_MAX_NUM_ORDER_LISTS")
