"""Order books, matching and instruments: pure, in integers."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
