"""A publisher and its one subscriber, as actors, for the publish row."""

import time
from typing import Any

from actors import Actor
from actors.live.transport_choice import IMPLEMENTATION
from market.levels import pack_levels
from protocol import BookDelta, encode, topics
from protocol.message import Command

TOPIC = topics.market_data("bench", "BTC-USDT", "book")
LEVELS_A_SIDE = (5, 4)
BURST = 100  # messages that one handler publishes before the loop continues
NEXT_BURST_NS = 1
SECOND_NS = 1_000_000_000
PAUSE_NS = 300_000_000


class SendMany(Command):
    """Command: publish `count` messages."""

    count: int


def message() -> BookDelta:
    """Returns a message of about 200 bytes: a book delta of nine levels."""
    bids, asks = (
        pack_levels((6_170_000 + side + at, 123_456 + at) for at in range(count))
        for side, count in enumerate(LEVELS_A_SIDE)
    )
    return BookDelta("BTC-USDT", 50_093_239_189, 50_093_239_202, bids, asks, 10**18, 10**18)


class Publisher(Actor):
    """Publishes the requested number of messages, in bursts."""

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
    """Requests `warm`, then `count` messages, and measures the time until the last of `count` is handled."""

    ticks = False
    result: dict[str, Any] | None = None

    class Settings(Actor.Settings):
        """Numbers of messages."""

        count: int
        warm: int = 1000

    def on_start(self) -> None:
        self._received = 0
        self._began_ns = 0
        self._requested = False
        self.subscribe(TOPIC)

    def on_peer(self, _name: str, up: bool) -> None:
        # The first heartbeat synchronizes the streams once more: begin after that.
        if up and not self._requested:
            self._requested = True
            self.after(PAUSE_NS, self._request, self.settings.warm)

    def _request(self, count: int) -> None:
        command = SendMany(self.new_id(), self.now_ns + 10 * SECOND_NS, count)
        self.send("bench", command)

    def on_stale(self, topic: str) -> None:
        self.log.error("messages were lost", topic=topic, received=self._received)
        self.stop("messages were lost", 1)

    def on_book_delta(self, _delta: BookDelta) -> None:
        self._received += 1
        if self._received == self.settings.warm:
            self.after(PAUSE_NS, self._request, self.settings.count)
        elif self._received == self.settings.warm + 1:
            self._began_ns = self.envelope.ts_ns  # when the publisher's handler was called
        elif self._received == self.settings.warm + self.settings.count:
            end_ns = time.monotonic_ns() + self.effects.anchor_ns
            self.result = {
                "messages_per_s": self.settings.count / (end_ns - self._began_ns) * 1e9,
                "detail": {"transport": IMPLEMENTATION, "body_bytes": len(encode(message()))},
            }
            self.stop("received all")
