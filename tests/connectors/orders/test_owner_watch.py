"""OwnerWatch: silence is counted as far as it was observed, and ends with the next heartbeat."""

import msgspec
import pytest

from connectors.core.records import CancelRecord
from connectors.orders.owner_watch import STEP_MAX_NS, OwnerWatch
from protocol import OrdStatus
from tests.connectors.parts import SECOND_NS, Parts, new_order, report


class Surroundings(Parts):
    """A watch over one order of "maker", which the exchange has reported."""

    def __init__(self, silent_s: int = 30) -> None:
        self.placed = new_order()
        super().__init__([self.placed])
        self.reports.order(report(self.placed), "placement")
        self.watch = OwnerWatch(self.fx, self.tracker, self.journal, silent_s)

    def pass_time(self, seconds: int, beats: bool = False) -> None:
        """One check a second; `beats`: the owner sends a heartbeat before each."""
        for _ in range(seconds):
            if beats:
                self.fx.heartbeat_counts["maker"] = self.fx.heartbeat_counts.get("maker", 0) + 1
            self.watch.check(SECOND_NS)

    @property
    def cancels(self) -> list[str]:
        return [one.by for one in self.fx.records if isinstance(one, CancelRecord)]


@pytest.fixture
def world():
    return Surroundings()


def test_an_owner_that_sends_heartbeats_is_never_silent(world):
    world.pass_time(300, beats=True)
    assert world.cancels == []
    assert world.watch.detail == ""


def test_the_orders_of_an_owner_are_cancelled_once_it_was_silent_for_the_setting(world):
    world.pass_time(5, beats=True)
    world.pass_time(29)
    assert world.cancels == []
    world.pass_time(10)
    assert world.cancels == ["owner is silent"]
    assert world.watch.detail == "maker is silent: its orders are cancelled"


def test_an_owner_that_was_never_received_since_the_start_counts_too(world):
    world.pass_time(30)
    assert world.cancels == ["owner is silent"]


def test_an_owner_is_named_until_its_next_heartbeat_also_when_no_order_is_open(world):
    world.pass_time(30)
    world.reports.order(report(world.placed, OrdStatus.CANCELED), "cancel")
    world.pass_time(100)
    assert world.watch.silent == {"maker": 30}
    world.pass_time(1, beats=True)
    assert world.watch.detail == ""
    world.pass_time(100)
    assert world.watch.detail == "", "an owner without open orders may be silent"


def test_a_connector_that_was_stopped_itself_counts_at_most_one_step_of_silence(world):
    for _ in range(29):
        world.watch.check(3600 * SECOND_NS)
    assert world.cancels == []
    assert STEP_MAX_NS == SECOND_NS
    world.watch.check(-SECOND_NS)
    assert world.cancels == []


def test_an_order_that_appears_while_its_owner_is_silent_is_cancelled(world):
    world.pass_time(30)
    world.reports.order(report(world.placed, OrdStatus.CANCELED), "cancel")
    found = msgspec.structs.replace(new_order(2), adopted=True, ts_ns=100 * SECOND_NS)
    world.journal.commit([found])
    world.pass_time(1)
    assert world.cancels == ["owner is silent"] * 2


def test_a_new_order_shows_that_its_owner_is_there_before_its_first_heartbeat(world):
    world.pass_time(30)
    world.reports.order(report(world.placed, OrdStatus.CANCELED), "cancel")
    world.journal.commit([msgspec.structs.replace(new_order(2), ts_ns=100 * SECOND_NS)])
    world.pass_time(29)
    assert world.cancels == ["owner is silent"]
    assert world.watch.detail == ""
    world.pass_time(2)
    assert world.cancels == ["owner is silent"] * 2


def test_zero_switches_it_off():
    world = Surroundings(0)
    world.pass_time(1000)
    assert world.cancels == []
