"""RulesSource: rules are requested until they arrive; a market that is not in order costs itself alone."""

import json
import re

import pytest

from connectors.binance.market import BinanceMarket
from connectors.market_data.rules_source import HALTED_NS, MAX_RETRY_NS, RETRY_NS, RulesSource
from tests.connectors.parts import SECOND_NS, FakeEffects

REFRESH_MS = 3_600_000
MARKETS = ["A-USDT", "B-USDT", "C-USDT", "D-USDT"]
UNKNOWN = b'{"code":-1121,"msg":"Invalid symbol."}'


class World:
    """A source, and Binance's answers. `requested` are the markets of each request without an answer."""

    def __init__(self) -> None:
        self.fx = FakeEffects()
        self.rules, self.bad, self.unknown, self.invalid = [], [], [], []
        self.source = RulesSource(
            self.fx, BinanceMarket("http://x", "ws://x"), REFRESH_MS,
            lambda call, then: self.fx.http(call.request, then), self,
        )  # fmt: skip

    def on_rules(self, rules):
        self.rules.append((rules.symbol, rules.trading))

    def on_bad_rules(self, bad):
        self.bad.append(bad.symbol)

    def on_unknown(self, symbol):
        self.unknown.append(symbol)

    def on_limits(self, limits):
        self.limits = limits

    def on_invalid_answer(self, reason):
        self.invalid.append(reason)

    @property
    def requested(self) -> list[list[str]]:
        self.fx.perform()
        return [re.findall(r"([A-Z])USDT", request.url) for request, _ in self.fx.requests]

    def answer(self, markets: str, status: str = "TRADING") -> None:
        """Answer the oldest request with the rules of these markets."""
        self.fx.answer(json.dumps({"symbols": [row(name, status) for name in markets]}).encode())


def row(name, status):
    return {
        "symbol": f"{name}USDT", "status": status, "baseAsset": name, "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "100000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.1", "maxQty": "9000", "stepSize": "0.1"},
        ],
    }  # fmt: skip


@pytest.fixture
def world():
    return World()


def test_the_rules_of_each_market_are_reported(world):
    world.source.request(MARKETS)
    assert world.requested == [["A", "B", "C", "D"]]
    world.answer("ABCD")
    assert world.rules == [(symbol, True) for symbol in MARKETS]
    assert (world.source.trouble, world.unknown, world.requested) == ("", [], [])


def test_without_an_answer_the_request_is_repeated_after_a_delay_that_doubles_up_to_a_bound(world):
    world.source.request(["A-USDT"])
    delay_ns = RETRY_NS
    for _ in range(8):
        world.fx.fail(sent=True)
        world.fx.run(delay_ns / SECOND_NS - 0.001)
        assert world.requested == []
        world.fx.run(0.001)
        assert world.requested == [["A"]]
        delay_ns = min(2 * delay_ns, MAX_RETRY_NS)
    assert delay_ns == MAX_RETRY_NS
    assert world.source.trouble == "connection lost"
    world.answer("A")
    assert (world.source.trouble, world.rules) == ("", [("A-USDT", True)])


@pytest.mark.parametrize(
    ("status", "body", "trouble", "is_invalid"),
    [(503, b"", "HTTP 503 to a request for rules", False), (200, b"[", "exchangeInfo", True)],
)
def test_the_reason_why_rules_are_missing_is_kept(world, status, body, trouble, is_invalid):
    world.source.request(["A-USDT"])
    world.fx.answer(body, status)
    assert trouble in world.source.trouble
    assert bool(world.invalid) is is_invalid
    world.fx.run(RETRY_NS / SECOND_NS)
    assert world.requested == [["A"]]


def test_a_market_that_the_exchange_lacks_is_found_by_halves(world):
    world.source.request(MARKETS)
    while world.requested:
        names = world.requested[0]
        if "C" in names:
            world.fx.answer(UNKNOWN, 400)
        else:
            world.answer("".join(names))
    assert world.unknown == ["C-USDT"]
    assert sorted(symbol for symbol, _ in world.rules) == ["A-USDT", "B-USDT", "D-USDT"]


def test_the_rules_of_a_halted_market_are_read_again_soon_until_it_trades(world):
    world.source.request(["A-USDT", "B-USDT"])
    world.fx.answer(json.dumps({"symbols": [row("A", "TRADING"), row("B", "BREAK")]}).encode())
    for status in ("BREAK", "TRADING"):
        world.fx.run(HALTED_NS / SECOND_NS)
        assert world.requested == [["B"]]
        world.answer("B", status)
    world.fx.run(10 * HALTED_NS / SECOND_NS)
    assert world.requested == []
    assert world.rules == [("A-USDT", True), ("B-USDT", False), ("B-USDT", False), ("B-USDT", True)]


def test_a_market_that_vanishes_is_looked_for_and_one_that_never_was_is_not(world):
    world.source.request(["A-USDT"])
    world.answer("A")
    world.source.request(["A-USDT"])
    world.fx.answer(UNKNOWN, 400)
    world.fx.run(HALTED_NS / SECOND_NS)
    assert world.requested == [["A"]]
    world.answer("A")
    world.source.request(["B-USDT"])
    world.fx.answer(UNKNOWN, 400)
    world.fx.run(10 * HALTED_NS / SECOND_NS)
    assert world.requested == []
    assert world.unknown == ["A-USDT", "B-USDT"]


def test_rules_are_read_again_each_interval_until_the_source_stops(world):
    world.source.keep_fresh(["A-USDT"])
    for _ in range(2):
        world.fx.run(REFRESH_MS / 1_000)
        assert world.requested == [["A"]]
        world.answer("A")
    world.source.stop()
    world.fx.run(3 * REFRESH_MS / 1_000)
    world.source.request(["A-USDT"])
    assert world.requested == []
