"""ExternalOrders: orders on our account that this bot did not place. They are published, and not touched."""

from collections import OrderedDict

from connectors.core.reports import OrderReport
from market.scale import Scale
from protocol import OrdersSnapshot, OrderUpdate
from protocol.topics import EXTERNAL

IDS_MAX = 50_000


class ExternalOrders:
    """`open`: external orders that are open, by (symbol, order id). Also the ids known to be external."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, str], OrderUpdate] = {}
        self._ids: OrderedDict[tuple[str, str], None] = OrderedDict()

    def contains(self, symbol: str, order_id: str) -> bool:
        """Whether this order is known to be external."""
        return (symbol, order_id) in self._ids

    def add_id(self, symbol: str, order_id: str) -> None:
        """This order is external."""
        self._ids[symbol, order_id] = None
        if len(self._ids) > IDS_MAX:
            self._ids.popitem(last=False)

    def add(self, report: OrderReport, scale: Scale | None) -> OrderUpdate | None:
        """Merge a report, whose numbers fit `scale`. Returns the update to publish; None if nothing changed, or without
        the market's scale."""
        key = (report.symbol, report.order_id)
        self.add_id(*key)
        if scale is None:
            return None
        update = _update(report, scale)
        if self.open.get(key) == update or (report.status.is_final and key not in self.open):
            return None
        if report.status.is_final:
            del self.open[key]
        else:
            self.open[key] = update
        return update

    def keep_only(self, symbol: str, order_ids: set[str]) -> bool:
        """Of `symbol` only these are open now; returns whether that is a change."""
        closed = [key for key in self.open if key[0] == symbol and key[1] not in order_ids]
        for key in closed:
            del self.open[key]
        return bool(closed)

    def snapshot(self) -> OrdersSnapshot:
        """Returns every open external order."""
        return OrdersSnapshot(EXTERNAL, list(self.open.values()), [])


def _update(report: OrderReport, scale: Scale) -> OrderUpdate:
    return OrderUpdate(
        EXTERNAL,
        0,
        report.cl_ord_id,
        report.symbol,
        report.side,
        report.ord_type,
        scale.ticks(report.price),
        scale.lots(report.size),
        scale.lots(report.cum),
        report.status,
        report.order_id,
        report.reason,
        report.ts_event_ns,
        price_digits=scale.price_digits,
        size_digits=scale.size_digits,
    )
