"""Counts the functions of the product that one event enters, over a whole bot in the sim driver. Prints JSON.

    TICKBUS_PLAIN=1 python tests/connectors/call_counter.py

The count, not the time of each function, decides how long an event takes (docs/decisions/order-path.md). Run it with
the Python implementations: compiled functions are not seen. The sim driver, the exchange, and functions that
run once for each price level are not counted.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from actors.log.secret import ApiKey, Secret  # noqa: E402
from actors.sim.driver import Sim  # noqa: E402
from actors.sim.process import SimProcess  # noqa: E402
from connectors.binance import BinanceSpot  # noqa: E402
from connectors.orders.risk_gate import Limits  # noqa: E402
from protocol import BookDelta, Settings  # noqa: E402
from strategies import Strategy  # noqa: E402
from venue.base import demo  # noqa: E402
from venue.base.settings import VenueSettings  # noqa: E402
from venue.sim_service import SimVenue  # noqa: E402

PACKAGES = tuple(str(ROOT / name) + "/" for name in ("protocol", "market", "actors", "connectors", "strategies"))
PER_LEVEL = {"_end", "_steps", "PlainBook._set"}  # run once for each price level of a frame, however many it has
LEFT_OUT = str(ROOT / "actors" / "sim") + "/"
MARKET = "binance:BTC-USDT"
LIMITS = Limits(
    max_order_notional=Decimal(20_000), max_position=Decimal(5), max_open_orders=100, max_orders_per_s=1_000,
    price_collar_bps=2_000, max_book_age_ms=10_000, duplicate_ms=0,
)  # fmt: skip


class Buyer(Strategy):
    """Follows the book; places one order at each second delta that it sees after `begin_ns`."""

    ticks = False

    class Settings(Settings):
        """Of the strategy."""

        market: str

    def __init__(self, *args):
        super().__init__(*args)
        self.deltas = self.orders_left = 0

    def on_book_delta(self, delta: BookDelta) -> None:
        self.deltas += 1
        market = self.market(self.settings.market)
        if self.orders_left and self.deltas % 5 == 0 and market.ready:
            self.orders_left -= 1
            self.buy(market, price_ticks=market.best_bid_ticks - 20_000 - self.orders_left, size_lots=1_000)


class Counts:
    """Wraps SimProcess.deliver: notes how many functions each event enters, by kind of event."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self.trails: dict[str, list[str]] = {}
        self._deliver = SimProcess.deliver

    def deliver(self, process: SimProcess, runtime_input: Callable[..., None], *args: Any) -> None:
        """Deliver, and count if the event is of a known kind."""
        kind = kind_of(process.name, runtime_input.__name__, args)
        if not kind:
            self._deliver(process, runtime_input, *args)
            return
        trail: list[str] = []

        def seen(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                name, function = frame.f_code.co_filename, frame.f_code.co_qualname
                if name.startswith(PACKAGES) and not name.startswith(LEFT_OUT) and function not in PER_LEVEL:
                    trail.append(f"{Path(name).stem}:{function}")

        sys.setprofile(seen)
        try:
            self._deliver(process, runtime_input, *args)
        finally:
            sys.setprofile(None)
        self.counts.setdefault(kind, []).append(len(trail))
        self.trails[kind] = trail


def kind_of(name: str, method: str, args: tuple[Any, ...]) -> str:
    """The kind of an event; "" if it is not counted."""
    data = args[-1] if args else None
    if not isinstance(data, bytes):
        return ""
    if name == "binance" and method == "call" and data.startswith(b'{"e":"depthUpdate"'):
        return "connector: depth frame"
    if name == "binance" and method == "command_in" and b"PlaceOrder" in data:
        return "connector: PlaceOrder"
    if name == "binance" and method == "call" and b'"executionReport"' in data:
        return "connector: executionReport"
    if name == "binance" and method == "call" and data.startswith(b'{"id":') and b'"clientOrderId"' in data:
        return "connector: answer to the placement"
    if name == "buyer" and method == "frame_in" and b".book." in data[:80] and b"BookDelta" in data[:150]:
        return "strategy: depth frame"
    return ""


def counted() -> Counts:
    """A bot that has followed a market for some seconds, and has placed a few orders by websocket."""
    counts = Counts()
    SimProcess.deliver = lambda *args: counts.deliver(*args)  # type: ignore[method-assign]  # noqa: PLW0108
    sim = Sim()
    sim.serve("venue", SimVenue(VenueSettings(seed=1), sim.now_ns))
    settings = BinanceSpot.Settings(
        markets=["BTC-USDT"], limits={"BTC-USDT": LIMITS}, rest_url="local://venue", ws_url="local://venue",
        ws_api_url="local://venue", orders_by="websocket",
    )  # fmt: skip
    keys = ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET))
    sim.add("binance", BinanceSpot, settings, keys=keys)
    buyer = sim.add("buyer", Buyer, Buyer.Settings(market=MARKET), follows=["binance"])
    sim.run_for(5)
    buyer.orders_left = 5
    sim.run_for(10)
    assert buyer.orders_left == 0
    return counts


if __name__ == "__main__":
    found = counted()
    if len(sys.argv) > 1:
        print("\n".join(found.trails[sys.argv[1]]))
    else:
        rows = {
            kind: {
                "first": rows[0],
                "least": min(rows),
                "usual": Counter(rows).most_common(1)[0][0],
                "events": len(rows),
            }
            for kind, rows in found.counts.items()
        }
        print(json.dumps(rows, indent=1))
