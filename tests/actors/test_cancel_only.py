"""CancelOnly: in the place of a strategy that crashes, it cancels at each actor that it follows, and ends."""

from actors.actor import Actor
from actors.cancel_only import CancelOnly
from actors.sim.driver import Sim
from protocol import CancelAll


class Broker(Actor):
    """Keeps who has cancelled."""

    ticks = False

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.cancelled: list[str] = []

    def on_cancel_all(self, command: CancelAll) -> None:
        self.cancelled.append(self.envelope.sender)


def test_it_cancels_under_the_strategys_name_again_and_again_and_ends_when_the_delay_is_over():
    sim = Sim(trace=False)
    brokers = [sim.add(name, Broker) for name in ("binance", "other")]
    settings = CancelOnly.Settings(seconds=4, reason="5 crashes in 60 s, last: ValueError: x")
    actor = sim.add("maker", CancelOnly, settings, follows=["binance", "other"])
    sim.run_for(0.5)
    assert [broker.cancelled for broker in brokers] == [["maker"], ["maker"]]
    assert actor.effects.state == "SAFE"
    assert "5 crashes in 60 s, last: ValueError: x" in actor.effects.detail
    sim.run_for(3)
    assert [len(broker.cancelled) for broker in brokers] == [4, 4]
    sim.run_for(1)
    assert "maker" not in sim.processes


def test_an_actor_that_it_follows_and_that_starts_later_is_sent_the_cancel_too():
    sim = Sim(trace=False)
    sim.add("maker", CancelOnly, CancelOnly.Settings(seconds=10, reason="crashes"), follows=["binance"])
    sim.run_for(2.5)
    broker = sim.add("binance", Broker)
    sim.run_for(2)
    assert broker.cancelled
