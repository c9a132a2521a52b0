"""What the order journals of a run's connectors add up to. The connectors must not be running."""

from pathlib import Path

import msgspec

from actors.live.journal import Journal
from actors.run.run_file import Run
from connectors.orders.journal_replay import replay as replay_records
from connectors.orders.tracker import OrderTracker
from protocol import OrdStatus


class JournalTotals(msgspec.Struct):
    """Counts over all process runs of the connectors. `orders_doubted`: orders that were UNKNOWN at some time."""

    orders_sent: int = 0
    orders_unknown: int = 0
    orders_doubted: int = 0
    orders_open: int = 0
    fills: int = 0


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
        sums.fills += sum(owner.fill_no for owner in tracker.owners.values())
    return sums


def net_positions(found: dict[str, OrderTracker]) -> list[str]:
    """Returns one line for each position: its owner, connector, net amount and asset."""
    lines = []
    for name, tracker in found.items():
        for owner in tracker.owners.values():
            for position in owner.positions.values():
                lines.append(f"{owner.name} on {name}: {position.held.normalize():f} {position.base} held")
    return lines
