"""An exchange in memory, and a simulation of the connector of toy_connector.py with it.

Run it: python examples/toy_exchange.py
Explained in docs/connector.md.
"""

import json

from toy_connector import Toy

from actors.net import HttpAnswer, HttpRequest
from actors.sim.driver import Sim


class ToyExchange:
    """One market, whose bid moves up by one tick each second. An actors.sim.service.Service."""

    def __init__(self) -> None:
        self.next_wake_ns = 0  # the driver calls `advance` at this time
        self.last = 10  # the latest update id
        self.lose = 0  # this many deltas are not sent
        self.conns: set[int] = set()
        self.pushes: list[tuple[int, bytes | None]] = []

    def http(self, request: HttpRequest, path: str, now_ns: int) -> tuple[HttpAnswer, int]:
        if path.startswith("/rules"):
            return _ok([{"name": "BTC-USDT", "tick": "0.5", "lot": "0.001"}]), 0
        return _ok({"last": self.last, "bids": [[self.price(), "2"]], "asks": [["200.0", "3"]]}), 0

    def price(self) -> str:
        return f"{100 + self.last / 2}"

    def open(self, conn_id: int, path: str, now_ns: int) -> bool:
        self.conns.add(conn_id)
        return path == "/stream"

    def receive(self, conn_id: int, data: bytes, now_ns: int) -> None:
        self.pushes.append((conn_id, json.dumps({"ok": json.loads(data)["number"]}).encode()))

    def close(self, conn_id: int, now_ns: int) -> None:
        self.conns.discard(conn_id)

    def advance(self, now_ns: int) -> None:
        self.next_wake_ns = now_ns + 1_000_000_000
        gone, self.last = self.price(), self.last + 1
        delta = {"book": "BTC-USDT", "first": self.last, "last": self.last, "bids": [[gone, "0"], [self.price(), "2"]]}
        if self.lose:
            self.lose -= 1
            return
        self.pushes += [(conn_id, json.dumps(delta).encode()) for conn_id in self.conns]

    def take_pushes(self) -> list[tuple[int, bytes | None]]:
        pushes, self.pushes = self.pushes, []
        return pushes


def _ok(body: object) -> HttpAnswer:
    return HttpAnswer(200, {}, json.dumps(body).encode())


def main() -> None:
    sim, exchange = Sim(), ToyExchange()
    sim.serve("toy", exchange)
    settings = Toy.Settings(markets=["BTC-USDT"], limits={}, rest_url="local://toy", ws_url="local://toy")
    toy = sim.add("toy", Toy, settings)
    assert isinstance(toy, Toy)
    sim.run_for(10.5)
    sync = toy.feed.markets["BTC-USDT"].sync
    print(f"after 10 s: {toy.effects.state}, book {sync.state.name}, best bid {sync.book.best_bid_ticks} ticks")

    exchange.lose = 1
    sim.run_for(10)
    print(f"one delta was lost: {sync.gaps} gap found, book {sync.state.name}, best bid {sync.book.best_bid_ticks}")


if __name__ == "__main__":
    main()
