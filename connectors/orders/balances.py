"""BalanceBook: balances of the account; whole reports and single changes, merged by the exchange's time."""

from decimal import Decimal

from connectors.core.reports import AccountReport
from protocol import Balances


class BalanceBook:
    """The latest balance of each asset. `reconciled`: a whole report has been merged."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Decimal, Decimal, int]] = {}
        self._whole_ns = -1
        self.reconciled = False

    def add(self, report: AccountReport) -> bool:
        """Merge a report; returns whether anything changed. A balance older than the known one is ignored."""
        at_ns, before = report.ts_event_ns, dict(self._rows)
        if report.is_whole and at_ns >= self._whole_ns:
            named = {row.asset for row in report.rows} | {row.asset for row in report.unreadable}
            if "" in named:
                named.update(before)  # one of them, and it is not known which
            for asset, (_, _, ts_ns) in before.items():
                if asset not in named and ts_ns <= at_ns:
                    self._rows[asset] = (Decimal(0), Decimal(0), at_ns)
            self._whole_ns = at_ns
        for row in report.rows:
            known = self._rows.get(row.asset)
            if known is None or known[2] <= at_ns:
                self._rows[row.asset] = (row.free, row.locked, at_ns)
        changed = {asset: row[:2] for asset, row in before.items()} != {
            asset: row[:2] for asset, row in self._rows.items()
        }
        is_new = changed or (report.is_whole and not self.reconciled)
        self.reconciled |= report.is_whole
        return is_new

    def message(self) -> Balances:
        """Returns the message that publishes every balance."""
        rows = [(asset, free, locked) for asset, (free, locked, _) in sorted(self._rows.items())]
        latest_ns = max((row[2] for row in self._rows.values()), default=0)
        return Balances(rows, latest_ns, self.reconciled)
