"""Publish the imbalance of the best prices of a market on every tick.

A bot with this actor:    tickbus run examples/imbalance.toml
What it publishes:        tickbus tap md.watch. --run examples/imbalance.toml
A simulation:             python examples/imbalance.py
Explained in docs/actor.md.
"""

from actors.actor import Actor
from protocol import Message, Tick, TopOfBook, topics


class Imbalance(Message):
    """The bid's share of the sizes at the best prices, in thousandths."""

    symbol: str
    bid_share: int


class ImbalanceWatch(Actor):
    """Subscribes to best prices, publishes Imbalance."""

    class Settings(Actor.Settings):
        symbol: str
        connector: str = "binance"

    top: TopOfBook | None = None
    latest: Imbalance | None = None

    def on_start(self) -> None:
        self.topic = topics.market_data(self.name, self.settings.symbol, "imbalance")
        self.subscribe(topics.market_data(self.settings.connector, self.settings.symbol, "top"))

    def on_top_of_book(self, top: TopOfBook) -> None:
        self.top = top

    def on_stale(self, topic: str) -> None:
        self.top = None
        self.health("WAITING", f"{topic} is stale")

    def on_tick(self, tick: Tick) -> None:
        if self.top is None or not self.top.bid_lots + self.top.ask_lots:
            return
        self.health("WATCHING")
        share = 1000 * self.top.bid_lots // (self.top.bid_lots + self.top.ask_lots)
        self.latest = Imbalance(self.settings.symbol, share)
        self.publish(self.topic, self.latest)

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        return self.latest if topic == self.topic else None


def main() -> None:
    """Ten seconds of the actor beside a connector and the local exchange, in virtual time."""
    from actors.sim.driver import Sim
    from clockd.clock import Clock
    from connectors.binance import BinanceSpot
    from venue.base.settings import VenueSettings
    from venue.sim_service import SimVenue

    sim = Sim()
    sim.serve("venue", SimVenue(VenueSettings(seed=3), sim.now_ns))
    sim.add("clockd", Clock, Clock.Settings(order=[["binance"], ["watch"]]))
    url = "local://venue"
    connector = BinanceSpot.Settings(markets=["BTC-USDT"], limits={}, rest_url=url, ws_url=url, ws_api_url=url)
    sim.add("binance", BinanceSpot, connector)
    watch = sim.add("watch", ImbalanceWatch, ImbalanceWatch.Settings(symbol="BTC-USDT"), follows=["binance"])
    sim.run_for(10)
    assert isinstance(watch, ImbalanceWatch)
    print(watch.effects.state, watch.latest)


if __name__ == "__main__":
    main()
