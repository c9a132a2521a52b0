"""The clock broadcaster: schedule, sequential fanout, positions."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
from clockd.clock import Clock

__all__ = ["Clock"]
