"""OrderTemplates: the parameters of an order as text, written once for each kind of order, with gaps for the rest."""

import re
from collections.abc import Callable, Mapping

from connectors.binance.sign import Value, text
from connectors.core.records import NewOrderRecord
from market.instrument import Instrument

TEMPLATES_MAX = 10_000  # markets times kinds of orders
_PLAIN = re.compile(r"[A-Za-z0-9_.~&=-]*").fullmatch
_GAPS: dict[str, Value] = {
    "newClientOrderId": "%(cl_ord_id)s", "price": "%(price)s", "quantity": "%(quantity)s", "timestamp": "%(ts_ms)d",
}  # fmt: skip


class OrderTemplates:
    """`params(order)`: the parameters of an order by name, except the timestamp. `join`: their text as it is signed."""

    def __init__(
        self, params: Callable[[NewOrderRecord], dict[str, Value]], join: Callable[[Mapping[str, Value]], str]
    ) -> None:
        self._params = params
        self._join = join
        self._templates: dict[tuple[str, int], str] = {}

    def payload(self, order: NewOrderRecord, instrument: Instrument, ts_ms: int) -> str:
        """Returns the text that is signed; "" if a parameter needs encoding."""
        # A tuple of enumerations would be hashed in Python.
        kind = order.side | order.ord_type << 8 | order.time_in_force << 16 | order.stp << 24
        template = self._templates.get((order.symbol, kind))
        if template is None:
            template = self._make(order, kind)
        return template % {
            "cl_ord_id": order.cl_ord_id,
            "price": instrument.price_text(order.price_ticks),
            "quantity": instrument.size_text(order.size_lots),
            "ts_ms": ts_ms,
        }

    def _make(self, order: NewOrderRecord, kind: int) -> str:
        params = {**self._params(order), "timestamp": 0}
        gaps = {name: _GAPS.get(name, value) for name, value in params.items()}
        template = self._join(gaps) if is_plain(self._join(params), len(params)) else ""
        if len(self._templates) < TEMPLATES_MAX:
            self._templates[order.symbol, kind] = template
        return template


def is_plain(payload: str, count: int) -> bool:
    """Whether these `count` parameters are the same text in a URL and in JSON, so that neither encodes them."""
    return _PLAIN(payload) is not None and payload.count("=") == count == payload.count("&") + 1


def in_order(params: Mapping[str, Value]) -> str:
    """Returns the parameters in the order given, not encoded: as a REST request contains them."""
    return "&".join([f"{name}={text(value)}" for name, value in params.items()])


def sorted_by_name(params: Mapping[str, Value]) -> str:
    """Returns the parameters sorted by name, not encoded: as a WebSocket API request signs them."""
    return "&".join([f"{name}={text(params[name])}" for name in sorted(params)])
