"""The bus side of paper trading: what one connector of the run tells of its live markets."""

from pathlib import Path

from actors.tap import Tap
from protocol import Message, Rules
from venue.base.settings import MarketSettings
from venue.base.venue_errors import BadVenue
from venue.sources.paper import market_settings

WAIT_S = 0.5


class PaperTap:
    """Hears the market data and the heartbeats of `connector`. Reading needs no registration there."""

    def __init__(self, run_dir: Path | None, connector: str) -> None:
        """Raises BadVenue without a run folder, Unreachable where nothing runs in it."""
        if run_dir is None:
            raise BadVenue("paper trading hears a connector of its run: start it with `tickbus run` or `tickbus up`")
        self.connector = connector
        self._prefix = f"md.{connector}."
        self._tap = Tap(run_dir, self._prefix, f"sys.{connector}.", publishers=[connector])

    def close(self) -> None:
        self._tap.close()

    def poll(self, timeout_s: float = 0.0) -> list[Message]:
        """What has been said since the last call."""
        return [one.body for one in self._tap.poll(timeout_s) if one.body is not None]

    def request_snapshots(self) -> None:
        """Let it say all of its books and rules again."""
        self._tap.ask(self.connector, self._prefix)

    def markets(self, wanted: list[MarketSettings]) -> list[MarketSettings]:
        """The markets with the live ones' rules; waits until the connector knows them all."""
        rules: dict[str, Rules] = {}
        names = [one.symbol for one in wanted]
        while not all(name in rules for name in names):
            self.request_snapshots()
            rules |= {one.symbol: one for one in self.poll(WAIT_S) if isinstance(one, Rules)}
        return [market_settings(rules[one.symbol], one) for one in wanted]
