"""Monitoring of a running bot: read-only on the bus."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
