"""Connectors: one process per exchange account, market data and orders."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
