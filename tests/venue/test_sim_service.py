"""The exchange in a simulation: clients that disconnect or die, and its own recovery after a kill."""

import pytest

from actors import Actor
from actors.sim.driver import Sim
from protocol import Settings
from venue.base.settings import VenueSettings
from venue.sim_service import SimVenue


class Caller(Actor):
    """Opens a websocket as it starts, and notes what becomes of it."""

    ticks = False

    class Settings(Settings):
        pass

    def on_start(self) -> None:
        self.noted: list[str] = []
        self.link = self.connect("local://venue/ws/btcusdt@trade", self)

    def ws_opened(self, link):
        self.noted.append("opened")

    def ws_frame(self, link, data):
        self.noted.append("frame")

    def ws_closed(self, link, reason):
        self.noted.append(reason)


class House:
    """An exchange and a caller, a millisecond apart."""

    def __init__(self):
        self.sim = Sim(net_ns=1_000_000, trace=False)
        self.venue = SimVenue(VenueSettings(), self.sim.now_ns)
        self.sim.serve("venue", self.venue)
        self.caller = self.sim.add("caller", Caller)

    @property
    def websockets(self):
        return len(self.venue.exchange.connections.by_id)


@pytest.mark.parametrize("after_ms", [0.5, 1.5, 5])
def test_who_is_killed_leaves_no_websocket_behind_not_even_one_on_its_way(after_ms):
    house = House()
    house.sim.run_for(after_ms / 1000)
    assert house.websockets == (after_ms > 1)
    house.sim.kill("caller")
    house.sim.run_for(0.1)
    assert house.websockets == 0


def test_a_client_that_closes_before_the_answer_is_informed_of_the_close_and_nothing_else():
    house = House()
    house.sim.run_for(0.0005)
    house.caller.link.close()
    house.sim.processes["caller"].settle()
    house.sim.run_for(3)
    assert house.caller.noted == ["closed by us"]
    assert house.websockets == 0


def test_a_killed_exchange_has_logged_all_that_it_had_done():
    house = House()
    seen = []

    def is_behind() -> bool:
        seen.append(len(house.venue.log))
        return bool(house.venue.exchange.records.pending)

    house.sim.run_for(3, stop=is_behind)
    assert house.sim.now_ns == house.sim.start_ns + 3_000_000_000  # never behind, after no event
    assert seen[-1] > seen[0]
    house.sim.services["venue"].down()
    assert house.venue.exchange.take_records() == []
    later = house.venue.restart(house.sim.now_ns)
    house.sim.services["venue"].back(later)
    house.sim.run_for(1)
    before, after = house.venue.exchange.accounts.by_name, later.exchange.accounts.by_name
    assert {name: one.balances for name, one in after.items()} == {name: one.balances for name, one in before.items()}
    assert house.caller.noted[-1] == "connection lost"
