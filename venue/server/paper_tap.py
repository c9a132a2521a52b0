"""PaperTap: receives the market data of one connector of the run, for paper trading."""

from pathlib import Path

from actors.tap import Tap
from protocol import Message, Rules
from venue.base.settings import MarketSettings
from venue.base.venue_errors import BadVenue
from venue.sources.paper import market_settings

WAIT_S = 0.5


class PaperTap:
    """Receives the market data and heartbeats of `connector`. Reading needs no registration there."""

    def __init__(self, run_dir: Path | None, connector: str) -> None:
        """Raises BadVenue without a run folder, Unreachable if no process runs in it."""
        if run_dir is None:
            raise BadVenue("paper trading follows a connector of its run: start it with `tickbus run` or `tickbus up`")
        self.connector = connector
        self._prefix = f"md.{connector}."
        self._tap = Tap(run_dir, self._prefix, f"sys.{connector}.", publishers=[connector])

    def close(self) -> None:
        self._tap.close()

    def poll(self, timeout_s: float = 0.0) -> list[Message]:
        """The messages since the last call."""
        return [one.body for one in self._tap.poll(timeout_s) if one.body is not None]

    def request_snapshots(self) -> None:
        """Requests all books and rules from the connector."""
        self._tap.request_snapshots(self.connector, self._prefix)

    def markets(self, configured: list[MarketSettings]) -> list[MarketSettings]:
        """The markets' settings with the live markets' rules; waits until the connector has published all of them."""
        rules: dict[str, Rules] = {}
        names = [one.symbol for one in configured]
        while not all(name in rules for name in names):
            self.request_snapshots()
            rules |= {one.symbol: one for one in self.poll(WAIT_S) if isinstance(one, Rules)}
        return [market_settings(rules[one.symbol], one) for one in configured]
