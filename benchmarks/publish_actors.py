"""A publisher and its one subscriber, as real actors, for the publish row."""

import time
from typing import Any

from actors import Actor
from actors.live.transport import IMPLEMENTATION
from market.levels import pack_levels
from protocol import BookDelta, encode, topics
from protocol.message import Command

TOPIC = topics.market_data("bench", "BTC-USDT", "book")
LEVELS_A_SIDE = (5, 4)
BURST = 100  # messages that one handler publishes; then the loop has its turn
NEXT_BURST_NS = 1
SECOND_NS = 1_000_000_000
PAUSE_NS = 300_000_000


class SendMany(Command):
    """Publish so many messages."""

    count: int


def message() -> BookDelta:
    """A typed message that encodes to about 200 bytes: a book delta of nine levels."""
    bids, asks = (
        pack_levels((6_170_000 + side + at, 123_456 + at) for at in range(count))
        for side, count in enumerate(LEVELS_A_SIDE)
    )
    return BookDelta("BTC-USDT", 50_093_239_189, 50_093_239_202, bids, asks, 10**18, 10**18)


class Publisher(Actor):
    """Publishes as many as it is asked to, in bursts."""

    ticks = False

    def on_start(self) -> None:
        self._message = message()
        self._left = 0

    def on_send_many(self, command: SendMany) -> None:
        self._left = command.count
        self._burst()

    def _burst(self) -> None:
        for _ in range(min(BURST, self._left)):
            self.publish(TOPIC, self._message)
        self._left -= min(BURST, self._left)
        if self._left:
            self.after(NEXT_BURST_NS, self._burst)


class Subscriber(Actor):
    """Asks for `warm`, then for `count` messages, and takes the time of the latter until the last is handled."""

    ticks = False
    result: dict[str, Any] | None = None

    class Settings(Actor.Settings):
        """How many."""

        count: int
        warm: int = 1000

    def on_start(self) -> None:
        self._got = 0
        self._began_ns = 0
        self._asked = False
        self.subscribe(TOPIC)

    def on_peer(self, _name: str, up: bool) -> None:
        # The first heartbeat has the streams synchronized once more: begin after that.
        if up and not self._asked:
            self._asked = True
            self.after(PAUSE_NS, self._ask, self.settings.warm)

    def _ask(self, count: int) -> None:
        command = SendMany(self.new_id(), self.now_ns + 10 * SECOND_NS, count)
        self.send("bench", command)

    def on_stale(self, topic: str) -> None:
        self.log.error("messages were lost", topic=topic, got=self._got)
        self.stop("messages were lost", 1)

    def on_book_delta(self, _delta: BookDelta) -> None:
        self._got += 1
        if self._got == self.settings.warm:
            self.after(PAUSE_NS, self._ask, self.settings.count)
        elif self._got == self.settings.warm + 1:
            self._began_ns = self.envelope.ts_ns  # when the publisher's handler was called
        elif self._got == self.settings.warm + self.settings.count:
            end_ns = time.monotonic_ns() + self.runtime.anchor_ns
            self.result = {
                "messages_per_s": self.settings.count / (end_ns - self._began_ns) * 1e9,
                "detail": {"wires": IMPLEMENTATION, "body_bytes": len(encode(message()))},
            }
            self.stop("has them all")
