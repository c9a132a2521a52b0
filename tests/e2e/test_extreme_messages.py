"""Messages of extreme values to a connector in a simulation: it keeps trading, and places no order for them."""

from decimal import Decimal
from random import Random
from types import SimpleNamespace

import msgspec
import pytest

from actors.log.secret import ApiKey, Secret
from actors.sim.driver import Sim
from connectors.binance import BinanceSpot
from connectors.orders.risk_gate import Limits
from protocol import Control, Snapshot, SnapshotRequest
from protocol.frame import body, pack, prefix, split
from protocol.message import REGISTRY
from venue.base import demo
from venue.base.settings import VenueSettings
from venue.sim_service import SimVenue

pytestmark = pytest.mark.process

SYMBOL = "BTC-USDT"
LIMITS = Limits(
    max_order_notional=Decimal(20_000), max_position=Decimal("1.5"), max_open_orders=100, max_orders_per_s=50,
    price_collar_bps=2_000, max_book_age_ms=10_000, duplicate_ms=0,
)  # fmt: skip
# Control is left out: it is an operator's command, and a connector follows it.
KINDS = [kind for kind in REGISTRY.types.values() if kind.__module__.startswith("protocol.") and kind is not Control]
NUMBERS = (0, 1, 2, -1, 5, 2**31, 2**32, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 6_000_000)
AMOUNTS = tuple(map(Decimal, ("0", "1", "NaN", "-1", "1E+400", "Infinity", "1E-30")))
TEXTS = ("", "x", "maker", "binance", SYMBOL, "ord.binance.maker.", "ord.binance.", "acct.binance.", "é", "a." * 200)


class Peer:
    """A process on the bus that keeps the answers that it receives."""

    subscriptions = {}

    def __init__(self):
        self.responses = []
        self.runtime = SimpleNamespace(answer_in=self._answer_in, frame_in=None, command_in=None)

    def deliver(self, runtime_input, *args):
        runtime_input(*args)

    def _answer_in(self, target, frame):
        self.responses.append(body(frame, split(frame)[-1]))


class World:
    """An exchange, a connector, and a peer that sends any message."""

    def __init__(self):
        self.sim = Sim(net_ns=5_000_000, trace=False)
        self.sim.serve("venue", SimVenue(VenueSettings(), self.sim.now_ns))
        settings = BinanceSpot.Settings(
            markets=[SYMBOL], limits={SYMBOL: LIMITS}, rest_url="local://venue", ws_url="local://venue",
            ws_api_url="local://venue",
        )  # fmt: skip
        keys = ApiKey(demo.MAKER_KEY, Secret(demo.MAKER_SECRET))
        self.connector = self.sim.add("binance", BinanceSpot, settings, keys=keys)
        self.process = self.sim.processes["binance"]
        self.peer = self.sim.processes["stranger"] = Peer()
        self.sim.run_for(3)
        assert self.connector.effects.state == "TRADING"

    def send(self, message):
        """Sends a message to the connector's command socket; returns the answers."""
        frame = pack(prefix("cmd.stranger.binance."), 1, 1, 0, message)
        self.peer.responses.clear()
        self.sim.deliver(self.process, self.process.runtime.command_in, "stranger", frame)
        self.sim.run_for(0.02)
        return list(self.peer.responses)

    def streams(self):
        """Returns the topics that the connector has snapshots of."""
        return sorted(one.topic for one in self.send(SnapshotRequest("")) if one.seq >= 0)


def built(random, of):
    """Returns a value of a type, with extreme values in its fields."""
    info = msgspec.inspect
    if isinstance(of, info.UnionType):
        return built(random, random.choice(of.types))
    if isinstance(of, info.NoneType):
        return None
    if isinstance(of, info.ListType):
        return [built(random, of.item_type) for _ in range(random.randrange(3))]
    if isinstance(of, info.TupleType):
        return tuple(built(random, one) for one in of.item_types)
    if isinstance(of, info.StructType):
        return of.cls(*(built(random, one.type) for one in of.fields))
    if isinstance(of, info.EnumType):
        return random.choice(list(of.cls))
    if isinstance(of, info.UnionType):
        return built(random, random.choice(of.types))
    choices = {
        info.NoneType: (None,),
        info.IntType: NUMBERS, info.StrType: TEXTS, info.BoolType: (True, False), info.FloatType: (0.0, 1e300),
        info.BytesType: (b"", b"\x01", b"\xff" * 16, bytes(32)), info.DecimalType: AMOUNTS,
    }  # fmt: skip
    return random.choice(choices[type(of)])


@pytest.mark.parametrize("seed", range(4))
def test_messages_of_extreme_values_neither_end_a_connector_nor_place_an_order(seed):
    world, random = World(), Random(seed)
    for _ in range(150):
        kind = random.choice(KINDS)
        try:
            message = built(random, msgspec.inspect.type_info(kind))
            msgspec.msgpack.encode(message)
        except (msgspec.ValidationError, OverflowError):
            continue
        world.send(message)
    world.sim.run_for(2)
    assert world.process.alive
    assert world.connector.effects.state == "TRADING"
    assert all(one.terms.price_ticks > 0 < one.terms.size_lots for one in world.connector.tracker.orders.values())
    assert "md.binance.BTC-USDT.book." in world.streams()


@pytest.mark.parametrize(
    "wanted", ["ord.binance.", "ord.binance.maker.extra.", "ord.other.maker.", "md.binance.NOPE.book.", "zzz.", "é"]
)
def test_a_snapshot_request_for_an_unknown_topic_creates_no_stream(wanted):
    world = World()
    before = world.streams()
    responses = world.send(SnapshotRequest(wanted, 2**64 - 1))
    assert responses[-1] == Snapshot(wanted, 1, -1)
    assert {one.topic for one in responses[:-1]} <= set(before)
    assert world.streams() == before
