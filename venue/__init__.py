"""The local exchange: the REST and websocket API of a real exchange, over a simulated market."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
