"""Shapes: the parameters of an order as text, written once for each kind of order, with gaps for what differs."""

import re
from collections.abc import Callable, Mapping

from connectors.binance.sign import Value, text
from connectors.core.records import Intent
from market.instrument import Instrument

SHAPES_MAX = 10_000  # markets times kinds of orders
_PLAIN = re.compile(r"[A-Za-z0-9_.~&=-]*").fullmatch
_GAPS: dict[str, Value] = {
    "newClientOrderId": "%(cl_ord_id)s", "price": "%(price)s", "quantity": "%(quantity)s", "timestamp": "%(ts_ms)d",
}  # fmt: skip


class Shapes:
    """`params(intent)`: an order's parameters by name, all but the timestamp. `join`: parameters as they are signed."""

    def __init__(
        self, params: Callable[[Intent], dict[str, Value]], join: Callable[[Mapping[str, Value]], str]
    ) -> None:
        self._params = params
        self._join = join
        self._shapes: dict[tuple[str, int], str] = {}

    def payload(self, intent: Intent, instrument: Instrument, ts_ms: int) -> str:
        """What is signed of an order; "" where it holds what needs encoding."""
        # A tuple of enumerations would be hashed in Python.
        kind = intent.side | intent.ord_type << 8 | intent.time_in_force << 16 | intent.stp << 24
        shape = self._shapes.get((intent.symbol, kind))
        if shape is None:
            shape = self._shape(intent, kind)
        return shape % {
            "cl_ord_id": intent.cl_ord_id,
            "price": instrument.price_text(intent.price_ticks),
            "quantity": instrument.size_text(intent.size_lots),
            "ts_ms": ts_ms,
        }

    def _shape(self, intent: Intent, kind: int) -> str:
        params = {**self._params(intent), "timestamp": 0}
        gaps = {name: _GAPS.get(name, value) for name, value in params.items()}
        shape = self._join(gaps) if is_plain(self._join(params), len(params)) else ""
        if len(self._shapes) < SHAPES_MAX:
            self._shapes[intent.symbol, kind] = shape
        return shape


def is_plain(payload: str, count: int) -> bool:
    """Whether these `count` parameters stand as they are in a URL and in JSON alike, so that neither encodes them."""
    return _PLAIN(payload) is not None and payload.count("=") == count == payload.count("&") + 1


def in_order(params: Mapping[str, Value]) -> str:
    """As a REST request has them: in the order given, not encoded."""
    return "&".join([f"{name}={text(value)}" for name, value in params.items()])


def sorted_by_name(params: Mapping[str, Value]) -> str:
    """As a WebSocket API request signs them, not encoded."""
    return "&".join([f"{name}={text(params[name])}" for name in sorted(params)])
