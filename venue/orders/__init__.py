"""The exchange's state of orders, order lists and stop orders."""
