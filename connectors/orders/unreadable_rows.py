"""UnreadableRows: counts the rows of answers, and the events, that could not be read, and shows the latest."""

from actors.effects import Effects
from connectors.core.reports import Unreadable

SHOWN_NS = 60_000_000_000  # how long the state of the connector contains the latest row
LOGGED_MAX = 1_000  # different rows that are written to the log


class UnreadableRows:
    """`count`: all of them. A row that is read again and again is counted each time, and logged once."""

    def __init__(self, fx: Effects) -> None:
        self.count = 0
        self._fx = fx
        self._latest = ""
        self._latest_ns = 0
        self._logged: set[Unreadable] = set()

    def add(self, row: Unreadable) -> None:
        """Count and show one row."""
        self.count += 1
        self._latest, self._latest_ns = str(row), self._fx.now_ns
        if row not in self._logged and len(self._logged) < LOGGED_MAX:
            self._logged.add(row)
            self._fx.log.error("unreadable report", row=str(row))

    def shown(self) -> str:
        """Returns the latest row, for the state of the connector; "" if there was none for SHOWN_NS."""
        is_recent = self.count and self._fx.now_ns - self._latest_ns < SHOWN_NS
        return f"{self.count} reports could not be read, the latest: {self._latest}" if is_recent else ""
