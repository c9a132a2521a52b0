"""The Broker of the strategy tests publishes what a real connector publishes: each story runs against both."""

import importlib.util
import sys
from collections.abc import Callable
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from actors.actor import Actor
from protocol import (
    Answer,
    Fill,
    Message,
    OrdersSnapshot,
    OrderUpdate,
    OrdType,
    Side,
    topics,
)

FOLDER = Path(__file__).parent
BID_TICKS, BEST_BID_TICKS, CROSSING_TICKS = 5_000_000, 5_999_500, 6_100_000
LOTS = 1_000


def load(path: Path) -> ModuleType:
    """A conftest as a module of its own name."""
    name = f"stage_{path.parent.name}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


connector_tests, strategy_tests = load(FOLDER.parent / "connectors" / "conftest.py"), load(FOLDER / "conftest.py")


class Recorder(connector_tests.Trader):
    """A trader that keeps every message of its order stream, in order."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.received: list[Message] = []

    def on_order_update(self, update: OrderUpdate) -> None:
        super().on_order_update(update)
        self.received.append(update)

    def on_fill(self, fill: Fill) -> None:
        super().on_fill(fill)
        self.received.append(fill)

    def on_orders_snapshot(self, snapshot: OrdersSnapshot) -> None:
        self.received.append(snapshot)
        self.fill_no = snapshot.fill_no


class RealStage:
    """A real connector on the local exchange. The stories cause the same events here and at the Broker."""

    def __init__(self) -> None:
        self.world = connector_tests.World()
        self.world.ready()
        self.sim = self.world.sim
        self.restart_trader()

    def restart_trader(self) -> None:
        self.sim.kill("maker")
        self.world.trader = self.trader = self.sim.add("maker", Recorder, follows=["binance"])
        self.run()

    def run(self) -> None:
        self.world.run(3)

    def place(self, side: Side, price_ticks: int, ord_type: OrdType = OrdType.LIMIT, size_lots: int = LOTS) -> int:
        order_ref = self.world.place(side, price_ticks, size_lots, ord_type)
        self.run()
        return order_ref

    def fill(self, order_ref: int, lots: int) -> None:
        self.world.trade_by_hand("SELL", "", str(lots * Decimal("0.00001")), "MARKET")
        self.run()

    def cancel(self, order_ref: int) -> int:
        cmd_id = self.world.cancel(order_ref)
        self.run()
        return cmd_id

    def cancel_all(self) -> int:
        cmd_id = self.world.cancel_all()
        self.run()
        return cmd_id

    def replace(self, order_ref: int, price_ticks: int) -> int:
        cmd_id = self.world.replace(order_ref, price_ticks)
        self.run()
        return cmd_id

    def reject_next(self) -> None:
        """The order that follows crosses the book, and is post-only."""

    def lose_next_answer(self) -> None:
        self.world.net.next_http["POST", "order"] = ["unanswered"]
        self.world.net.next_http["GET", "order"] = ["refused"] * 2

    def wait_for_the_lost_order(self, order_ref: int) -> None:
        self.world.run(60)

    def place_externally(self) -> None:
        self.world.trade_by_hand("BUY", "50000", "0.01", key=connector_tests.demo.MAKER_KEY)
        self.run()


class DoubleStage:
    """The Broker of the strategy tests."""

    def __init__(self) -> None:
        self.bot = strategy_tests.Bot()
        self.sim, self.broker = self.bot.sim, self.bot.broker
        self.trader: Recorder
        self.restart_trader()

    def restart_trader(self) -> None:
        if "maker" in self.sim.processes:
            self.sim.kill("maker")
        self.trader = self.sim.add("maker", Recorder, follows=["binance"])
        self.run()

    def run(self) -> None:
        self.sim.run_for(1)

    def _send(self, kind: type, *args: Any) -> int:
        cmd_id: int = self.bot.act(self.trader, self.trader.ask, kind, *args)
        self.run()
        return cmd_id

    def _exchange(self, call: Callable[..., Any], *args: Any) -> None:
        self.bot.exchange(call, *args)
        self.run()

    def place(self, side: Side, price_ticks: int, ord_type: OrdType = OrdType.LIMIT, size_lots: int = LOTS) -> int:
        what = (strategy_tests.SYMBOL, side, price_ticks, size_lots, ord_type)
        return self._send(strategy_tests.PlaceOrder, *what)

    def fill(self, order_ref: int, lots: int) -> None:
        self._exchange(self.broker.trade, order_ref, lots)

    def cancel(self, order_ref: int) -> int:
        return self._send(strategy_tests.CancelOrder, order_ref)

    def cancel_all(self) -> int:
        return self._send(strategy_tests.CancelAll, strategy_tests.SYMBOL)

    def replace(self, order_ref: int, price_ticks: int) -> int:
        return self._send(strategy_tests.ReplaceOrder, order_ref, price_ticks, LOTS)

    def reject_next(self) -> None:
        self.broker.rejects = "would take"

    def lose_next_answer(self) -> None:
        self.broker.loses_answers = True

    def wait_for_the_lost_order(self, order_ref: int) -> None:
        self._exchange(self.broker.find, order_ref)

    def place_externally(self) -> None:
        self._exchange(self.broker.place_externally, Side.BUY, BID_TICKS, LOTS)


Stage = RealStage | DoubleStage


def described(message: Message, refs: list[int]) -> tuple[Any, ...]:
    """What a message states, without ids, times, texts and amounts that differ between two exchanges."""
    if isinstance(message, Fill):
        assert message.trade_id
        assert message.cl_ord_id
        ref, side, liquidity = refs.index(message.order_ref), message.side.name, message.liquidity.name
        return "Fill", ref, side, message.last_ticks, message.last_lots, message.cum_lots, liquidity, message.fill_no
    if isinstance(message, OrdersSnapshot):
        rows = [(row.symbol, row.bought_lots, row.sold_lots) for row in message.positions if row.bought_lots]
        orders = [described(order, refs) for order in sorted(message.orders, key=lambda one: one.order_ref)]
        fills = [described(fill, refs) for fill in message.fills]
        return "OrdersSnapshot", message.owner, orders, rows, fills, message.fill_no
    assert isinstance(message, OrderUpdate)
    assert message.cl_ord_id
    return (
        "OrderUpdate", message.owner, refs.index(message.order_ref), message.symbol, message.side.name,
        message.ord_type.name, message.price_ticks, message.size_lots, message.cum_lots, message.status.name,
        message.cancel_wanted, bool(message.order_id), message.status.is_final and bool(message.reason),
    )  # fmt: skip


def a_fill_in_parts(stage: Stage) -> list[int]:
    order_ref = stage.place(Side.BUY, BEST_BID_TICKS)
    stage.fill(order_ref, 400)
    stage.fill(order_ref, 600)
    return [order_ref]


def a_cancel_after_a_partial_fill(stage: Stage) -> list[int]:
    order_ref = stage.place(Side.BUY, BEST_BID_TICKS)
    stage.fill(order_ref, 400)
    stage.cancel(order_ref)
    return [order_ref]


def a_cancel_of_an_ended_order(stage: Stage) -> list[int]:
    order_ref = stage.place(Side.BUY, BID_TICKS)
    return [order_ref, stage.cancel(order_ref), stage.cancel(order_ref)]


def a_cancel_of_an_unknown_order(stage: Stage) -> list[int]:
    return [stage.cancel(12345)]


def a_cancel_of_all_orders(stage: Stage) -> list[int]:
    return [stage.place(Side.BUY, BID_TICKS), stage.place(Side.BUY, BID_TICKS - 10), stage.cancel_all()]


def a_replacement(stage: Stage) -> list[int]:
    order_ref = stage.place(Side.BUY, BID_TICKS)
    return [order_ref, stage.replace(order_ref, BID_TICKS - 10)]


def a_replacement_of_an_ended_order(stage: Stage) -> list[int]:
    order_ref = stage.place(Side.BUY, BID_TICKS)
    return [order_ref, stage.cancel(order_ref), stage.replace(order_ref, BID_TICKS - 10)]


def a_rejected_order(stage: Stage) -> list[int]:
    stage.reject_next()
    return [stage.place(Side.BUY, CROSSING_TICKS, OrdType.LIMIT_MAKER)]


def an_order_whose_answer_is_lost(stage: Stage) -> list[int]:
    stage.lose_next_answer()
    order_ref = stage.place(Side.BUY, BID_TICKS)
    stage.wait_for_the_lost_order(order_ref)
    return [order_ref]


def a_restart_of_the_strategy(stage: Stage) -> list[int]:
    filled = stage.place(Side.BUY, BEST_BID_TICKS)
    stage.fill(filled, LOTS)
    rests = stage.place(Side.BUY, BID_TICKS)
    stage.restart_trader()
    return [filled, rests]


def an_external_order(stage: Stage) -> list[int]:
    stage.place_externally()
    return []


STORIES = [
    a_fill_in_parts,
    a_cancel_after_a_partial_fill,
    a_cancel_of_an_ended_order,
    a_cancel_of_an_unknown_order,
    a_cancel_of_all_orders,
    a_replacement,
    a_replacement_of_an_ended_order,
    a_rejected_order,
    an_order_whose_answer_is_lost,
    a_restart_of_the_strategy,
    an_external_order,
]


def outcome_of(stage: Stage, story: Callable[[Stage], list[int]]) -> tuple[list[tuple[Any, ...]], list[str]]:
    """(messages of the order stream, codes of the answers to the commands)."""
    refs = story(stage)
    answers = [stage.trader.answers.get(ref) for ref in refs]
    codes = [answer.code.name if isinstance(answer, Answer) else "another run" for answer in answers]
    messages = [described(message, refs) for message in stage.trader.received]
    return [one for one, _ in groupby(messages)], codes  # an update that shows no change does not count


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_double_publishes_what_a_real_connector_publishes(story: Callable[[Stage], list[int]]) -> None:
    assert outcome_of(DoubleStage(), story) == outcome_of(RealStage(), story)


def test_both_publish_external_orders_for_their_own_owner() -> None:
    found = []
    for stage in (DoubleStage(), RealStage()):
        watcher = stage.sim.add("watcher", ExternalWatcher)
        stage.run()
        stage.place_externally()
        [update] = watcher.updates
        found.append((update.owner, update.order_ref, update.side, update.price_ticks, update.size_lots, update.status))
    assert found[0] == found[1]


class ExternalWatcher(Actor):
    """Receives the external orders of the account."""

    ticks = False

    def on_start(self) -> None:
        self.updates: list[OrderUpdate] = []
        self.subscribe(topics.orders("binance", topics.EXTERNAL))

    def on_order_update(self, update: OrderUpdate) -> None:
        self.updates.append(update)
