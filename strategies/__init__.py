"""Strategies: the base class, its markets and orders, and one file per strategy."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
from market.position import Position
from strategies.account import Balance
from strategies.market import Market
from strategies.order import Order
from strategies.order_options import OrderOptions
from strategies.strategy import Strategy

__all__ = ["Balance", "Market", "Order", "OrderOptions", "Position", "Strategy"]
