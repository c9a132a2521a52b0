"""What the order journals of a run's connectors add up to. The connectors must not be running."""

from decimal import Decimal
from pathlib import Path

import msgspec

from actors.live.journal import Journal
from actors.run.run_file import Run
from connectors.orders.journal_replay import replay as replay_records
from connectors.orders.tracker import OrderTracker
from market.exact import ZERO
from monitor.view import plain
from protocol import OrdStatus, RefusalCode


class JournalTotals(msgspec.Struct):
    """Counts over all process runs of the connectors. `orders_doubted`: orders that were UNKNOWN at some time.

    `refused`: orders that the exchange rejected, by cause; `realized_pnl` by quote asset, `fees` by asset.
    """

    orders_sent: int = 0
    orders_unknown: int = 0
    orders_doubted: int = 0
    orders_open: int = 0
    fills: int = 0
    refused: dict[RefusalCode, int] = {}
    realized_pnl: dict[str, Decimal] = {}
    fees: dict[str, Decimal] = {}


def journal_of(run: Run, connector: str) -> Path:
    """Returns the path of a connector's order journal; the file may not exist."""
    return run.dir / f"{connector}.orders.journal"


def replay(path: Path) -> OrderTracker:
    """Returns the tracker that a connector would rebuild from this journal. Raises JournalDamaged."""
    tracker, journal = OrderTracker(), Journal(path)
    try:
        replay_records(tracker, journal.records())
    finally:
        journal.close()
    return tracker


def trackers(run: Run) -> dict[str, OrderTracker]:
    """Returns the trackers of all connectors that have a journal, by name. Raises JournalDamaged."""
    return {name: replay(journal_of(run, name)) for name in run.actors if journal_of(run, name).exists()}


def totals(found: dict[str, OrderTracker]) -> JournalTotals:
    """Returns the sums over `trackers`."""
    sums = JournalTotals()
    for tracker in found.values():
        sums.orders_sent += tracker.counter
        sums.orders_open += len(tracker.open)
        sums.orders_unknown += sum(one.status is OrdStatus.UNKNOWN for one in tracker.open.values())
        sums.orders_doubted += sum(one.state.doubted for one in tracker.orders.values())
        for owner in tracker.owners.values():
            sums.fills += owner.fill_no
            for code, count in owner.refused.items():
                sums.refused[code] = sums.refused.get(code, 0) + count
            for position in owner.positions.values():
                _add(sums.realized_pnl, position.quote, position.realized_pnl)
                for asset, fee in position.fees.items():
                    _add(sums.fees, asset, fee)
    return sums


def growth(after: dict[str, Decimal], before: dict[str, Decimal]) -> dict[str, Decimal]:
    """Returns by how much each amount has grown."""
    return {asset: amount - before.get(asset, ZERO) for asset, amount in sorted(after.items())}


class PositionLine(msgspec.Struct):
    """One position in the summary; amounts as text, so that no digit is lost."""

    owner: str
    connector: str
    symbol: str
    traded: str
    held: str
    cost: str
    average_cost: str
    realized_pnl: str
    is_estimated: bool

    @property
    def text(self) -> str:
        """Returns one line."""
        base, _, quote = self.symbol.partition("-")
        about = "about " if self.is_estimated else ""
        cost = f" at an average cost of {about}{Decimal(self.average_cost):.2f} {quote}" if Decimal(self.held) else ""
        return f"{self.owner} on {self.connector}: {self.held} {base} held{cost}"


def positions(found: dict[str, OrderTracker]) -> list[PositionLine]:
    """Returns every position: of which owner at which connector, traded and held in base, money in quote."""
    return [
        PositionLine(
            owner.name, name, symbol, plain(position.net_lots * tracker.scales[symbol].lot), plain(position.held),
            plain(position.cost), plain(round(position.average_cost, 8)), plain(position.realized_pnl),
            position.is_estimated,
        )
        for name, tracker in found.items()
        for owner in tracker.owners.values()
        for symbol, position in owner.positions.items()
    ]  # fmt: skip


def _add(sums: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    sums[asset] = sums.get(asset, ZERO) + amount
