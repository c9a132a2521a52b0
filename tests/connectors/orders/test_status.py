"""ConnectorStatus: the state and its reason, most severe first, and whether an order may be placed."""

from types import SimpleNamespace

import pytest

from connectors.net.server_clock import SAMPLES
from connectors.orders.key_watch import KeyWatch
from connectors.orders.owner_watch import OwnerWatch
from connectors.orders.reconciler import ACCOUNT
from connectors.orders.refusal_limit import RefusalLimit
from connectors.orders.status import ConnectorStatus
from tests.connectors.parts import RULES, SECOND_NS, SYMBOL, Parts, new_order


class Surroundings(Parts):
    """A status over plain objects in the place of feed, stream and reconciler: everything is well."""

    def __init__(self) -> None:
        super().__init__([new_order()])
        self.book_troubles = {}
        self.feed = SimpleNamespace(
            state="LIVE", detail="books are missing", instruments=SimpleNamespace(troubles={}),
            troubles=lambda: self.book_troubles,
        )  # fmt: skip
        self.stream = SimpleNamespace(is_reliable=True, is_live=True)
        self.reconciler = SimpleNamespace(passes=1, read_ns={SYMBOL: 0, ACCOUNT: 0}, troubles={})
        self.markets = SimpleNamespace(instruments={SYMBOL: RULES}, unlisted=[])
        self.level = 0
        self.owners = OwnerWatch(self.fx, self.tracker, self.journal, 30)
        for _ in range(SAMPLES):
            self.clock.add(0, 0, 0)
        self.status = ConnectorStatus(
            self.fx, self.halts, self.tracker, self.markets, self.feed, self.client, self.stream, self.reconciler,
            self.owners, self.reports.unreadable, KeyWatch(self.fx, self.halts),
            RefusalLimit(self.fx, 10), lambda: self.level, 10 * SECOND_NS,
        )  # fmt: skip

    def lose_market(self):
        """The exchange has none of the connector's markets."""
        self.feed.state = "UNKNOWN MARKET"
        self.feed.instruments.troubles[SYMBOL] = "no such market"


@pytest.fixture
def world():
    return Surroundings()


def test_when_everything_is_well_it_trades(world):
    assert world.status.state() == ("TRADING", "")
    assert world.status.why_not(SYMBOL) == ""


def test_the_most_severe_state_comes_first(world):
    world.stream.is_reliable = world.stream.is_live = False
    assert world.status.state() == ("DEGRADED", "user stream down: polling")
    world.halts.pause("lunch")
    assert world.status.state() == ("HALTED", "lunch")
    world.reconciler.passes = 0
    world.client.latest_failure = "HTTP 503"
    assert world.status.state() == ("RECONCILING", "HTTP 503")
    world.clock.reset()
    assert world.status.state() == ("CONNECTING", "HTTP 503")
    world.level = 1
    assert world.status.state() == ("HALTED", "kill switch at level 1")
    world.halts.halt("wrong account")
    assert world.status.state() == ("HALTED", "wrong account")
    world.halts.stopping = True
    assert world.status.state() == ("STOPPING", "1 orders may be live")


def test_a_silent_owner_is_named_in_every_state(world):
    for _ in range(30):
        world.owners.check(SECOND_NS)
    assert world.status.state() == ("TRADING", "maker is silent: its orders are cancelled")
    world.halts.pause("lunch")
    assert world.status.state() == ("HALTED", "lunch; maker is silent: its orders are cancelled")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("halted", "HALTED"), ("paused", "lunch"), ("journal", "no space"), ("symbol", "overfill"),
        ("kill switch", "kill switch"), ("pause", "paused all requests"),
        ("unknown market", "HALTED"), ("halted market", "has halted it"), ("unread market", "RECONCILING"),
        ("not reconciled", "RECONCILING"), ("stopping", "STOPPING"),
    ],
)  # fmt: skip
def test_each_trouble_stops_new_orders_with_its_reason(world, name, reason):
    {
        "halted": lambda: world.halts.halt("wrong account"),
        "paused": lambda: world.halts.pause("lunch"),
        "journal": lambda: world.halts.journal_failed("no space"),
        "symbol": lambda: world.halts.halt_symbol(SYMBOL, "overfill"),
        "kill switch": lambda: setattr(world, "level", 2),
        "pause": lambda: world.client.throttle.pause(10**18),
        "unknown market": world.lose_market,
        "halted market": lambda: world.feed.instruments.troubles.update({SYMBOL: "the exchange has halted it"}),
        "unread market": lambda: world.reconciler.read_ns.update(OTHER=world.reconciler.read_ns.pop(SYMBOL)),
        "not reconciled": lambda: setattr(world.reconciler, "passes", 0),
        "stopping": lambda: setattr(world.halts, "stopping", True),
    }[name]()
    assert reason in world.status.why_not(SYMBOL)


def test_while_polling_stands_in_orders_are_placed_until_the_account_is_too_old(world):
    world.stream.is_reliable = False
    assert world.status.why_not(SYMBOL) == ""
    world.fx.now_ns = 10 * SECOND_NS
    assert world.status.why_not(SYMBOL) == ""
    world.fx.now_ns += 1
    assert "last read 10000 ms ago" in world.status.why_not(SYMBOL)


def test_another_market_is_not_stopped_by_one_that_is_halted(world):
    world.halts.halt_symbol("ETH-USDT", "overfill")
    assert world.status.why_not(SYMBOL) == ""
    assert "does not serve" in world.status.why_not("ETH-USDT")
    assert world.status.state() == ("TRADING", "ETH-USDT: overfill")


def test_trading_without_a_detail_means_that_all_is_well(world):
    world.markets.unlisted.append(SYMBOL)
    assert world.status.state() == ("TRADING", f"{SYMBOL}: 1 orders may be live, and it is not in `markets`")
    world.markets.unlisted.clear()
    world.reconciler.troubles["account"] = "cannot be reconciled: HTTP 503"
    world.book_troubles["ETH-USDT"] = "the exchange has no such market: correct `markets`"
    state, detail = world.status.state()
    assert state == "TRADING"
    assert detail.split("; ") == [
        "account: cannot be reconciled: HTTP 503",
        "ETH-USDT: the exchange has no such market: correct `markets`",
    ]
    world.book_troubles.update({f"A{n}-B": "stream down" for n in range(10)})
    assert world.status.state()[1].endswith("A2-B: stream down; and 7 more")
