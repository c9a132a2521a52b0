"""A run of the order flow in the form of a recording: a snapshot and stream frames, line by line."""

from collections.abc import Iterator

from msgspec.structs import replace

from venue.base.settings import FlowSettings, MarketSettings, VenueSettings
from venue.base.units import SECOND_NS
from venue.base.wire import Request
from venue.exchange import Exchange
from venue.sources import profiles
from venue.sources.order_flow import OrderFlow
from venue.sources.profiles import Profile

START_NS = 1_700_000_000_000_000_000
WARM_UP_S = 20
"""The first seconds are left out while the book builds up."""
HEADERS: dict[str, str] = {}


def simulated_lines(
    market: MarketSettings, seconds: float, seed: int = 1, profile: Profile | None = None
) -> Iterator[bytes]:
    """Lines `<time in ns> <JSON>`, as `recording` reads them. `profile` is used instead of the market's own."""
    still = replace(market, flow=FlowSettings(limit_rate=0, market_rate=0))
    exchange = Exchange(VenueSettings(markets=[still], seed=seed), START_NS)
    symbol = next(iter(exchange.engine.symbols.values()))
    flow_profile = profiles.load(market.flow.profile) if profile is None else profile
    flow = OrderFlow(exchange.engine, symbol, market.flow, flow_profile, f"{seed}:{symbol.name}", START_NS)
    exchange.flows[:] = [flow]
    exchange.streams.start()
    now_ns = _run(exchange, START_NS, START_NS + WARM_UP_S * SECOND_NS)
    name = symbol.name.lower()
    exchange.open(1, "/stream", now_ns, f"streams={name}@depth@100ms/{name}@bookTicker/{name}@trade")
    request = Request("GET", "/api/v3/depth", f"symbol={symbol.name}&limit=5000", HEADERS, b"")
    answer = exchange.handle(request, now_ns)
    assert answer.status == 200, answer
    yield b"%d %b" % (now_ns, answer.body)
    end_ns = now_ns + int(seconds * SECOND_NS)
    while now_ns < end_ns:
        now_ns = max(now_ns, min(exchange.next_wake_ns, flow.due_ns))
        exchange.advance(now_ns)
        exchange.take_records()
        for _, frame in exchange.take_pushes():
            if isinstance(frame, bytes):
                yield b"%d %b" % (now_ns, frame)
            else:
                exchange.pong(1, now_ns)


def _run(exchange: Exchange, now_ns: int, end_ns: int) -> int:
    while now_ns < end_ns:
        now_ns = min(end_ns, max(now_ns, exchange.next_wake_ns))
        exchange.advance(now_ns)
        exchange.take_records()
        exchange.take_pushes()
    return end_ns
