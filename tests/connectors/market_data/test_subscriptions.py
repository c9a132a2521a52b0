"""Subscriptions: many markets on one connection; a market that the exchange refuses costs itself alone."""

import json

import pytest

from connectors.binance.market import BinanceMarket
from connectors.core.market_api import Subscribed
from connectors.market_data.settings import FeedSettings
from connectors.market_data.subscriptions import RETRY_MAX_MS, Subscriptions
from connectors.net.session import Session, SessionSettings
from tests.connectors.parts import FakeEffects

BAD = "BAD-USDT"
MARKETS = ["AAA-USDT", "BBB-USDT", BAD, "CCC-USDT"]


class World:
    """Subscriptions on an open session. The test plays the exchange, which refuses each frame that names BAD-USDT."""

    def __init__(self) -> None:
        self.fx = FakeEffects()
        self.done = []
        self.session = Session(self.fx, "ws://x", self, SessionSettings(), "seed")
        self.subscriptions = Subscriptions(
            self.fx, self.session, BinanceMarket("http://x", "ws://x"), FeedSettings(), self.done.extend
        )
        self.session.start()
        self.fx.open(self.fx.links[0])

    def session_up(self, session):
        self.subscriptions.begin(MARKETS)

    def session_down(self, session, reason):
        self.subscriptions.cancel()

    def session_frame(self, session, data): ...

    def session_silent(self, session, silence_ms): ...

    def answer(self, refuses=True) -> int:
        """Answer every frame that was sent; returns their number."""
        self.fx.perform()
        frames, self.fx.frames = self.fx.frames, []
        for frame in map(json.loads, frames):
            is_bad = any(one.startswith("badusdt@") for one in frame["params"])
            self.subscriptions.on_answer(Subscribed(frame["id"], "2 invalid" if is_bad and refuses else ""))
        return len(frames)


@pytest.fixture
def world():
    return World()


def test_a_refused_market_is_found_by_halves_and_the_others_are_subscribed(world):
    for _ in range(6):
        world.answer()
        world.fx.run(1.5)
    assert sorted(world.done) == ["AAA-USDT", "BBB-USDT", "CCC-USDT"]
    assert world.session.recycles == 0


def test_a_market_that_is_refused_alone_is_tried_again_at_growing_intervals(world):
    for _ in range(10):
        world.answer()
        world.fx.run(1.5)
    sent = 0
    for _ in range(600):
        world.fx.run(1)
        sent += world.answer()
    assert 600 / (RETRY_MAX_MS / 1000) - 1 <= sent <= 600 / (RETRY_MAX_MS / 1000) + 7
    for _ in range(RETRY_MAX_MS // 1000 + 1):
        world.fx.run(1)
        world.answer(refuses=False)
    assert BAD in world.done
    assert world.session.recycles == 0


def test_a_connection_that_does_not_answer_is_dropped(world):
    world.fx.perform()
    world.fx.run(FeedSettings().subscribe_ms / 1000 + 1)
    assert world.session.recycles == 1


def test_a_market_that_is_added_later_is_subscribed_once(world):
    world.answer(refuses=False)
    world.subscriptions.add([*MARKETS, "NEW-USDT"])
    world.fx.run(1)
    assert world.answer() == 1
    assert world.done == [*MARKETS, "NEW-USDT"]


def test_an_answer_to_no_request_and_a_second_answer_confirm_nothing(world):
    world.subscriptions.on_answer(Subscribed(99))
    assert world.done == []
    world.answer(refuses=False)
    world.subscriptions.on_answer(Subscribed(1))
    assert world.done == MARKETS


def test_answers_and_retries_of_an_earlier_connection_change_nothing(world):
    world.answer()  # refused: to be tried again by halves
    world.fx.close(world.fx.links[0])
    assert world.subscriptions.is_done
    world.subscriptions.on_answer(Subscribed(1))
    world.fx.run(0.02)
    assert (world.done, world.fx.frames) == ([], [])
