"""Orders on our account that are not ours, a human's perhaps: shown, and left alone."""

from collections import OrderedDict

from connectors.core.reports import OrderReport
from market.instrument import Instrument, Rounding
from protocol import OrdersSnapshot, OrderUpdate

OWNER = "@foreign"
IDS_MAX = 50_000


class Foreign:
    """What is open, by (symbol, order id); and the ids that are known not to be ours."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, str], OrderUpdate] = {}
        self._ids: OrderedDict[tuple[str, str], None] = OrderedDict()

    def knows(self, symbol: str, order_id: str) -> bool:
        return (symbol, order_id) in self._ids

    def add(self, report: OrderReport, instrument: Instrument) -> OrderUpdate | None:
        """The update to publish; None if it is no news."""
        key = (report.symbol, report.order_id)
        self._ids[key] = None
        if len(self._ids) > IDS_MAX:
            self._ids.popitem(last=False)
        update = _update(report, instrument)
        if self.open.get(key) == update or (report.status.is_final and key not in self.open):
            return None
        if report.status.is_final:
            del self.open[key]
        else:
            self.open[key] = update
        return update

    def keep(self, symbol: str, order_ids: set[str]) -> bool:
        """Of `symbol` only these are open now; whether that is news."""
        gone = [key for key in self.open if key[0] == symbol and key[1] not in order_ids]
        for key in gone:
            del self.open[key]
        return bool(gone)

    def snapshot(self) -> OrdersSnapshot:
        return OrdersSnapshot(OWNER, list(self.open.values()), [])


def _update(report: OrderReport, instrument: Instrument) -> OrderUpdate:
    """Prices and sizes rounded to our steps: it is for show."""
    return OrderUpdate(
        OWNER,
        0,
        report.cl_ord_id,
        report.symbol,
        report.side,
        report.ord_type,
        instrument.price_ticks(report.price, Rounding.NEAREST),
        instrument.size_lots(report.size, Rounding.NEAREST),
        instrument.size_lots(report.cum, Rounding.NEAREST),
        report.status,
        report.order_id,
        report.reason,
        report.ts_event_ns,
    )
